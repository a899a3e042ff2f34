#include "net/tls_failure.h"

#include <curl/curl.h>

#include <algorithm>
#include <iterator>

namespace qarion::secrets::net {
namespace {

constexpr std::string_view kSeeTheClock =
    "see that this machine's clock is right, or let the server have a certificate that is valid "
    "now";

// By what OpenSSL says of them: libcurl gives several of them the codes of broken connections,
// above all where TLS 1.3 lets the server refuse our certificate after the handshake.
struct Refusal {
  std::string_view said;
  std::string_view cure;
  bool is_of_certificate = true;  // the client's
};
constexpr Refusal kRefusals[] = {
    {"certificate required", "name a client certificate and its key: the server demands one"},
    {"handshake failure", "the server demands a client certificate, or other TLS settings"},
    {"alert unknown ca", "use a client certificate that the server's authority signed"},
    {"alert bad certificate", "use a client certificate that the server accepts"},
    {"alert certificate expired", "renew the client certificate"},
    {"alert certificate revoked", "renew the client certificate"},
    {"alert certificate unknown", "use a client certificate that the server accepts"},
    {"alert protocol version", "let the server speak TLS 1.2 or 1.3", false},
    {"unsupported protocol", "let the server speak TLS 1.2 or 1.3", false},
    {"certificate is not yet valid", kSeeTheClock, false},
    {"certificate has expired", kSeeTheClock, false},
    {"wrong version number", "write http:// if the server does not speak TLS at this port", false},
};

std::string Naming(std::string_view cure, const std::string& setting) {
  return std::string(cure) + (setting.empty() ? "" : " (" + setting + ")");
}

}  // namespace

std::optional<std::string> TlsCure(int curl_code, std::string_view text,
                                   const TlsSettings& settings) {
  const auto* const refusal = std::ranges::find_if(
      kRefusals, [&](const Refusal& r) { return text.find(r.said) != std::string_view::npos; });
  if (refusal != std::end(kRefusals)) {
    return Naming(refusal->cure, refusal->is_of_certificate ? settings.certificate_setting : "");
  }
  switch (curl_code) {
    case CURLE_SSL_CERTPROBLEM:
      return Naming(
          "use a certificate and a key that belong together and can be read, in PEM, the key not "
          "encrypted",
          settings.certificate_setting);
    case CURLE_SSL_CACERT_BADFILE:
      return Naming("name a file that can be read, with certificates of authorities in PEM",
                    settings.authority_setting);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CRL_BADFILE:
      return Naming(
          "name the authority that signed the server's certificate, or mend the certificate",
          settings.authority_setting);
    default: return std::nullopt;
  }
}

}  // namespace qarion::secrets::net
