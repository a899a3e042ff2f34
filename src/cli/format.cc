#include "cli/format.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "core/json_writer.h"
#include "core/utf8.h"

namespace qarion::secrets::cli {
namespace {

constexpr std::array<std::pair<std::string_view, Format>, 6> kNames = {{{"text", Format::kText},
                                                                        {"json", Format::kJson},
                                                                        {"env", Format::kEnv},
                                                                        {"dotenv", Format::kDotenv},
                                                                        {"yaml", Format::kYaml},
                                                                        {"shell", Format::kShell}}};

std::string_view NameOf(Format format) {
  return std::ranges::find(kNames, format, &std::pair<std::string_view, Format>::second)->first;
}

bool IsUtf8(std::string_view text) { return !core::FindInvalidUtf8(text); }
bool Has(std::string_view text, std::string_view any_of) {
  return text.find_first_of(any_of) != std::string_view::npos;
}

bool IsShellName(std::string_view name) {
  return std::ranges::all_of(name, [](char c) { return c != '-' && c != '.'; });
}

// Why `format` cannot hold it, or nothing.
std::string_view Obstacle(Format format, const NamedValue& field) {
  constexpr std::string_view kZero("\0", 1);
  const std::string_view value = field.value;
  switch (format) {
    case Format::kText:
    case Format::kYaml: return {};
    case Format::kJson: return IsUtf8(value) ? "" : "the value is not UTF-8";
    case Format::kEnv:
      if (Has(value, kZero)) return "the value contains a zero byte";
      return Has(value, "\n\r") ? "the value contains a line break" : "";
    case Format::kDotenv:
      if (Has(value, kZero)) return "the value contains a zero byte";
      return IsUtf8(value) ? "" : "the value is not UTF-8";
    case Format::kShell:
      if (Has(value, kZero)) return "the value contains a zero byte";
      return IsShellName(field.name) ? "" : "the name is not one of a shell variable";
  }
  return {};
}

Error Refusal(Format format, const NamedValue& field, std::string_view obstacle) {
  std::string able;
  for (const auto& [name, other] : kNames) {
    if (other == Format::kText || !Obstacle(other, field).empty()) continue;
    if (!able.empty()) able += ", ";
    able += name;
  }
  return Error(ErrorCode::kBadData, std::string(field.name) + " cannot be written as " +
                                        std::string(NameOf(format)) + ": " + std::string(obstacle))
      .With("field", std::string(field.name))
      .Cure("use --output " + able + ", or `qsecrets get " + std::string(field.name) +
            "` for the bytes alone");
}

// Single quotes keep everything but themselves (POSIX.1-2017, Shell, 2.2.2).
void AppendShell(SecretBuffer& out, const NamedValue& field) {
  out.Append("export ");
  out.Append(field.name);
  out.Append("='");
  for (const char c : field.value) {
    if (c == '\'') {
      out.Append("'\\''");
    } else {
      out.Append(c);
    }
  }
  out.Append("'\n");
}

// Double quotes, in which python-dotenv decodes these escapes. It expands `${...}` after that and
// has no escape for it, but `${:-$}` (no name, so the default counts) is a `$` that is not looked
// at again.
void AppendDotenv(SecretBuffer& out, const NamedValue& field) {
  constexpr std::string_view kEscaped = "\\\"\a\b\f\n\r\t\v";
  constexpr std::string_view kNamesOfEscapes = "\\\"abfnrtv";
  out.Append(field.name);
  out.Append("=\"");
  for (std::size_t i = 0; i < field.value.size(); ++i) {
    const char c = field.value[i];
    const std::size_t escape = kEscaped.find(c);
    if (escape != std::string_view::npos) {
      out.Append('\\');
      out.Append(kNamesOfEscapes[escape]);
    } else if (c == '$' && field.value.substr(i + 1).starts_with('{')) {
      out.Append("${:-$}");
    } else {
      out.Append(c);
    }
  }
  out.Append("\"\n");
}

void AppendHex(SecretBuffer& out, std::uint32_t number, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out.Append("0123456789abcdef"[number >> shift & 15]);
  }
}

// A double-quoted scalar (YAML 1.2, 7.3.1); everything but printable ASCII is escaped, so that no
// reader trips over line separators or byte order marks.
void AppendYamlText(SecretBuffer& out, std::string_view text) {
  out.Append('"');
  for (std::size_t i = 0; i < text.size();) {
    const core::Character character = core::CharacterAt(text, i);
    i += character.length;
    const std::uint32_t code = character.code_point;
    if (code == '"' || code == '\\') {
      out.Append('\\');
      out.Append(static_cast<char>(code));
    } else if (code == '\n') {
      out.Append("\\n");
    } else if (code >= 0x20 && code < 0x7f) {
      out.Append(static_cast<char>(code));
    } else if (code <= 0xffff) {
      out.Append("\\u");
      AppendHex(out, code, 4);
    } else {
      out.Append("\\U");
      AppendHex(out, code, 8);
    }
  }
  out.Append('"');
}

// RFC 4648, section 4.
void AppendBase64(SecretBuffer& out, std::string_view bytes) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      bits = bits << 8 | (j < group.size() ? static_cast<std::uint8_t>(group[j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out.Append(j <= group.size() ? kAlphabet[bits >> (18 - 6 * j) & 63] : '=');
    }
  }
}

void AppendYaml(SecretBuffer& out, const NamedValue& field) {
  // Quoted, because a plain NO or 1E3 is not a text to every reader.
  AppendYamlText(out, field.name);
  out.Append(": ");
  if (IsUtf8(field.value)) {
    AppendYamlText(out, field.value);
  } else {
    out.Append("!!binary \"");
    AppendBase64(out, field.value);
    out.Append('"');
  }
  out.Append('\n');
}

void AppendLine(Format format, SecretBuffer& out, const NamedValue& field) {
  switch (format) {
    case Format::kShell: return AppendShell(out, field);
    case Format::kDotenv: return AppendDotenv(out, field);
    case Format::kYaml: return AppendYaml(out, field);
    case Format::kText:
    case Format::kEnv:
    case Format::kJson:
      out.Append(field.name);
      out.Append('=');
      out.Append(field.value);
      out.Append('\n');
  }
}

}  // namespace

Format ParseFormat(std::string_view name) noexcept {
  const auto found = std::ranges::find(kNames, name, &std::pair<std::string_view, Format>::first);
  return found == kNames.end() ? Format::kText : found->second;
}

Result<Secret> FormatValues(Format format, std::span<const NamedValue> values) {
  for (const NamedValue& field : values) {
    if (const auto obstacle = Obstacle(format, field); !obstacle.empty()) {
      return Refusal(format, field, obstacle);
    }
  }
  if (format == Format::kJson) {
    core::JsonWriter json;
    json.BeginObject();
    for (const NamedValue& field : values) json.Key(field.name).Text(field.value);
    json.EndObject();
    return std::move(json).Take();
  }
  SecretBuffer out;
  for (const NamedValue& field : values) AppendLine(format, out, field);
  if (format == Format::kYaml && values.empty()) out.Append("{}\n");
  return std::move(out).Seal();
}

}  // namespace qarion::secrets::cli
