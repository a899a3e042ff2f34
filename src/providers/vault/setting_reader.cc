#include "providers/vault/setting_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace qarion::secrets::vault {
namespace {

constexpr std::size_t kLongestSetting = 4096;

}  // namespace

bool HasControl(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::optional<SettingReader::Found> SettingReader::Find(const std::string& name) const {
  const std::string twin = "BAO_" + name.substr(name.find('_') + 1);
  for (const std::string& candidate : {twin, name}) {
    const auto text = lookup_(candidate);
    if (!text) continue;
    if (text->empty()) return std::nullopt;
    return Found{candidate, *text};
  }
  return std::nullopt;
}

std::string SettingReader::NameOf(const std::string& name) const {
  const auto found = Find(name);
  return found ? found->setting : name;
}

std::string SettingReader::Text(const std::string& name) {
  const auto found = Find(name);
  if (!found) return "";
  if (HasControl(found->text) || found->text.size() > kLongestSetting) {
    Fail(Wrong(found->setting, "has a control character or more than 4096 bytes",
               "give it a text of one line"));
    return "";
  }
  return std::string(found->text);
}

bool SettingReader::Bool(const std::string& name) {
  constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "TRUE", "true", "True"};
  constexpr std::array<std::string_view, 6> kFalse = {"0", "f", "F", "FALSE", "false", "False"};
  const auto found = Find(name);
  if (!found || std::ranges::find(kFalse, found->text) != kFalse.end()) return false;
  if (std::ranges::find(kTrue, found->text) != kTrue.end()) return true;
  Fail(Wrong(found->setting, "is neither true nor false", "write true or false"));
  return false;
}

std::int64_t SettingReader::Number(const std::string& name, std::int64_t fallback,
                                   std::int64_t most) {
  const auto found = Find(name);
  if (!found) return fallback;
  std::int64_t number = 0;
  const char* end = found->text.data() + found->text.size();
  const auto parsed = std::from_chars(found->text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || number < 0 || number > most) {
    Fail(Wrong(found->setting, "is not a whole number from 0 to " + std::to_string(most),
               "write digits only, or leave it out for " + std::to_string(fallback)));
    return fallback;
  }
  return number;
}

Credential SettingReader::Secret(const std::string& name) {
  const auto text = Find(name);
  const auto file = Find(name + "_FILE");
  if (text && file) {
    Fail(Wrong(text->setting, "is set, and " + file->setting + " too",
               "set one of them: a file is read again at each login"));
    return {};
  }
  if (file) return File(name + "_FILE");
  if (!text) return {};
  return {.setting = text->setting, .text = secrets::Secret::CopyOf(text->text)};
}

Credential SettingReader::File(const std::string& name) {
  std::string path = Text(name);
  if (path.empty()) return {};
  return {.setting = NameOf(name), .file = std::move(path)};
}

}  // namespace qarion::secrets::vault
