// Any bytes as a file with credentials of Google Cloud.
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <variant>

#include "gcp/credential_file.h"
#include "require.h"

namespace gcp = qarion::secrets::gcp;

namespace {

// What is found is whole.
void Check(const gcp::CredentialFile& file) {
  Require(!file.universe.empty());
  std::visit(
      [](const auto& identity) {
        using Kind = std::remove_cvref_t<decltype(identity)>;
        if constexpr (std::is_same_v<Kind, gcp::ServiceAccount>) {
          Require(!identity.client_email.empty() && !identity.private_key.empty());
          Require(!identity.token_uri.empty());
        } else if constexpr (std::is_same_v<Kind, gcp::ExternalAccount>) {
          Require(!identity.audience.empty() && !identity.token_url.empty());
          Require(identity.impersonated_email.find('/') == std::string::npos);
        } else if constexpr (std::is_same_v<Kind, gcp::ImpersonatedAccount>) {
          Require(!identity.email.empty() && identity.source != nullptr);
          Check(*identity.source);
        } else {
          Require(!identity.client_id.empty() && !identity.refresh_token.empty());
        }
      },
      file.identity);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = gcp::ParseCredentialFile(text, "fuzz");
  if (file) {
    Check(*file);
  } else {
    Require(!file.error().reason().empty() && !file.error().cure().empty());
  }
  return 0;
}
