// Any bytes as GCP_SECRET_NAME, and as the name in an answer.
#include <cstdint>
#include <string>
#include <string_view>

#include "providers/gcp_sm/secret_name.h"
#include "require.h"

namespace gcp_sm = qarion::secrets::gcp_sm;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto name = gcp_sm::ParseSecretName(text, "setting");
  if (!name) {
    Require(!name.error().cure().empty());
    return 0;
  }
  Require(gcp_sm::IsSecretId(name->secret));
  Require(name->version.empty() || gcp_sm::IsVersion(name->version));
  Require(name->location.empty() || gcp_sm::IsLocation(name->location));
  if (name->project.empty()) {
    Require(text == name->secret && name->location.empty() && name->version.empty());
    return 0;
  }
  // What is made of it is what it was, and can go nowhere else in a URL.
  const std::string whole =
      name->Resource() + (name->version.empty() ? "" : "/versions/" + name->version);
  Require(text == whole || text == "//secretmanager.googleapis.com/" + whole);
  Require(whole.find("..") == std::string::npos && whole.find("//") == std::string::npos);
  Require(whole.find_first_of("?#%\\ \t\r\n") == std::string::npos);
  return 0;
}
