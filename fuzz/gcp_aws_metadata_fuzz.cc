// Any bytes as what the metadata of an instance of AWS answers: a zone, and a document with keys.
// What is taken makes a token, whatever it is.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "gcp/aws_subject_token.h"
#include "require.h"

namespace gcp = qarion::secrets::gcp;

namespace {

constexpr char kUrl[] = "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity";
constexpr std::chrono::sys_seconds kNow{std::chrono::seconds(1'767'225'600)};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const std::string region(gcp::RegionOfZone(text)); !region.empty()) {
    const qarion::secrets::crypto::SigningCredentials keys{
        .access_key_id = "AKID",
        .secret_access_key = qarion::secrets::Secret::CopyOf("fake-key"),
        .session_token = {}};
    Require(gcp::SignedCallerIdentity(kUrl, region, keys, "fuzz", kNow).has_value());
  }
  const auto keys = gcp::AwsKeysIn(text, "fuzz");
  if (!keys) {
    Require(keys.error().reason().starts_with("fuzz") && !keys.error().cure().empty());
    return 0;
  }
  const auto token = gcp::SignedCallerIdentity(kUrl, "us-east-2", *keys, "fuzz", kNow);
  Require(token.has_value());
  for (const char c : token->Reveal()) Require(c > ' ' && c < 0x7f);
  return 0;
}
