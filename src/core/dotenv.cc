#include "core/dotenv.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/files.h"
#include "core/utf8.h"

namespace qarion::secrets::core {
namespace {

constexpr std::size_t kMaxBindings = 10'000;
// Nobody reads more, and hostile text has no end of them.
constexpr std::size_t kMaxFindings = 1000;
constexpr std::string_view kByteOrderMark = "\ufeff";

// What python-dotenv sees: text read with universal newlines, without the byte order mark.
Secret NormalizeNewlines(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  SecretBuffer normalized(text.size());
  while (!text.empty()) {
    const std::size_t cr = text.find('\r');
    normalized.Append(text.substr(0, cr));
    if (cr == std::string_view::npos) break;
    normalized.Append('\n');
    text.remove_prefix(cr + (text.substr(cr).starts_with("\r\n") ? 2 : 1));
  }
  return std::move(normalized).Seal();
}

Error At(const std::string& name, std::string_view text, std::size_t offset,
         std::string_view problem, std::string_view cure) {
  const std::string_view before = text.substr(0, offset);
  const auto line = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  // Before an invalid byte everything is well formed, so characters can be counted.
  const std::size_t column = CountCharacters(before.substr(line_start)) + 1;
  const std::string place = name + ":" + std::to_string(line) + ":" + std::to_string(column);
  return Error(ErrorCode::kBadData, place + ": " + std::string(problem))
      .With("file", name)
      .With("line", std::to_string(line))
      .With("column", std::to_string(column))
      .Cure(std::string(cure));
}

// The same for text as it is in the file: places count as they do after NormalizeNewlines().
Error AtRaw(const std::string& name, std::string_view text, std::size_t offset,
            std::string_view problem, std::string_view cure) {
  const Secret before = NormalizeNewlines(text.substr(0, offset));
  return At(name, before.Reveal(), before.size(), problem, cure);
}

// Where and why a statement is not one.
struct SyntaxError {
  std::size_t offset;
  std::string_view problem;
  std::string_view cure;
};

constexpr std::string_view kQuoteCure =
    "close the quote; inside quotes write the same quote as \\' or \\\"";
constexpr std::string_view kAssignmentCure =
    "write NAME=value, one assignment a line; put a value with special characters into quotes";

// The grammar of python-dotenv's parser.py, one member function per expression there.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  // The next statement. Nothing at the end and for comments; `done()` tells.
  std::optional<DotenvBinding> Next() {
    SkipWhiteSpaceAndNewlines();
    if (done()) return std::nullopt;
    const std::size_t start = position_;
    SkipExport();
    std::optional<DotenvBinding> binding;
    if (Peek() != '#') {
      binding.emplace();
      binding->line = LineAt(start);
      binding->key = ReadKey();
      if (error_) return std::nullopt;
    }
    SkipBlanks();
    if (binding && Peek() == '=') {
      ++position_;
      binding->value = ReadAssigned();
      if (error_) return std::nullopt;
    }
    SkipComment();
    ExpectEndOfLine();
    return binding;
  }

  bool done() const { return position_ >= text_.size(); }
  const std::optional<SyntaxError>& error() const { return error_; }

 private:
  // The byte here; a newline at the end of the text, which ends a statement too.
  char Peek() const { return done() ? '\n' : text_[position_]; }

  std::size_t BlankLength() const {
    return Peek() == '\n' ? 0 : WhiteSpaceLength(text_, position_);
  }
  void SkipBlanks() {
    while (const std::size_t length = BlankLength()) position_ += length;
  }
  void SkipWhiteSpaceAndNewlines() {
    while (const std::size_t length = WhiteSpaceLength(text_, position_)) position_ += length;
  }

  void SkipExport() {
    constexpr std::string_view kExport = "export";
    if (!text_.substr(position_).starts_with(kExport)) return;
    const std::size_t before = position_;
    position_ += kExport.size();
    if (BlankLength() == 0) position_ = before;
    SkipBlanks();
  }

  std::string ReadKey() {
    if (Peek() == '\'') {
      const std::size_t end = text_.find('\'', position_ + 1);
      if (end == std::string_view::npos) return Fail("a quoted name never ends", kQuoteCure);
      if (end == position_ + 1) return Fail("a name is missing", kAssignmentCure);
      std::string key(text_.substr(position_ + 1, end - position_ - 1));
      position_ = end + 1;
      return key;
    }
    const std::size_t start = position_;
    while (!done() && Peek() != '=' && Peek() != '#' && WhiteSpaceLength(text_, position_) == 0) {
      ++position_;
    }
    if (position_ == start) return Fail("a name is missing", kAssignmentCure);
    return std::string(text_.substr(start, position_ - start));
  }

  // After the equal sign.
  Secret ReadAssigned() {
    const std::size_t after_equal_sign = position_;
    SkipBlanks();
    if (position_ > after_equal_sign && Peek() == '#') return {};
    switch (Peek()) {
      case '\n': return {};
      case '\'': return ReadQuoted('\'', "\\'");
      case '"': return ReadQuoted('"', "\\'\"abfnrtv");
      default: return ReadUnquoted();
    }
  }

  Secret ReadQuoted(char quote, std::string_view escapable) {
    const std::size_t opening = position_;
    SecretBuffer value;
    for (std::size_t i = opening + 1; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == quote) {
        position_ = i + 1;
        return std::move(value).Seal();
      }
      if (c != '\\') {
        value.Append(c);
        continue;
      }
      if (++i >= text_.size()) break;
      if (escapable.find(text_[i]) == std::string_view::npos) {
        value.Append('\\');
        value.Append(text_[i]);
      } else {
        value.Append(Unescaped(text_[i]));
      }
    }
    Fail("a quote is opened here and never closed", kQuoteCure);
    return {};
  }

  static char Unescaped(char c) {
    constexpr std::string_view kNames = "abfnrtv";
    constexpr std::string_view kBytes = "\a\b\f\n\r\t\v";
    const std::size_t index = kNames.find(c);
    return index == std::string_view::npos ? c : kBytes[index];
  }

  // Up to the end of the line or to white space followed by `#`, without trailing white space.
  Secret ReadUnquoted() {
    const std::size_t start = position_;
    std::size_t end = start;  // after the last byte that is not white space
    bool after_white_space = false;
    while (!done() && Peek() != '\n') {
      if (const std::size_t length = WhiteSpaceLength(text_, position_)) {
        position_ += length;
        after_white_space = true;
        continue;
      }
      if (after_white_space && Peek() == '#') break;
      after_white_space = false;
      end = ++position_;
    }
    position_ = std::min(text_.find('\n', position_), text_.size());
    return Secret::CopyOf(text_.substr(start, end - start));
  }

  void SkipComment() {
    SkipBlanks();
    if (Peek() == '#') position_ = std::min(text_.find('\n', position_), text_.size());
  }

  void ExpectEndOfLine() {
    SkipBlanks();
    if (Peek() != '\n') {
      Fail("text follows where the line should end", kAssignmentCure);
    } else if (!done()) {
      ++position_;
    }
  }

  std::string Fail(std::string_view problem, std::string_view cure) {
    error_ = SyntaxError{position_, problem, cure};
    return {};
  }

  // Statements come in order, so counting goes on where it stopped.
  std::size_t LineAt(std::size_t offset) {
    line_ += static_cast<std::size_t>(
        std::count(text_.begin() + static_cast<std::ptrdiff_t>(counted_),
                   text_.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
    counted_ = offset;
    return line_;
  }

  std::string_view text_;
  std::size_t position_ = 0;
  std::size_t line_ = 1;
  std::size_t counted_ = 0;
  std::optional<SyntaxError> error_;
};

// python-dotenv's variables.py: \$\{(?P<name>[^\}:]*)(?::-(?P<default>[^\}]*))?\}
struct Reference {
  std::size_t begin;
  std::size_t end;
  std::string_view name;
  std::optional<std::string_view> fallback;
};

std::optional<Reference> FindReference(std::string_view value, std::size_t from) {
  for (;;) {
    const std::size_t begin = value.find("${", from);
    if (begin == std::string_view::npos) return std::nullopt;
    const std::size_t name_end = value.find_first_of("}:", begin + 2);
    if (name_end == std::string_view::npos) return std::nullopt;
    const std::string_view name = value.substr(begin + 2, name_end - begin - 2);
    if (value[name_end] == '}') return Reference{begin, name_end + 1, name, std::nullopt};
    if (value.substr(name_end).starts_with(":-")) {
      const std::size_t end = value.find('}', name_end + 2);
      if (end == std::string_view::npos) return std::nullopt;
      return Reference{begin, end + 1, name, value.substr(name_end + 2, end - name_end - 2)};
    }
    // Every `${` before this colon meets it too, so none of them is a reference.
    from = name_end;
  }
}

// A key as a message may show it. A multi-line value without quotes reads as a row of odd keys, so
// only what is spelt as variables are is shown.
std::string Shown(std::string_view key) {
  const bool is_name = !key.empty() && key.size() <= 128 && (key[0] < '0' || key[0] > '9') &&
                       std::all_of(key.begin(), key.end(), [](char c) {
                         return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
                       });
  return is_name ? std::string(key) : "the key";
}

class Resolver {
 public:
  Resolver(const Dotenv& dotenv, const AmbientLookup& ambient, const std::string& name)
      : dotenv_(dotenv), ambient_(ambient), name_(name) {
    for (const DotenvBinding& binding : dotenv.bindings) ++assignments_left_[binding.key];
  }

  Result<ResolvedDotenv> Run() && {
    for (const DotenvBinding& binding : dotenv_.bindings) {
      DotenvVariable variable{binding.key, std::nullopt, binding.line};
      if (binding.value) {
        auto expanded = Expand(binding);
        if (!expanded) return std::move(expanded).error();
        variable.value = std::move(*expanded);
      }
      --assignments_left_[binding.key];
      Store(std::move(variable));
    }
    // A variable that was assigned again stands where its last assignment was. No two share a line.
    std::sort(result_.variables.begin(), result_.variables.end(),
              [](const auto& a, const auto& b) { return a.line < b.line; });
    return std::move(result_);
  }

 private:
  void Store(DotenvVariable variable) {
    const auto [position, is_new] = index_.try_emplace(variable.key, result_.variables.size());
    if (is_new) {
      result_.variables.push_back(std::move(variable));
      return;
    }
    DotenvVariable& earlier = result_.variables[position->second];
    Warn(variable.line,
         Shown(variable.key) + " was assigned in line " + std::to_string(earlier.line) +
             " already; this later assignment counts",
         "keep one of the two");
    earlier = std::move(variable);
  }

  Result<Secret> Expand(const DotenvBinding& binding) {
    const std::string_view value = binding.value->Reveal();
    auto reference = FindReference(value, 0);
    if (!reference) return binding.value->Share();
    SecretBuffer expanded(value.size());
    std::size_t copied = 0;
    for (; reference; reference = FindReference(value, copied)) {
      expanded.Append(value.substr(copied, reference->begin - copied));
      expanded.Append(ValueOf(*reference, binding));
      copied = reference->end;
      if (expanded.size() + total_ > kMaxFileBytes) {
        return Error(ErrorCode::kBadData, name_ + ":" + std::to_string(binding.line) +
                                              ": the expanded values are larger than " +
                                              std::to_string(kMaxFileBytes) + " bytes together")
            .With("file", name_)
            .Cure("expand ${...} less often");
      }
    }
    expanded.Append(value.substr(copied));
    total_ += expanded.size();
    return std::move(expanded).Seal();
  }

  std::string_view ValueOf(const Reference& reference, const DotenvBinding& binding) {
    if (const auto ambient = ambient_(reference.name)) return *ambient;
    if (const auto found = index_.find(std::string(reference.name)); found != index_.end()) {
      const DotenvVariable& variable = result_.variables[found->second];
      if (variable.value) return variable.value->Reveal();
      WarnKeyWithoutValue(variable, binding);
      return {};
    }
    if (reference.fallback) return *reference.fallback;
    WarnUnset(reference.name, binding);
    return {};
  }

  // python-dotenv does not even take the default then.
  void WarnKeyWithoutValue(const DotenvVariable& referred, const DotenvBinding& binding) {
    if (!warned_.emplace(binding.line, referred.key).second) return;
    Warn(binding.line,
         Shown(binding.key) + " refers to a ${...} that stands without `=` in line " +
             std::to_string(referred.line) + "; it counts as empty, whatever its default",
         "give it a value there, or remove that line");
  }

  void WarnUnset(std::string_view referred, const DotenvBinding& binding) {
    const std::string name(referred);
    if (!warned_.emplace(binding.line, name).second) return;
    const auto later = assignments_left_.find(name);
    const std::string shown = Shown(name);
    std::string problem = Shown(binding.key) + " refers to ";
    problem += shown == name ? "${" + name + "}, which is not set" : "a ${...} that is not set";
    if (name == binding.key) {
      problem += " before this line (it refers to itself)";
    } else if (later != assignments_left_.end() && later->second > 0) {
      problem += " before this line (it is assigned later)";
    }
    Warn(binding.line, problem + "; it counts as empty",
         "set it earlier, or give a default: ${NAME:-default}");
  }

  void Warn(std::size_t line, std::string problem, std::string cure) {
    if (result_.findings.size() == kMaxFindings) return;
    result_.findings.push_back({Severity::kWarning, name_ + ":" + std::to_string(line),
                                std::move(problem), std::move(cure)});
  }

  const Dotenv& dotenv_;
  const AmbientLookup& ambient_;
  const std::string& name_;
  std::unordered_map<std::string, std::size_t> assignments_left_;
  std::unordered_map<std::string, std::size_t> index_;    // into result_.variables
  std::set<std::pair<std::size_t, std::string>> warned_;  // line, and what it refers to
  std::size_t total_ = 0;
  ResolvedDotenv result_;
};

}  // namespace

const DotenvVariable* ResolvedDotenv::Find(std::string_view key) const noexcept {
  const auto found =
      std::find_if(variables.begin(), variables.end(),
                   [key](const DotenvVariable& variable) { return variable.key == key; });
  return found == variables.end() ? nullptr : &*found;
}

Result<Dotenv> ParseDotenv(std::string_view text, const std::string& name) {
  if (const auto invalid = FindInvalidUtf8(text)) {
    return AtRaw(name, text, *invalid, "the file is not UTF-8", "save the file as UTF-8");
  }
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
    return AtRaw(name, text, zero, "the file contains a zero byte",
                 "remove it; a value that needs one belongs into a file of its own (SECRETS_DIR)");
  }
  const Secret normalized = NormalizeNewlines(text);
  Parser parser(normalized.Reveal());
  Dotenv dotenv;
  while (!parser.done()) {
    std::optional<DotenvBinding> binding = parser.Next();
    if (const auto& error = parser.error()) {
      return At(name, normalized.Reveal(), error->offset, error->problem, error->cure);
    }
    if (!binding) continue;
    if (dotenv.bindings.size() == kMaxBindings) {
      return Error(ErrorCode::kBadData,
                   name + ": more than " + std::to_string(kMaxBindings) + " assignments")
          .With("file", name)
          .Cure("name the file that holds the secrets; it should be small");
    }
    dotenv.bindings.push_back(std::move(*binding));
  }
  return dotenv;
}

Result<ResolvedDotenv> ResolveDotenv(const Dotenv& dotenv, const AmbientLookup& ambient,
                                     const std::string& name) {
  return Resolver(dotenv, ambient, name).Run();
}

}  // namespace qarion::secrets::core
