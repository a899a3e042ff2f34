// Values in the notation of whoever reads them next.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::cli {

enum class Format {
  kText,  // for people
  kJson,  // one object, RFC 8259
  kEnv,  // NAME=value lines without quoting, as `env` prints and `docker run --env-file` reads them
  kDotenv,  // as python-dotenv and this program read it
  kYaml,    // one mapping, YAML 1.1 and 1.2
  kShell,   // `export` commands for eval in a POSIX shell
};

// The format of that name. The command line has checked that it is one.
Format ParseFormat(std::string_view name) noexcept;

struct NamedValue {
  std::string_view name;
  std::string_view value;
};

// Writes all of them so that the format's reader gives back the exact bytes.
// kBadData: a name or value that the format cannot hold; the error names the field and formats that
// can.
Result<Secret> FormatValues(Format format, std::span<const NamedValue> values);

}  // namespace qarion::secrets::cli
