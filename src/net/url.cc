#include "net/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "core/ascii.h"
#include "core/percent_encoding.h"

namespace qarion::secrets::net {
namespace {

constexpr std::size_t kLongestUrl = std::size_t{8} * 1024;

struct UrlCleanup {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
using Handle = std::unique_ptr<CURLU, UrlCleanup>;

bool IsUrlText(std::string_view text) {
  return !text.empty() && text.size() <= kLongestUrl && core::IsVisible(text);
}

std::optional<std::string> Part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return std::nullopt;
  std::string copy = text;
  curl_free(text);
  return copy;
}

std::optional<Url> PartsOf(CURLU* url) {
  if (Part(url, CURLUPART_USER) || Part(url, CURLUPART_PASSWORD) || Part(url, CURLUPART_FRAGMENT)) {
    return std::nullopt;
  }
  Url parts{.scheme = Part(url, CURLUPART_SCHEME).value_or(""),
            .host = Part(url, CURLUPART_HOST).value_or(""),
            .port = Part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT).value_or(""),
            .path = Part(url, CURLUPART_PATH).value_or("/"),
            .query = Part(url, CURLUPART_QUERY).value_or(""),
            .names_port = Part(url, CURLUPART_PORT).has_value()};
  if ((parts.scheme != "http" && parts.scheme != "https") || parts.host.empty()) {
    return std::nullopt;
  }
  std::ranges::transform(parts.host, parts.host.begin(), core::AsciiLower);
  // libcurl decodes a host each time it reads it, so that one could name another the second time.
  const Handle again(curl_url());
  if (!IsUrlText(parts.host) ||
      curl_url_set(again.get(), CURLUPART_URL, parts.Origin().c_str(), 0) != CURLUE_OK ||
      Part(again.get(), CURLUPART_HOST).value_or("") != parts.host) {
    return std::nullopt;
  }
  return parts;
}

}  // namespace

std::optional<Url> ParseUrl(std::string_view text) {
  const Handle url(curl_url());
  if (!IsUrlText(text) ||
      curl_url_set(url.get(), CURLUPART_URL, std::string(text).c_str(), 0) != CURLUE_OK) {
    return std::nullopt;
  }
  return PartsOf(url.get());
}

std::optional<Url> ResolveUrl(std::string_view base, std::string_view reference) {
  const Handle url(curl_url());
  if (!IsUrlText(base) || !IsUrlText(reference) ||
      curl_url_set(url.get(), CURLUPART_URL, std::string(base).c_str(), 0) != CURLUE_OK ||
      curl_url_set(url.get(), CURLUPART_URL, std::string(reference).c_str(), 0) != CURLUE_OK) {
    return std::nullopt;
  }
  return PartsOf(url.get());
}

std::optional<std::string> WithHost(const std::string& url, const std::string& host) {
  const Handle changed(curl_url());
  if (curl_url_set(changed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      curl_url_set(changed.get(), CURLUPART_HOST, host.c_str(), 0) != CURLUE_OK) {
    return std::nullopt;
  }
  return Part(changed.get(), CURLUPART_URL);
}

bool IsLoopback(const Url& url) {
  if (url.host == "localhost" || url.host == "[::1]") return true;
  in_addr address{};  // a name may begin with 127. too
  return inet_pton(AF_INET, url.host.c_str(), &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

bool IsProxyUrl(std::string_view text) {
  constexpr std::string_view kSchemes[] = {"http",    "https",  "socks4",
                                           "socks4a", "socks5", "socks5h"};
  const Handle url(curl_url());
  if (!IsUrlText(text) || curl_url_set(url.get(), CURLUPART_URL, std::string(text).c_str(),
                                       CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    return false;
  }
  const std::string scheme = Part(url.get(), CURLUPART_SCHEME).value_or("");
  return std::ranges::find(kSchemes, scheme) != std::end(kSchemes) &&
         Part(url.get(), CURLUPART_HOST).has_value();
}

std::vector<Secret> PasswordsOf(const Secret& proxy_url) {
  SecretBuffer text;  // libcurl has its memory from where secrets are kept
  text.Append(proxy_url.Reveal());
  text.Append('\0');
  const Secret terminated = std::move(text).Seal();
  const Handle url(curl_url());
  std::vector<Secret> passwords;
  if (curl_url_set(url.get(), CURLUPART_URL, terminated.Reveal().data(),
                   CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    return passwords;
  }
  for (const unsigned flags : {0U, static_cast<unsigned>(CURLU_URLDECODE)}) {
    char* password = nullptr;
    if (curl_url_get(url.get(), CURLUPART_PASSWORD, &password, flags) != CURLUE_OK) continue;
    if (*password != '\0') passwords.push_back(Secret::CopyOf(password));
    curl_free(password);
  }
  return passwords;
}

bool IsHostName(std::string_view text) {
  const auto url = ParseUrl("https://" + std::string(text));
  const bool has_port = !text.starts_with('[') && text.find(':') != std::string_view::npos;
  return url && !url->names_port && !has_port &&
         text.find_first_of("/?#@%\\") == std::string_view::npos;
}

std::string EncodePath(std::string_view path) { return core::PercentEncoded(path, "/"); }

}  // namespace qarion::secrets::net
