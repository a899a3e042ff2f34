#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/ascii.h"
#include "core/json_escape.h"
#include "core/utf8.h"
#include "rotate/plan.h"

namespace qarion::secrets::rotate {
namespace {

// "The int-precision range": RFC 9535, 2.1, takes it from I-JSON.
constexpr std::uint64_t kMostIndex = (std::uint64_t{1} << 53) - 1;

// RFC 9535, 2.1.1: "B = %x20 / %x09 / %x0A / %x0D".
constexpr std::string_view kBlanks = " \t\n\r";

bool IsNameFirst(char c) {
  return c == '_' || (core::IsLetterOrDigit(c) && !core::IsDigit(c)) ||
         static_cast<unsigned char>(c) >= 0x80;
}

class PathReader {
 public:
  explicit PathReader(std::string_view text) : text_(text) {}

  Result<JsonPath> Run() {
    if (text_.size() > kMostPathBytes) {
      return Wrong("is longer than " + std::to_string(kMostPathBytes) + " bytes");
    }
    if (core::FindInvalidUtf8(text_)) return Wrong("is not UTF-8");
    if (!Take('$')) return Wrong("does not begin with $");
    JsonPath path{.text = std::string(text_), .steps = {}};
    for (SkipBlanks(); at_ < text_.size(); SkipBlanks()) {
      PathStep step;
      if (Take('.')) {
        if (!ReadDotted(step)) return Problem();
      } else if (Take('[')) {
        if (!ReadBracketed(step)) return Problem();
      } else {
        return Wrong("has neither . nor [ where a step begins");
      }
      path.steps.push_back(std::move(step));
      if (path.steps.size() > kMostPathSteps) {
        return Wrong("has more than " + std::to_string(kMostPathSteps) + " steps");
      }
    }
    // RFC 9535, 2.1.1: blanks may stand before each segment, but not after the last.
    if (kBlanks.find(text_.back()) != kBlanks.npos) return Wrong("ends with white space");
    return path;
  }

 private:
  Error Wrong(const std::string& problem) const {
    return Error(ErrorCode::kBadData,
                 "the path " + problem + ", at character " +
                     std::to_string(1 + core::CountCharacters(text_.substr(0, at_))))
        .Cure("write it like $, $.name, $['any name'], $.list[0], $.* or $.list[*].name");
  }
  Error Problem() const { return Wrong(problem_); }
  bool Fail(const char* problem) {
    problem_ = problem;
    return false;
  }

  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void SkipBlanks() { at_ = std::min(text_.find_first_not_of(kBlanks, at_), text_.size()); }

  bool ReadDotted(PathStep& step) {
    if (Peek() == '.') return Fail("has .. in it, which is not supported");
    if (Take('*')) {
      step.kind = PathStep::Kind::kEveryChild;
      return true;
    }
    if (!IsNameFirst(Peek())) {
      return Fail("has a name after . that does not begin with a letter (write it in ['...'])");
    }
    const std::size_t begin = at_;
    while (IsNameFirst(Peek()) || core::IsDigit(Peek())) ++at_;
    step.name = text_.substr(begin, at_ - begin);
    if (Peek() == '-') return Fail("has a name with - in it after . (write it in ['...'])");
    return true;
  }

  bool ReadBracketed(PathStep& step) {
    SkipBlanks();
    if (Take('*')) {
      step.kind = PathStep::Kind::kEveryChild;
    } else if (Peek() == '\'' || Peek() == '"') {
      if (!ReadQuoted(step.name)) return false;
    } else if (core::IsDigit(Peek())) {
      step.kind = PathStep::Kind::kElement;
      if (!ReadIndex(step.index)) return false;
    } else if (Peek() == '-') {
      return Fail("counts from the end of a list, which is not supported");
    } else {
      return Fail("has no *, no number and no name in quotes after [");
    }
    SkipBlanks();
    if (Peek() == ',') return Fail("has several choices between [ and ] (write several paths)");
    if (Peek() == ':') return Fail("has a range in it, which is not supported");
    return Take(']') || Fail("has no ] where one belongs");
  }

  bool ReadIndex(std::size_t& index) {
    if (Take('0')) {
      return !core::IsDigit(Peek()) || Fail("has a number that begins with 0");
    }
    std::uint64_t number = 0;
    while (core::IsDigit(Peek())) {
      number = number * 10 + static_cast<std::uint64_t>(Peek() - '0');
      if (number > kMostIndex) return Fail("has a number that is too large");
      ++at_;
    }
    index = number;
    return true;
  }

  bool ReadQuoted(std::string& name) {
    const char quote = Peek();
    for (++at_; !Take(quote);) {
      if (at_ >= text_.size()) return Fail("has no end of a quoted name");
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) return Fail("has a control character in a name");
      if (c != '\\') {
        name += c;
        ++at_;
        continue;
      }
      const auto escape = core::ReadJsonEscape(text_.substr(at_), quote);
      if (!escape) return Fail("has an unknown escape in a name");
      if (escape->IsHalfPair()) return Fail("has half of a surrogate pair in a name");
      core::AppendCharacter(escape->code_point, name);
      at_ += escape->length;
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  const char* problem_ = "";
};

}  // namespace

Result<JsonPath> JsonPath::Parse(std::string_view text) { return PathReader(text).Run(); }

}  // namespace qarion::secrets::rotate
