#include "qarion/secrets/error.h"

#include <cerrno>
#include <cstdio>

#include "core/printable.h"

namespace qarion::secrets {

std::string_view ToString(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kUsage: return "usage";
    case ErrorCode::kBadData: return "bad_data";
    case ErrorCode::kNotSet: return "not_set";
    case ErrorCode::kUnavailable: return "unavailable";
    case ErrorCode::kTryAgain: return "try_again";
    case ErrorCode::kNotPermitted: return "not_permitted";
    case ErrorCode::kConfiguration: return "configuration";
    case ErrorCode::kIo: return "io";
    case ErrorCode::kInternal: return "internal";
  }
  return "internal";
}

int ExitStatus(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kUsage: return 64;
    case ErrorCode::kBadData: return 65;
    case ErrorCode::kUnavailable: return 69;
    case ErrorCode::kInternal: return 70;
    case ErrorCode::kIo: return 74;
    case ErrorCode::kTryAgain: return 75;
    case ErrorCode::kNotPermitted: return 77;
    case ErrorCode::kNotSet:
    case ErrorCode::kConfiguration: return 78;
  }
  return 70;
}

int Report(const Error& error) {
  std::fprintf(stderr, "%s: error: %s\n", program_invocation_short_name,
               core::Printable(error.reason()).c_str());
  if (!error.cure().empty()) {
    std::fprintf(stderr, "  to mend it: %s\n", core::Printable(error.cure()).c_str());
  }
  return ExitStatus(error.code());
}

}  // namespace qarion::secrets
