// Reads triples from standard input: a config file, a credentials file and a command line, each as
// a four-byte little-endian length and its bytes. Prints a line of JSON for each: what the first is
// by ParseIni, what both are by Profiles::Load, and what the last is by SplitWords; null stands for
// an error. All texts are hexadecimal. The argument names a directory to write the files into.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "aws/ini_file.h"
#include "aws/profiles.h"
#include "aws/variables.h"
#include "core/shell_words.h"

namespace aws = qarion::secrets::aws;
namespace core = qarion::secrets::core;

namespace {

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex = "\"";
  for (const char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return hex + "\"";
}

// An object of JSON, or a list where `of_pairs` is false.
class Listing {
 public:
  explicit Listing(bool of_pairs = true)
      : text_(of_pairs ? "{" : "["), end_(of_pairs ? "}" : "]") {}
  void Add(std::string_view name, const std::string& value) { Add(Hex(name) + ":" + value); }
  void Add(const std::string& value) { text_ += (text_.size() == 1 ? "" : ",") + value; }
  std::string Take() { return text_ + end_; }

 private:
  std::string text_;
  std::string end_;
};

std::string Describe(const aws::IniEntry& entry) {
  if (!entry.has_nested) return Hex(entry.value.Reveal());
  Listing nested;
  for (const aws::IniEntry& inner : entry.nested) nested.Add(inner.name, Hex(inner.value.Reveal()));
  return nested.Take();
}

using Names = std::set<std::string>;

std::string DescribeIni(std::string_view text, Names& names) {
  const auto file = aws::ParseIni(text, "file");
  if (!file) return "null";
  Listing sections;
  for (const aws::IniSection& section : file->sections) {
    Listing entries;
    Names here;
    for (const aws::IniEntry& entry : section.entries) here.insert(entry.name);
    for (const aws::IniEntry& entry : *section.defaults) here.insert(entry.name);
    for (const std::string& name : here) entries.Add(name, Describe(*section.Find(name)));
    sections.Add(section.name, entries.Take());
    names.merge(here);
  }
  return sections.Take();
}

std::string DescribeProfiles(const Names& names, const std::string& directory) {
  const std::string config = directory + "/config";
  const std::string credentials = directory + "/credentials";
  const aws::Variables variables([&](const std::string& name) -> std::optional<std::string_view> {
    if (name == "AWS_CONFIG_FILE") return config;
    if (name == "AWS_SHARED_CREDENTIALS_FILE") return credentials;
    return std::nullopt;
  });
  const auto profiles = aws::Profiles::Load(variables);
  if (!profiles) return "null";
  Listing all;
  for (const std::string& profile : profiles->Names()) {
    Listing entries;
    for (const std::string& name : names) {
      const auto value = profiles->Find(profile)->Find(name);
      if (value) entries.Add(name, Describe(*value->entry));
    }
    all.Add(profile, entries.Take());
  }
  return all.Take();
}

std::string DescribeWords(std::string_view text) {
  const auto words = core::SplitWords(text);
  if (!words) return "null";
  Listing list(false);
  for (const std::string& word : *words) list.Add(Hex(word));
  return list.Take();
}

std::optional<std::string> ReadBlob() {
  std::uint8_t length[4];
  if (std::fread(length, 4, 1, stdin) != 1) return std::nullopt;
  std::string text(length[0] + length[1] * 256u + length[2] * 65536u, '\0');
  if (std::fread(text.data(), 1, text.size(), stdin) != text.size()) return std::nullopt;
  return text;
}

void Write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const std::string directory = arguments[1];
  while (const auto config = ReadBlob()) {
    const auto credentials = ReadBlob();
    const auto words = ReadBlob();
    if (!words) return 1;
    Write(directory + "/config", *config);
    Write(directory + "/credentials", *credentials);
    Names names;
    DescribeIni(*credentials, names);
    const std::string raw = DescribeIni(*config, names);
    std::puts(
        ("[" + raw + "," + DescribeProfiles(names, directory) + "," + DescribeWords(*words) + "]")
            .c_str());
  }
}
