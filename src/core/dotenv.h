// The `.env` format as python-dotenv 1.2 reads it (https://github.com/theskumar/python-dotenv).
//
// One difference is wanted: a line that python-dotenv drops with a warning is an error here,
// because it may have been a secret. The error has line and column and shows nothing of the line.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qarion/secrets/finding.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::core {

// One assignment, in the order of the file. Keys may occur several times; the last one counts.
struct DotenvBinding {
  std::string key;
  std::optional<Secret> value;  // none: a key without `=`, which unsets
  std::size_t line = 0;         // of the key, from 1
};

struct Dotenv {
  std::vector<DotenvBinding> bindings;  // values with `${...}` as written
};

// Reads the format, without expansion. `name` is the file's name for messages.
// kBadData: not UTF-8, a NUL byte, a line that is not an assignment, a quote that never closes,
// more than 10,000 assignments.
Result<Dotenv> ParseDotenv(std::string_view text, const std::string& name);

// The value of an ambient variable, or nothing.
using AmbientLookup = std::function<std::optional<std::string_view>(std::string_view name)>;

// One key with its final value.
struct DotenvVariable {
  std::string key;
  std::optional<Secret> value;  // none: unset
  std::size_t line = 0;
};

struct ResolvedDotenv {
  std::vector<DotenvVariable> variables;  // each key once, in the order of its last assignment
  std::vector<Finding> findings;          // keys assigned twice, `${X}` that is not set; no values

  // The last word on `key`, or nullptr.
  const DotenvVariable* Find(std::string_view key) const noexcept;
};

// Expands `${NAME}` and `${NAME:-default}` as load_dotenv() does: the ambient value first, then
// what the file has assigned so far, then the default, else nothing. Not recursive: what came out
// is not expanded again. Expanded values are limited to kMaxFileBytes together (kBadData).
Result<ResolvedDotenv> ResolveDotenv(const Dotenv& dotenv, const AmbientLookup& ambient,
                                     const std::string& name);

}  // namespace qarion::secrets::core
