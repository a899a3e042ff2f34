// Any bytes as a URL and as a `Location`. The first line is the base, where there are two.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/url.h"
#include "require.h"

namespace net = qarion::secrets::net;

namespace {

constexpr std::size_t kLongestUrl = 8192;

std::string TextOf(const net::Url& url) {
  return url.Origin() + url.path + (url.query.empty() ? "" : "?" + url.query);
}

bool AreEqual(const net::Url& a, const net::Url& b) { return TextOf(a) == TextOf(b); }

// The token goes where these say.
void RequireSound(const net::Url& url) {
  Require(url.scheme == "http" || url.scheme == "https");
  Require(!url.host.empty() && url.host.find_first_of("/?#@\\") == std::string::npos);
  Require(std::all_of(url.host.begin(), url.host.end(),
                      [](char c) { return c > 0x20 && c < 0x7f && !(c >= 'A' && c <= 'Z'); }));
  Require(!url.port.empty() && url.port.size() <= 5 &&
          url.port.find_first_not_of("0123456789") == std::string::npos);
  Require(url.path.starts_with('/') && url.path.find_first_of("?#") == std::string::npos);
  Require(url.query.find('#') == std::string::npos);
  // What IsLoopback promises: only this machine can answer.
  Require(!net::IsLoopback(url) || url.host == "localhost" || url.host == "[::1]" ||
          url.host.find_first_not_of("0123456789.") == std::string::npos);
  const std::string text = TextOf(url);
  if (text.size() > kLongestUrl) return;
  const auto again = net::ParseUrl(text);
  Require(again && AreEqual(*again, url));
}

// RFC 3986, 3.2: what stands before the path, after the one to three slashes that libcurl takes.
std::string_view AuthorityOf(std::string_view text) {
  text.remove_prefix(std::min(text.find(':'), text.size() - 1) + 1);
  for (int slashes = 0; slashes < 3 && text.starts_with('/'); ++slashes) text.remove_prefix(1);
  return text.substr(0, text.find_first_of("/?#"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view reference(reinterpret_cast<const char*>(data), size);
  std::string_view base = "https://vault.example:8200/v1/secret/data/qarion?version=1";
  if (const std::size_t line = reference.find('\n'); line != std::string_view::npos) {
    base = reference.substr(0, line);
    reference.remove_prefix(line + 1);
  }
  const auto from = net::ParseUrl(base);
  const auto absolute = net::ParseUrl(reference);
  const auto resolved = net::ResolveUrl(base, reference);
  for (const auto& url : {from, absolute, resolved}) {
    if (url) RequireSound(*url);
  }
  if (absolute) {
    // A user or a password is never accepted, and the base does not matter.
    Require(AuthorityOf(reference).find('@') == std::string_view::npos);
    if (from) Require(resolved && AreEqual(*resolved, *absolute));
  }
  if (!from || !resolved) return 0;
  // Without an authority of its own it stays where the base is (RFC 3986, 5.2.2).
  const bool is_path = reference.starts_with('/') && !reference.starts_with("//");
  if (is_path || reference.starts_with('?')) Require(resolved->Origin() == from->Origin());
  return 0;
}
