// The syntax of ~/.aws/config and ~/.aws/credentials: what Python's RawConfigParser reads, as
// botocore uses it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::aws {

struct IniEntry {
  std::string name;  // in lower case
  Secret value;      // lines of a longer one are joined by newlines
  int line = 0;      // where it begins, from 1
  // Of a value that begins on the line below its name: the pairs in it, `name = value` each.
  std::vector<IniEntry> nested;
  bool has_nested = false;
};

struct IniSection {
  std::string name;
  int line = 0;
  std::vector<IniEntry> entries;

  // By its name in lower case; null where there is none.
  const IniEntry* Find(std::string_view name) const;
};

struct IniFile {
  std::vector<IniSection> sections;

  const IniSection* Find(std::string_view name) const;
};

// Reads a whole file. `path` is named in errors. kBadData: what botocore refuses too (a line before
// the first section, a line without = or :, a section or a name twice, bytes that are not UTF-8)
// and more than 10,000 lines; with the line's number, never with its content.
Result<IniFile> ParseIni(std::string_view text, const std::string& path);

}  // namespace qarion::secrets::aws
