// Quoting of shells, and of others that do it alike.
#include <algorithm>
#include <array>

#include "core/utf8.h"
#include "scrub/backslash_scheme.h"

namespace qarion::secrets::scrub {
namespace {

constexpr std::array kShellSchemes = {
    BackslashScheme("\"\\$`"),         // within double quotes, as `declare -p` prints it
    BackslashScheme("\""),             // arguments as docker and PowerShell pass them on
    BackslashScheme(".[\\()*+?{|^$"),  // behind =~ in [[ ]], as bash's `set -x` prints it
    // $'...' of bash, where the locale knows what is beyond ASCII and where it does not.
    BackslashScheme("'\\", "abfnrtvE", Numerals::kOctal, "\x7f", Beyond::kControl),
    BackslashScheme("'\\", "abfnrtvE", Numerals::kOctal, "\x7f", Beyond::kAll),
};

struct Replacement {
  char what;
  std::string_view by;
  bool is_quoted;  // so that the quotes around may belong to it
};
constexpr std::array kReplacements = {
    Replacement{'\'', R"('\'')", true},   // bash's `set -x`
    Replacement{'\'', R"('"'"')", true},  // Python's shlex.quote
    Replacement{'\'', "''", true},        // SQL, YAML, PowerShell
    Replacement{'"', "\"\"", false},      // CSV
    Replacement{'$', "$$", false},        // make, Docker Compose
};

void AppendReplaced(std::string_view text, const Replacement& replacement, SecretBuffer& out) {
  AppendChanged(text, ByteSet({&replacement.what, 1}), out, [&](std::string_view) -> std::size_t {
    out.Append(replacement.by);
    return 1;
  });
}

// As the Almquist shell does it: a run of quotes at a time, '"'''"'. At the end of a word it does
// not open a quotation again.
void AppendRunsQuoted(std::string_view text, SecretBuffer& out) {
  AppendChanged(text, ByteSet("'"), out, [&](std::string_view rest) {
    const std::size_t run = std::min(rest.find_first_not_of('\''), rest.size());
    out.Append("'\"");
    out.Append(rest.substr(0, run));
    out.Append(run == rest.size() ? "\"" : "\"'");
    return run;
  });
}

// A word as bash's `printf %q` prints it. `#` could begin a comment, and `~` be a home directory.
void AddBashWord(const Plaintext& plain, FormSink& sink) {
  constexpr std::string_view kAlways = " \t!\"$&'()*,;<>?[\\]^`{|}";
  constexpr ByteSet kChanged = ByteSet(kAlways) | ByteSet("#~");
  if (!plain.bytes.Intersects(kChanged)) return;
  sink.AddWritten(ScrubForm::kShell, [&](SecretBuffer& out) {
    AppendChanged(plain.text, kChanged, out, [&](std::string_view rest) {
      const std::string_view before = plain.text.substr(0, plain.text.size() - rest.size());
      const bool may_be_home =
          rest.front() == '~' && (before.ends_with(':') || before.ends_with('='));
      if (kAlways.contains(rest.front()) || before.empty() || may_be_home) out.Append('\\');
      out.Append(rest.front());
      return std::size_t{1};
    });
  });
}

// What is quoted behind == in [[ ]], as bash's `set -x` prints it: no character is to be taken for
// one of a pattern. Bytes are characters in some locales, and two are marks of bash's own.
void AddBashPattern(const Plaintext& plain, FormSink& sink) {
  constexpr std::string_view kMarks = "\x01\x7f";
  if (!plain.bytes.Intersects(ByteSet(kMarks) | ByteSet::Range(0x80, 0xff))) {
    AddSpelled(plain, {.form = ScrubForm::kShell, .spelling = Spelling::kBackslashes}, sink);
    return;
  }
  for (const bool are_bytes : {false, true}) {
    sink.AddWritten(ScrubForm::kShell, [&](SecretBuffer& out) {
      for (std::string_view rest = plain.text; !rest.empty();) {
        const std::size_t length = are_bytes ? 1 : core::CharacterAt(rest, 0).length;
        if (!kMarks.contains(rest.front())) out.Append('\\');
        out.Append(rest.substr(0, length));
        rest.remove_prefix(length);
      }
    });
  }
}

// PowerShell takes a word apart at `&` where a command fails, and prints the halves in different
// colours: at the first "&+", of which the character after it is lost, or else at the last `&`.
// A URL has more of them, and what it has after the last one others have too.
void AddPowerShellHalves(std::string_view text, FormSink& sink) {
  constexpr std::size_t kShortestHalf = 6;  // as GitHub's runner has it
  const std::size_t shortest = std::max(kShortestHalf, sink.min_length());
  if (text.contains("://")) return;
  const std::size_t cut = text.find("&+");
  const bool loses_one = cut != text.npos;
  const std::size_t end = loses_one ? cut + 2 : text.rfind('&') + 1;
  const std::size_t begin = loses_one ? std::min(end + 1, text.size()) : end;
  for (const std::string_view half : {text.substr(0, end), text.substr(begin)}) {
    if (half.size() >= shortest) sink.Add(ScrubForm::kShell, half);
  }
}

}  // namespace

void AddShell(const Plaintext& plain, FormSink& sink) {
  for (const BackslashScheme& scheme : kShellSchemes) {
    AddBackslashed(plain, scheme, ScrubForm::kShell, sink);
  }
  AddBashWord(plain, sink);
  AddBashPattern(plain, sink);
  for (const Replacement& replacement : kReplacements) {
    if (!plain.bytes.Has(replacement.what)) continue;
    sink.AddWritten(ScrubForm::kShell,
                    [&](SecretBuffer& out) { AppendReplaced(plain.text, replacement, out); });
    if (!replacement.is_quoted) continue;
    sink.AddWritten(ScrubForm::kShell, [&](SecretBuffer& out) {
      out.Append('\'');
      AppendReplaced(plain.text, replacement, out);
      out.Append('\'');
    });
  }
  if (plain.bytes.Has('\'')) {
    sink.AddWritten(ScrubForm::kShell,
                    [&](SecretBuffer& out) { AppendRunsQuoted(plain.text, out); });
  }
  if (plain.bytes.Has('&')) AddPowerShellHalves(plain.text, sink);
}

}  // namespace qarion::secrets::scrub
