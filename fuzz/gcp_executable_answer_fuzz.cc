// Any bytes as what a program prints that hands out tokens for Google Cloud.
#include <chrono>
#include <cstdint>
#include <string_view>

#include "gcp/executable_source.h"
#include "require.h"

namespace gcp = qarion::secrets::gcp;
using qarion::secrets::Error;

namespace {

void CheckError(const Error& error) {
  Require(error.reason().starts_with("fuzz") && !error.cure().empty());
  Require(error.reason().find_first_of("\r\n") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::chrono::system_clock::time_point now{std::chrono::seconds(1'767'225'600)};
  const auto answer = gcp::ReadExecutableAnswer(text, "fuzz", now, {});
  if (!answer) {
    CheckError(answer.error());
  } else if (answer->refusal) {
    CheckError(*answer->refusal);
    Require(answer->token.empty());
  } else {
    Require(!answer->token.empty());
  }
  return 0;
}
