#include "core/json_fields.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <set>
#include <utility>

#include "core/files.h"
#include "core/json_text.h"
#include "core/secret_memory.h"
#include "qarion/secrets/field_set.h"

namespace qarion::secrets::core {
namespace {

constexpr std::size_t kMaxMembers = 10'000;
constexpr std::string_view kHexDigits = "0123456789abcdef";

// A member's name in nested data may be anything, also something that should have been a value.
using ProtectedString = std::basic_string<char, std::char_traits<char>, SecretAllocator<char>>;
using NameSet = std::set<ProtectedString, std::less<>, SecretAllocator<ProtectedString>>;

enum class Expected { kObjectOfFields, kArrayOfStrings };

bool IsFieldName(std::string_view name) {
  return name.find('/') == std::string_view::npos && CanonicalFieldName(name).has_value();
}

// Appends what stands between the quotes of a JSON string (RFC 8259, section 7).
void AppendEscaped(SecretBuffer& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '"': out.Append("\\\""); break;
      case '\\': out.Append("\\\\"); break;
      case '\b': out.Append("\\b"); break;
      case '\f': out.Append("\\f"); break;
      case '\n': out.Append("\\n"); break;
      case '\r': out.Append("\\r"); break;
      case '\t': out.Append("\\t"); break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out.Append("\\u00");
          out.Append(kHexDigits[static_cast<unsigned char>(c) >> 4]);
          out.Append(kHexDigits[static_cast<unsigned char>(c) & 0xf]);
        } else {
          out.Append(c);
        }
    }
  }
}

// Receives the parser's events. Member names and signatures are those that basic_parser calls.
// NOLINTBEGIN(readability-identifier-naming)
class Collector {
 public:
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;

  explicit Collector(Expected expected, const std::string& origin)
      : expected_(expected), origin_(origin) {}

  std::vector<Field>& fields() noexcept { return fields_; }
  std::vector<Secret>& strings() noexcept { return strings_; }
  // Why an event was refused, or empty.
  const std::string& problem() const noexcept { return problem_; }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }

  bool on_object_begin(json::error_code& ec) { return Begin(true, ec); }
  bool on_object_end(std::size_t, json::error_code& ec) { return End('}', ec); }
  bool on_array_begin(json::error_code& ec) { return Begin(false, ec); }
  bool on_array_end(std::size_t, json::error_code& ec) { return End(']', ec); }

  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    key_.Append({part.data(), part.size()});
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code& ec) {
    key_.Append({part.data(), part.size()});
    return EndKey(ec);
  }

  bool on_string_part(json::string_view part, std::size_t, json::error_code& ec) {
    return StringPart({part.data(), part.size()}, ec);
  }
  bool on_string(json::string_view part, std::size_t, json::error_code& ec) {
    if (!StringPart({part.data(), part.size()}, ec)) return false;
    if (IsNested()) text_.Append('"');
    return EndValue();
  }

  bool on_number_part(json::string_view part, json::error_code& ec) {
    return Part({part.data(), part.size()}, ec);
  }
  bool on_int64(std::int64_t, json::string_view part, json::error_code& ec) {
    return Scalar({part.data(), part.size()}, ec);
  }
  bool on_uint64(std::uint64_t, json::string_view part, json::error_code& ec) {
    return Scalar({part.data(), part.size()}, ec);
  }
  bool on_double(double, json::string_view part, json::error_code& ec) {
    return Scalar({part.data(), part.size()}, ec);
  }
  bool on_bool(bool value, json::error_code& ec) { return Scalar(value ? "true" : "false", ec); }
  bool on_null(json::error_code& ec) {
    if (levels_.size() == 1 && expected_ == Expected::kObjectOfFields) return true;  // not set
    return Scalar("null", ec);
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }
  // NOLINTEND(readability-identifier-naming)

 private:
  struct Level {
    bool is_object = false;
    bool is_empty = true;
    NameSet names;
  };

  // Whether the present value is part of a value that is kept as JSON.
  bool IsNested() const noexcept { return levels_.size() > 1; }

  bool Refuse(std::string problem, json::error_code& ec) {
    problem_ = std::move(problem);
    ec = json::error::exception;  // stops the parser; problem_ says why
    return false;
  }

  bool RefuseRoot(json::error_code& ec) {
    return Refuse(expected_ == Expected::kObjectOfFields ? "the outermost value is not an object"
                                                         : "the outermost value is not an array",
                  ec);
  }

  void Separate() {
    if (!std::exchange(levels_.back().is_empty, false)) text_.Append(',');
  }

  // Called once for each value, before its first byte.
  bool BeginValue(bool is_string, json::error_code& ec) {
    if (levels_.empty()) return RefuseRoot(ec);
    if (levels_.size() == 1 && expected_ == Expected::kArrayOfStrings && !is_string) {
      return Refuse("an element is not a string", ec);
    }
    if (IsNested() && !levels_.back().is_object) Separate();
    return true;
  }

  bool Begin(bool is_object, json::error_code& ec) {
    if (levels_.empty()) {
      if (is_object != (expected_ == Expected::kObjectOfFields)) return RefuseRoot(ec);
    } else {
      if (!BeginValue(false, ec)) return false;
      text_.Append(is_object ? '{' : '[');
    }
    levels_.push_back(Level{.is_object = is_object});
    return true;
  }

  bool End(char bracket, json::error_code&) {
    levels_.pop_back();
    if (levels_.empty()) return true;
    text_.Append(bracket);
    return EndValue();
  }

  bool EndKey(json::error_code& ec) {
    if (++member_count_ > kMaxMembers) {
      return Refuse("more than " + std::to_string(kMaxMembers) + " members", ec);
    }
    const std::string_view key = key_.Reveal();
    if (levels_.size() == 1 && !IsFieldName(key)) {
      return Refuse(
          "a member's name is not a possible field name (letters, digits, `_`, `-`, `.`; 128 at "
          "most)",
          ec);
    }
    if (!levels_.back().names.emplace(key).second) {
      return Refuse(levels_.size() == 1 ? "the member " + std::string(key) + " occurs twice"
                                        : "a member of a nested object occurs twice",
                    ec);
    }
    if (levels_.size() == 1) {
      name_ = key;
    } else {
      Separate();
      text_.Append('"');
      AppendEscaped(text_, key);
      text_.Append("\":");
    }
    key_.Clear();
    return true;
  }

  bool StringPart(std::string_view part, json::error_code& ec) {
    if (!std::exchange(in_scalar_, true)) {
      if (!BeginValue(true, ec)) return false;
      if (IsNested()) text_.Append('"');
    }
    if (IsNested()) {
      AppendEscaped(text_, part);
    } else {
      text_.Append(part);
    }
    return true;
  }

  bool Part(std::string_view part, json::error_code& ec) {
    if (!std::exchange(in_scalar_, true) && !BeginValue(false, ec)) return false;
    text_.Append(part);
    return true;
  }

  bool Scalar(std::string_view part, json::error_code& ec) { return Part(part, ec) && EndValue(); }

  bool EndValue() {
    in_scalar_ = false;
    if (IsNested()) return true;
    Secret value = std::exchange(text_, SecretBuffer()).Seal();
    if (expected_ == Expected::kObjectOfFields) {
      fields_.push_back({.name = name_, .value = std::move(value), .origin = origin_});
    } else {
      strings_.push_back(std::move(value));
    }
    return true;
  }

  Expected expected_;
  const std::string& origin_;
  std::vector<Level> levels_;
  std::vector<Field> fields_;
  std::vector<Secret> strings_;
  std::string name_;   // of the member whose value is being read
  SecretBuffer key_;   // being read
  SecretBuffer text_;  // of the value being read
  bool in_scalar_ = false;
  std::size_t member_count_ = 0;
  std::string problem_;
};

struct Parsed {
  std::vector<Field> fields;
  std::vector<Secret> strings;
};

[[gnu::noinline]] Result<Parsed> Parse(std::string_view text, Expected expected,
                                       const std::string& origin) {
  json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  json::basic_parser<Collector> parser(options, expected, origin);
  json::error_code ec;
  const std::size_t consumed = parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && consumed < text.size()) ec = json::error::extra_data;
  if (ec) {
    const std::string& refused = parser.handler().problem();
    return Error(ErrorCode::kBadData,
                 origin + JsonPosition(text, consumed) + ": " +
                     (refused.empty() ? ExplainJsonError(ec, text, consumed) : refused));
  }
  return Parsed{.fields = std::move(parser.handler().fields()),
                .strings = std::move(parser.handler().strings())};
}

Result<Parsed> ParseWithoutTrace(std::string_view text, Expected expected,
                                 const std::string& origin) {
  if (text.size() > kMaxFileBytes) {
    return Error(ErrorCode::kBadData, origin + ": the JSON text has " +
                                          std::to_string(text.size()) + " bytes; at most " +
                                          std::to_string(kMaxFileBytes) + " are read")
        .Cure("keep there what a service needs as its secrets, and nothing large");
  }
  auto parsed = Parse(text, expected, origin);
  WipeJsonStack();
  return parsed;
}

}  // namespace

Result<std::vector<Field>> FieldsFromJson(std::string_view json, const std::string& origin) {
  auto parsed = ParseWithoutTrace(json, Expected::kObjectOfFields, origin);
  if (!parsed) {
    return std::move(parsed).error().Cure(
        "store the secret as one JSON object whose members are the fields: "
        "{\"SECRET_KEY\": \"...\", \"POSTGRES_PASSWORD\": \"...\"}");
  }
  return std::move(parsed->fields);
}

Result<std::vector<Secret>> StringsFromJson(std::string_view json, const std::string& origin) {
  auto parsed = ParseWithoutTrace(json, Expected::kArrayOfStrings, origin);
  if (!parsed) {
    return std::move(parsed).error().Cure(
        "write it as a JSON array of strings: [\"...\", \"...\"]");
  }
  return std::move(parsed->strings);
}

}  // namespace qarion::secrets::core
