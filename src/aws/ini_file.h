// The syntax of ~/.aws/config and ~/.aws/credentials: what Python's RawConfigParser reads, as
// botocore uses it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::aws {

struct IniEntry {
  std::string name;  // its ASCII letters in lower case; of a nested one as written
  Secret value;      // lines of a longer one are joined by newlines
  int line = 0;      // where it begins, from 1
  // Of a value that begins on the line below its name: the pairs in it, `name = value` each, every
  // name once.
  std::vector<IniEntry> nested;
  bool has_nested = false;
};

struct IniSection {
  std::string name;
  int line = 0;
  std::vector<IniEntry> entries;
  // Those of [DEFAULT], which every section has unless it has its own.
  std::shared_ptr<const std::vector<IniEntry>> defaults;

  // By its name in lower case; null where there is none.
  const IniEntry* Find(std::string_view name) const;
};

struct IniFile {
  std::vector<IniSection> sections;  // without [DEFAULT], each name once

  const IniSection* Find(std::string_view name) const;
};

// Reads a whole file. `path` is named in errors. kBadData: what botocore refuses too (a line before
// the first section, a line without = or :, a section or a name twice, a nested line without =,
// bytes that are not UTF-8, a byte order mark) and more than 10,000 lines; with the line's number,
// never with its content. Takes time in proportion to the text.
Result<IniFile> ParseIni(std::string_view text, const std::string& path);

// The same of a file. What does not exist counts as empty, and so do /dev/null and no path at all.
// `setting` names the path, in errors; where it is not `is_chosen` but the usual one, a directory
// that may not be looked into counts as empty too. kConfiguration: may not be read or is no file.
Result<IniFile> ReadIni(const std::string& path, const std::string& setting, bool is_chosen);

}  // namespace qarion::secrets::aws
