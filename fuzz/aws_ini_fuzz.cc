// Any bytes as a file of AWS's clients, and as a command line. What is read must be what the rules
// allow, and errors must be quiet.
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "aws/ini_file.h"
#include "aws/profiles.h"
#include "core/shell_words.h"
#include "core/utf8.h"
#include "require.h"

namespace aws = qarion::secrets::aws;
namespace core = qarion::secrets::core;

namespace {

void RequireFits(const aws::IniEntry& entry, std::size_t size) {
  Require(entry.value.size() <= size && entry.line > 0);
  Require(entry.has_nested || entry.nested.empty());
  std::set<std::string_view> names;
  for (const aws::IniEntry& inner : entry.nested) {
    Require(names.insert(inner.name).second && inner.line > entry.line);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto words = core::SplitWords(text)) {
    std::size_t total = 0;
    for (const std::string& word : *words) total += word.size();
    Require(total <= size);
  }
  const auto file = aws::ParseIni(text, "file");
  if (!file) {
    Require(file.error().code() == qarion::secrets::ErrorCode::kBadData);
    // Its text is made of fixed words and numbers.
    Require(file.error().reason().starts_with("file:") && file.error().reason().size() < 100);
    return 0;
  }
  Require(!qarion::secrets::core::FindInvalidUtf8(text));
  for (const aws::IniSection& section : file->sections) {
    Require(file->Find(section.name) == &section && section.name != "DEFAULT");
    for (const aws::IniEntry& entry : section.entries) {
      Require(!entry.name.empty() && section.Find(entry.name) == &entry);
      RequireFits(entry, size);
    }
    for (const aws::IniEntry& entry : *section.defaults) {
      Require(section.Find(entry.name) != nullptr);
      RequireFits(entry, size);
    }
  }
  return 0;
}
