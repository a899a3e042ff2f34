#include "providers/vault/vault_settings.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "core/ascii.h"
#include "core/json_document.h"
#include "net/duration.h"
#include "net/url.h"

namespace qarion::secrets::vault {
namespace {

constexpr std::string_view kDefaultAddress = "https://127.0.0.1:8200";
constexpr std::string_view kDefaultPath = "secret/data/qarion";
constexpr std::size_t kLongestText = 4096;
constexpr std::chrono::hours kLongestTimeout{24};

// Of requests in a second: an hour between two, and more than any server answers.
constexpr double kLowestRate = 1.0 / 3600;
constexpr double kHighestRate = 1e6;

void ReadAddresses(SettingReader& reader, VaultSettings& settings) {
  auto found = reader.Find("VAULT_AGENT_ADDR");
  if (!found) found = reader.Find("VAULT_ADDR");
  settings.address_setting = found ? found->setting : "VAULT_ADDR";
  auto addresses = ParseAddresses(found ? found->text : kDefaultAddress, settings.address_setting);
  if (!addresses) return reader.Fail(std::move(addresses).error());
  settings.addresses = std::move(*addresses);
}

void ReadPath(SettingReader& reader, VaultSettings& settings) {
  const auto found = reader.Find("VAULT_SECRET_PATH");
  const std::string setting = found ? found->setting : "VAULT_SECRET_PATH";
  std::string_view rest = found ? found->text : kDefaultPath;
  if (rest.size() > kLongestText || HasControl(rest)) {
    return reader.Fail(Wrong(setting, "has a control character or more than 4096 bytes",
                             "write it as mount/data/name, such as secret/data/qarion"));
  }
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    if (segment == "." || segment == "..") {
      return reader.Fail(Wrong(setting, "has a segment '" + std::string(segment) + "'",
                               "write the path of the secret without such segments"));
    }
    if (!segment.empty()) {
      if (!settings.path.empty()) settings.path += '/';
      settings.path += segment;
    }
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
  }
  if (settings.path.starts_with("v1/")) {
    return reader.Fail(Wrong(setting, "begins with v1/, which is a part of the API's URLs",
                             "write it as mount/data/name, such as secret/data/qarion"));
  }
  if (settings.path.find('/') == std::string::npos) {
    return reader.Fail(Wrong(setting, "names no secret below a mount",
                             "write it as mount/data/name, such as secret/data/qarion"));
  }
}

// Both or neither: a certificate and its key.
bool AreBoth(SettingReader& reader, const std::string& certificate, const std::string& key) {
  const auto first = reader.Find(certificate);
  const auto second = reader.Find(key);
  if (first.has_value() == second.has_value()) return first.has_value();
  reader.Fail(Wrong(
      first ? first->setting : second->setting, "is set without its other half",
      "set both " + reader.NameOf(certificate) + " and " + reader.NameOf(key) + ", or neither"));
  return false;
}

void ReadAuthorities(SettingReader& reader, net::TlsSettings& tls) {
  tls.ca_file = reader.Text("VAULT_CACERT");
  tls.authority_setting = reader.NameOf("VAULT_CACERT");
  if (!tls.ca_file.empty()) return;
  if (const auto bytes = reader.Find("VAULT_CACERT_BYTES")) {
    tls.ca_text = bytes->text;
    tls.authority_setting = bytes->setting;
    return;
  }
  const std::string directory = reader.Text("VAULT_CAPATH");
  if (directory.empty()) return;
  tls.authority_setting = reader.NameOf("VAULT_CAPATH");
  auto authorities = net::ReadAuthorities(directory, tls.authority_setting);
  if (!authorities) return reader.Fail(std::move(authorities).error());
  tls.ca_text = std::move(*authorities);
}

void ReadTls(SettingReader& reader, net::TlsSettings& tls) {
  ReadAuthorities(reader, tls);
  tls.server_name = reader.Text("VAULT_TLS_SERVER_NAME");
  if (!tls.server_name.empty() && !net::IsHostName(tls.server_name)) {
    reader.Fail(Wrong(reader.NameOf("VAULT_TLS_SERVER_NAME"), "is no name of a host",
                      "write the name in the server's certificate, without a port"));
  }
  tls.is_verified = !reader.Bool("VAULT_SKIP_VERIFY");
  tls.certificate_setting = reader.NameOf("VAULT_CLIENT_CERT");
  const bool has_texts = AreBoth(reader, "VAULT_CLIENT_CERT_BYTES", "VAULT_CLIENT_KEY_BYTES");
  if (AreBoth(reader, "VAULT_CLIENT_CERT", "VAULT_CLIENT_KEY")) {  // files win
    tls.certificate_file = reader.Text("VAULT_CLIENT_CERT");
    tls.key_file = reader.Text("VAULT_CLIENT_KEY");
  } else if (has_texts) {
    tls.certificate_text = reader.Find("VAULT_CLIENT_CERT_BYTES")->text;
    tls.key_text = Secret::CopyOf(reader.Find("VAULT_CLIENT_KEY_BYTES")->text);
    tls.certificate_setting = reader.NameOf("VAULT_CLIENT_CERT_BYTES");
  }
}

void ReadProxy(SettingReader& reader, VaultSettings& settings) {
  auto found = reader.Find("VAULT_PROXY_ADDR");
  if (!found) found = reader.Find("VAULT_HTTP_PROXY");
  if (!found) return;
  if (!net::IsProxyUrl(found->text)) {
    reader.Fail(Wrong(found->setting, "is no address of a proxy",
                      "write http://host:port, https:// or socks5://"));
  }
  settings.proxy.url = Secret::CopyOf(found->text);
  settings.proxy.setting = found->setting;
}

void ReadTimeout(SettingReader& reader, VaultSettings& settings) {
  const auto found = reader.Find("VAULT_CLIENT_TIMEOUT");
  if (!found) return;
  const auto timeout = net::ParseDuration(found->text);
  if (!timeout || *timeout < std::chrono::nanoseconds::zero() || *timeout > kLongestTimeout) {
    return reader.Fail(Wrong(found->setting, "is not a duration of at most 24 hours",
                             "write seconds, or a duration such as 90s or 1m30s"));
  }
  // Zero is "no limit" for the official client; whoever asks has one anyway.
  settings.timeout = *timeout == std::chrono::nanoseconds::zero() ? kLongestTimeout : *timeout;
}

void ReadRateLimit(SettingReader& reader, VaultSettings& settings) {
  const auto found = reader.Find("VAULT_RATE_LIMIT");
  if (!found) return;
  RateLimit limit;
  const char* end = found->text.data() + found->text.size();
  auto parsed = std::from_chars(found->text.data(), end, limit.per_second);
  bool ok = parsed.ec == std::errc() && limit.per_second >= kLowestRate &&
            limit.per_second <= kHighestRate;
  limit.burst = ok ? std::max(1, static_cast<int>(limit.per_second)) : 1;
  if (ok && parsed.ptr != end) {
    ok = *parsed.ptr == ':';
    if (ok) {
      parsed = std::from_chars(parsed.ptr + 1, end, limit.burst);
      ok = parsed.ec == std::errc() && parsed.ptr == end && limit.burst > 0;
    }
  }
  if (!ok) {
    return reader.Fail(Wrong(found->setting, "is not a rate",
                             "write requests in a second, and after a colon how many may come at "
                             "once: 10 or 2.5:20"));
  }
  settings.rate_limit = limit;
}

// Headers that are of the API itself, or of how a request is framed.
bool IsReserved(std::string_view name) {
  constexpr std::string_view kApi = "x-vault-";
  constexpr std::string_view kFraming[] = {"host",
                                           "content-length",
                                           "transfer-encoding",
                                           "connection",
                                           "expect",
                                           "te",
                                           "trailer",
                                           "upgrade",
                                           "keep-alive",
                                           "proxy-authorization",
                                           "proxy-connection"};
  return core::EqualsIgnoringCase(name.substr(0, kApi.size()), kApi) ||
         std::ranges::any_of(kFraming, [&](std::string_view framing) {
           return core::EqualsIgnoringCase(name, framing);
         });
}

// As the official client: a JSON object of strings, without headers of the API itself.
void ReadHeaders(SettingReader& reader, VaultSettings& settings) {
  if (const auto mfa = reader.Find("VAULT_MFA")) {
    if (HasControl(mfa->text)) {
      reader.Fail(Wrong(mfa->setting, "has a character that headers do not have",
                        "write it as METHOD:PASSCODE, on one line"));
    }
    settings.headers.push_back({"X-Vault-MFA", Secret::CopyOf(mfa->text)});
  }
  const auto found = reader.Find("VAULT_HEADERS");
  if (!found) return;
  const std::string cure = R"(write a JSON object of strings: {"X-Gateway-Key": "..."})";
  auto document = core::JsonDocument::Parse(found->text, found->setting);
  if (!document || !document->root().IsObject()) {
    return reader.Fail(Wrong(found->setting, "is not a JSON object", cure));
  }
  for (const std::string_view name : document->root().Names()) {
    const auto value = (*document)[name].Text();
    if (!net::IsHeaderName(name) || !value || !net::IsHeaderValue(*value)) {
      return reader.Fail(
          Wrong(found->setting, "has a member that is no header and its value", cure));
    }
    if (IsReserved(name)) {
      return reader.Fail(
          Wrong(found->setting,
                "sets " + std::string(name) +
                    "; headers that begin with X-Vault- belong to the API, and those "
                    "about the connection to the HTTP client",
                "leave it out"));
    }
    settings.headers.push_back({std::string(name), Secret::CopyOf(*value)});
  }
}

}  // namespace

std::string VaultSettings::Source() const {
  const std::size_t others = addresses.size() - 1;
  return path + " at " + addresses.front().shown +
         (others == 0 ? "" : " and " + std::to_string(others) + " more");
}

std::vector<Secret> VaultSettings::Credentials() const {
  std::vector<Secret> credentials;
  for (const Secret* secret : {&auth.token.text, &auth.role_id.text, &auth.secret_id.text,
                               &auth.password.text, &tls.key_text}) {
    if (!secret->empty()) credentials.push_back(secret->Share());
  }
  // Other headers are for gateways, which may want a key; what is as short as a flag is none.
  constexpr std::size_t kShortest = 8;
  for (const net::HttpHeader& header : headers) {
    if (header.value.size() >= kShortest) credentials.push_back(header.value.Share());
  }
  std::ranges::move(net::PasswordsOf(proxy.url), std::back_inserter(credentials));
  if (auth.aws) std::ranges::move(auth.aws->Credentials(), std::back_inserter(credentials));
  if (auth.gcp) std::ranges::move(auth.gcp->Credentials(), std::back_inserter(credentials));
  return credentials;
}

Result<VaultSettings> LoadVaultSettings(const SettingLookup& lookup) {
  SettingReader reader(lookup);
  VaultSettings settings;
  ReadAddresses(reader, settings);
  settings.name_space = reader.Text("VAULT_NAMESPACE");
  ReadPath(reader, settings);
  settings.version = reader.Number("VAULT_SECRET_VERSION", 0, 1'000'000'000);
  ReadTls(reader, settings.tls);
  ReadTimeout(reader, settings);
  settings.max_retries = static_cast<int>(reader.Number("VAULT_MAX_RETRIES", 2, 1'000'000));
  ReadRateLimit(reader, settings);
  settings.looks_up_srv = reader.Bool("VAULT_SRV_LOOKUP");
  settings.follows_redirects = !reader.Bool("VAULT_DISABLE_REDIRECTS");
  ReadProxy(reader, settings);
  ReadHeaders(reader, settings);
  const bool has_certificate =
      !settings.tls.certificate_file.empty() || !settings.tls.certificate_text.empty();
  settings.auth = ReadAuthSettings(reader, has_certificate);
  if (const auto ignored = reader.Find("VAULT_WRAP_TTL"))
    settings.ignored.push_back(ignored->setting);
  settings.is_traced = lookup("QARION_SECRETS_LOG") == "debug";
  if (reader.error()) return std::move(*reader.error());
  return settings;
}

}  // namespace qarion::secrets::vault
