#include "scrub/forms.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/ascii.h"
#include "core/json_escape.h"
#include "core/secret_memory.h"
#include "core/utf8.h"
#include "qarion/secrets/secret.h"
#include "scrub/encodings.h"
#include "scrub/form_sink.h"
#include "scrub/lines.h"
#include "scrub/parts.h"

namespace qarion::secrets::scrub {
namespace {

// Parts of parts: the URL in the JSON in a string of JSON.
constexpr int kDeepest = 4;

constexpr std::size_t kShortestUnquoted = 4;

// In the order of how often logs have them, and how little room they take: a very long value is not
// written in all.
struct Encoding {
  ScrubForm form;
  void (*add)(const Plaintext&, FormSink&);
};
constexpr std::array kEncodings = {
    Encoding{ScrubForm::kBase64, AddBase64}, Encoding{ScrubForm::kHex, AddHex},
    Encoding{ScrubForm::kUtf16, AddUtf16},   Encoding{ScrubForm::kJson, AddJson},
    Encoding{ScrubForm::kShell, AddShell},   Encoding{ScrubForm::kPercent, AddPercent},
    Encoding{ScrubForm::kC, AddC},           Encoding{ScrubForm::kXml, AddXml},
};

// Without one pair of quotes around it.
std::string_view Unquoted(std::string_view text) {
  const bool is_quoted = text.size() >= kShortestUnquoted + 2 && text.front() == text.back() &&
                         (text.front() == '"' || text.front() == '\'');
  return is_quoted ? text.substr(1, text.size() - 2) : text;
}

std::string_view WithoutLastBreaks(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kLineBreaks) + 1);
}

// What the escapes of a string literal in the value stand for; backslashes that begin none stay.
void AppendUnescaped(std::string_view text, SecretBuffer& out) {
  AppendChanged(text, ByteSet("\\"), out, [&](std::string_view rest) -> std::size_t {
    auto escape = core::ReadJsonEscape(rest, '"');
    if (!escape) escape = core::ReadJsonEscape(rest, '\'');
    if (!escape || escape->IsHalfPair()) {
      out.Append('\\');
      return 1;
    }
    std::string character;  // too short to be anywhere but on the stack
    core::AppendCharacter(escape->code_point, character);
    out.Append(character);
    return escape->length;
  });
}

// As a shell reads a word without quotes: what is after a backslash stands for itself.
void AppendWithoutBackslashes(std::string_view text, SecretBuffer& out) {
  AppendChanged(text, ByteSet("\\"), out, [&](std::string_view rest) -> std::size_t {
    out.Append(rest.substr(1, 1));
    return rest.substr(0, 2).size();
  });
}

void AppendWithBreaks(std::string_view text, std::string_view line_break, SecretBuffer& out) {
  AppendChanged(text, ByteSet(kLineBreaks), out, [&](std::string_view rest) {
    out.Append(line_break);
    return LineBreakLength(rest);
  });
}

// As `echo $VALUE` prints it, which the shell takes apart into words (POSIX, 2.6.5).
void AppendWords(std::string_view text, SecretBuffer& out) {
  constexpr std::string_view kBetweenWords = " \t\n";
  AppendChanged(core::Trimmed(text, kBetweenWords), ByteSet(kBetweenWords), out,
                [&](std::string_view rest) {
                  out.Append(' ');
                  return rest.find_first_not_of(kBetweenWords);  // the end is no white space
                });
}

class Speller {
 public:
  explicit Speller(FormSink& sink) : sink_(sink) {}

  // Adds a value, or a part of one, as it is, its lines and its parts, and keeps all that is to be
  // encoded.
  void AddLiterally(std::string_view value, ScrubForm form, int depth) {
    if (value.size() < sink_.min_length()) return;
    if (!spelled_.Insert(value)) return;
    sink_.Add(form, value);
    const std::string_view trimmed = core::Trimmed(value, kWhiteSpace);
    const std::string_view unquoted = Unquoted(trimmed);
    AddIfLong(form, trimmed);
    AddIfLong(form, unquoted);
    const ByteSet bytes(value);
    if (bytes.Has('\\')) AddWithoutEscapes(unquoted, form, depth);
    // A line break at the end is no secret, and encoders go from left to right.
    KeepForEncoding(WithoutLastBreaks(value));
    KeepForEncoding(trimmed);
    KeepForEncoding(unquoted);
    if (sink_.Wants(ScrubForm::kLines) && bytes.Intersects(ByteSet(kLineBreaks)) &&
        WithoutLastBreaks(value).find_first_of(kLineBreaks) != value.npos) {
      AddLines(value, trimmed);
    }
    if (depth < kDeepest && sink_.Wants(ScrubForm::kParts)) {
      ForEachPart(unquoted, [&](std::string_view part) {
        if (part.size() < sink_.min_length()) return;
        // It goes away, and what is kept for encoding are views.
        texts_.push_back(Secret::CopyOf(part));
        AddLiterally(texts_.back().Reveal(), ScrubForm::kParts, depth + 1);
      });
    }
  }

  void AddEncoded() {
    for (const Encoding& encoding : kEncodings) {
      if (!sink_.Wants(encoding.form)) continue;
      for (const Plaintext& plain : plaintexts_) encoding.add(plain, sink_);
    }
  }

 private:
  static constexpr std::uint64_t kAsLine = 1;  // a role of what is spelled

  void AddIfLong(ScrubForm form, std::string_view text) {
    if (text.size() >= sink_.min_length()) sink_.Add(form, text);
  }

  // The text lives as long as the speller.
  void KeepForEncoding(std::string_view text) {
    if (text.size() < sink_.min_length()) return;
    if (!plaintexts_.empty() && plaintexts_.back().text == text) return;
    plaintexts_.emplace_back(static_cast<std::uint32_t>(plaintexts_.size()), text);
  }

  void AddWithoutEscapes(std::string_view text, ScrubForm form, int depth) {
    SecretBuffer word;
    AppendWithoutBackslashes(text, word);
    SecretBuffer unescaped;
    AppendUnescaped(text, unescaped);
    AddIfLong(form, word.Reveal());
    AddIfLong(form, unescaped.Reveal());
    // Variables hold keys, and JSON, on one line, and programs make what it was of it. The escapes
    // of what is JSON already are those of its strings.
    const std::string_view meant = unescaped.Reveal();
    const bool has_structure =
        meant.find_first_of(kLineBreaks) != meant.npos || meant.starts_with('{');
    if (has_structure && depth < kDeepest && !ForEachJsonSecret(text, [](const JsonSecret&) {})) {
      texts_.push_back(std::move(unescaped).Seal());
      AddLiterally(texts_.back().Reveal(), form, depth + 1);
    }
  }

  void AddLines(std::string_view value, std::string_view trimmed) {
    // Of JSON those are secret that hold something secret: no `{`, no `"type": "service_account",`.
    core::SecretVector<std::size_t> secrets;
    const bool is_json = ForEachJsonSecret(
        value, [&](const JsonSecret& secret) { secrets.push_back(secret.begin); });
    auto next = secrets.begin();
    ForEachLine(value, [&](std::string_view line) {
      if (IsPemFrame(line)) return;
      if (is_json) {
        const auto begin = static_cast<std::size_t>(line.data() - value.data());
        next = std::lower_bound(next, secrets.end(), begin);
        if (next == secrets.end() || *next >= begin + line.size()) return;
      }
      AddIfLong(ScrubForm::kLines, line);
      if (spelled_.Insert(line, kAsLine)) KeepForEncoding(line);
    });
    for (const std::string_view text : {trimmed, value}) {
      for (const std::string_view line_break : {"\n", "\r\n", "\\n", "\\r\\n", " "}) {
        SecretBuffer out;
        AppendWithBreaks(text, line_break, out);
        AddIfLong(ScrubForm::kLines, out.Reveal());
      }
    }
    SecretBuffer out;
    AppendWords(value, out);
    AddIfLong(ScrubForm::kLines, out.Reveal());
    // Encoders see the other kind where a file went through Windows, or a text through a form.
    for (const std::string_view line_break : {"\n", "\r\n"}) {
      SecretBuffer other;
      AppendWithBreaks(WithoutLastBreaks(value), line_break, other);
      texts_.push_back(std::move(other).Seal());
      KeepForEncoding(texts_.back().Reveal());
    }
  }

  FormSink& sink_;
  core::SecretVector<Secret> texts_;  // those that are not in the value
  core::SecretVector<Plaintext> plaintexts_;
  SeenTexts spelled_;  // values and parts, and lines as such
};

}  // namespace

void ForEachForm(std::string_view value, const FormRules& rules,
                 const std::function<void(const FormText&)>& emit) {
  // White space alone is no secret, and stands in every text.
  if (IsWhiteSpace(value)) return;
  FormSink sink(rules, emit, value.size());
  if (value.size() >= sink.min_length()) {
    Speller speller(sink);
    speller.AddLiterally(value, ScrubForm::kRaw, 0);
    speller.AddEncoded();
  } else if (rules.min_length == 0) {
    for (const std::string_view text : {value, core::Trimmed(value, kWhiteSpace)}) {
      sink.Add({.text = text, .form = ScrubForm::kRaw, .only_as_word = true});
    }
  }
}

}  // namespace qarion::secrets::scrub
