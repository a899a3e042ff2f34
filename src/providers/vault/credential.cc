#include "providers/vault/credential.h"

#include <algorithm>
#include <utility>

#include "core/ascii.h"
#include "core/files.h"
#include "core/utf8.h"

namespace qarion::secrets::vault {
namespace {

constexpr std::size_t kLongestCredential = std::size_t{64} * 1024;

bool IsPrintableAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

Error Credential::Unusable(ErrorCode code, const std::string& problem) const {
  return Error(code, (file.empty() ? setting : setting + ": " + file) + " " + problem)
      .With("setting", setting)
      .Cure("put the credential there, and nothing else");
}

Result<Secret> Credential::ReadBytes() const {
  if (file.empty()) return text.Share();
  auto contents = core::ReadFile(file, setting, core::PipesAllowed::kNo, kLongestCredential);
  if (!contents) return std::move(contents).error();
  return std::move(contents->bytes);
}

Result<Secret> Credential::ReadToken() const {
  auto bytes = ReadBytes();
  if (!bytes) return bytes;
  std::string_view token = bytes->Reveal();
  if (!file.empty()) token = core::Trimmed(token);
  if (core::Trimmed(token).empty()) return Unusable(ErrorCode::kConfiguration, "holds nothing");
  if (!IsPrintableAscii(token)) {
    return Unusable(ErrorCode::kBadData,
                    "holds characters that no credential has, such as a line break");
  }
  return Secret::CopyOf(token);
}

Result<Secret> Credential::ReadPassword() const {
  auto bytes = ReadBytes();
  if (!bytes) return bytes;
  std::string_view password = bytes->Reveal();
  if (!file.empty() && password.ends_with('\n')) password.remove_suffix(1);
  if (!file.empty() && password.ends_with('\r')) password.remove_suffix(1);
  if (password.empty()) return Unusable(ErrorCode::kConfiguration, "holds nothing");
  if (core::FindInvalidUtf8(password)) return Unusable(ErrorCode::kBadData, "is not UTF-8");
  return Secret::CopyOf(password);
}

}  // namespace qarion::secrets::vault
