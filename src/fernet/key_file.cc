#include "fernet/key_file.h"

#include <string_view>
#include <utility>

#include "core/fernet_key_text.h"
#include "core/files.h"
#include "core/new_file.h"

namespace qarion::secrets::fernet {
namespace {

// More than anybody has keys.
constexpr std::size_t kMostBytes = std::size_t{64} * 1024;

Error HoldsNoKey(const std::string& path, const std::string& what) {
  return Error(ErrorCode::kConfiguration, what + ": '" + path + "' is empty")
      .With("file", path)
      .Cure(core::kRestoreFernetKey);
}

// Takes the first line off `text`, without its line break.
std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

Result<std::vector<FernetKey>> ReadKeyFile(const std::string& path, const std::string& what) {
  if (core::FernetKeyProblem(path).empty()) return core::IsAKey(what);
  const auto file =
      core::ReadFile(path, what, core::PipesAllowed::kYes, kMostBytes, ErrorCode::kConfiguration);
  if (!file) return file.error();
  std::string_view text = file->bytes.Reveal();
  if (text.empty()) return HoldsNoKey(path, what);
  std::vector<FernetKey> keys;
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    const bool is_only = keys.empty() && text.empty();
    auto key = FernetKey::Parse(
        line, what + ": " + (is_only ? "" : "line " + std::to_string(keys.size() + 1) + " of ") +
                  "'" + path + "'");
    if (!key) return std::move(key).error();
    keys.push_back(*std::move(key));
  }
  return keys;
}

Status WriteNewKeyFile(const std::string& path, const FernetKey& key, const std::string& what) {
  if (core::FernetKeyProblem(path).empty()) return core::IsAKey(what);
  return core::WriteNewKeyFile(path, key.Encode(), what);
}

}  // namespace qarion::secrets::fernet
