// Parts of a URL, as libcurl reads it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/secret.h"

namespace qarion::secrets::net {

struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // in lower case; an IPv6 address between brackets
  std::string port;    // never empty
  std::string path;    // from the first slash; "/" where there is none
  std::string query;   // without the question mark
  bool names_port = false;

  // "https://host:8200": what two URLs have in common that lead to the same server.
  std::string Origin() const { return scheme + "://" + host + ":" + port; }
};

// Nothing where the text is not an absolute http or https URL, has a user, a password, a fragment,
// white space or a control character, or is longer than 8 KiB.
std::optional<Url> ParseUrl(std::string_view text);

// `reference`, which may be relative, as seen from `base` (RFC 3986, 5). Nothing as above.
std::optional<Url> ResolveUrl(std::string_view base, std::string_view reference);

// The same URL with another host; nothing where that is none.
std::optional<std::string> WithHost(const std::string& url, const std::string& host);

// Whether only this machine can answer: localhost, 127.0.0.0/8 or ::1.
bool IsLoopback(const Url& url);

// Whether it names a proxy: http, https, socks4, socks4a, socks5 or socks5h, maybe with user and
// password.
bool IsProxyUrl(std::string_view text);

// The password in a proxy's URL, as it stands there and decoded; nothing where there is none.
std::vector<Secret> PasswordsOf(const Secret& proxy_url);

// Whether it has the form of a host's name or address, without a port (RFC 3986, 3.2.2, without
// percent-encoding).
bool IsHostName(std::string_view text);

// Percent-encodes all but unreserved characters (RFC 3986, 2.3) and slashes.
std::string EncodePath(std::string_view path);

}  // namespace qarion::secrets::net
