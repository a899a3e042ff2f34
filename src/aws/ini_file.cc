#include "aws/ini_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <utility>

#include "core/ascii.h"
#include "core/files.h"
#include "core/utf8.h"

namespace qarion::secrets::aws {
namespace {

constexpr int kMostLines = 10'000;

// Leading and trailing white space is what Python's str.strip takes for it.
std::string_view StripLeft(std::string_view text) {
  std::size_t begin = 0;
  while (const std::size_t length = core::WhiteSpaceLength(text, begin)) begin += length;
  return text.substr(begin);
}

std::string_view StripRight(std::string_view text) {
  while (!text.empty()) {
    std::size_t last = text.size() - 1;
    while (last > 0 && (static_cast<unsigned char>(text[last]) & 0xc0) == 0x80) --last;
    if (core::WhiteSpaceLength(text, last) == 0) break;
    text = text.substr(0, last);
  }
  return text;
}

std::string_view Strip(std::string_view text) { return StripRight(StripLeft(text)); }

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), core::AsciiLower);
  return lower;
}

// Takes the first line off, without the end of the line: \n, \r\n or \r, as Python opens text
// files.
std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end);
  text.remove_prefix(text.starts_with("\r\n") ? 2 : std::min<std::size_t>(text.size(), 1));
  return line;
}

// The same where Python's str.splitlines ends a line that has no \r and no \n.
std::string_view TakeInnerLine(std::string_view& text) {
  std::size_t end = 0;
  std::size_t length = 0;  // of the line's end
  for (; end < text.size() && length == 0; ++end) {
    const auto byte = static_cast<unsigned char>(text[end]);
    if (byte == 0x0b || byte == 0x0c || (byte >= 0x1c && byte <= 0x1e)) length = 1;
    const std::string_view rest = text.substr(end);
    if (rest.starts_with("\u0085")) length = 2;
    if (rest.starts_with("\u2028") || rest.starts_with("\u2029")) length = 3;
  }
  if (length != 0) --end;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + length);
  return line;
}

struct Problem {
  int line;
  std::string text;
};

// A line of a value.
struct Piece {
  std::string_view text;
  int line;
};

// One name and the lines of its value.
struct Draft {
  std::string name;
  std::vector<Piece> pieces;
};

Secret Joined(const std::vector<Piece>& pieces) {
  std::size_t size = 0;
  for (const Piece& piece : pieces) size += piece.text.size() + 1;
  SecretBuffer joined(size);
  for (const Piece& piece : pieces) {
    if (&piece != &pieces.front()) joined.Append('\n');
    joined.Append(piece.text);
  }
  joined.Truncate(StripRight(joined.Reveal()).size());
  return std::move(joined).Seal();
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  Result<IniFile> Run() {
    if (const auto invalid = core::FindInvalidUtf8(text_)) return NotUtf8(*invalid);
    if (text_.starts_with("\ufeff")) {
      return Wrong({1, "begins with a byte order mark"}, "save it as UTF-8 without one");
    }
    for (std::string_view rest = text_; !rest.empty();) {
      if (++line_ > kMostLines) {
        return Wrong(
            {line_, "is one more than the 10,000 allowed"},
            "see that it is the file that is meant, and leave out of it what nobody needs");
      }
      ReadLine(TakeLine(rest));
      if (problem_) return Wrong(*problem_);
    }
    Finish();
    if (problem_) return Wrong(*problem_);
    return std::move(file_);
  }

 private:
  Error Wrong(const Problem& problem, std::string cure = "") const {
    const std::string where = path_ + ":" + std::to_string(problem.line);
    if (cure.empty()) {
      cure = "correct the line; sections look like [profile name], values like name = value";
    }
    return Error(ErrorCode::kBadData, where + ": the line " + problem.text)
        .With("file", path_)
        .With("line", std::to_string(problem.line))
        .Cure(std::move(cure));
  }

  Error NotUtf8(std::size_t offset) const {
    int line = 0;
    std::string_view rest = text_;
    do {
      TakeLine(rest);
      ++line;
    } while (text_.size() - rest.size() <= offset);
    return Wrong({line, "is not UTF-8"}, "save the file as UTF-8");
  }

  void Fail(std::string text) { problem_ = Problem{line_, std::move(text)}; }

  void ReadLine(std::string_view line) {
    const std::string_view unindented = StripLeft(line);
    const std::string_view content = StripRight(unindented);
    if (content.starts_with('#') || content.starts_with(';')) return;
    if (content.empty()) {
      if (draft_ != nullptr) draft_->pieces.push_back({"", line_});
      return;
    }
    const std::size_t indent =
        core::CountCharacters(line.substr(0, line.size() - unindented.size()));
    if (draft_ != nullptr && indent > indent_) {
      draft_->pieces.push_back({content, line_});
      return;
    }
    indent_ = indent;
    const std::size_t bracket = content.rfind(']');
    if (content.starts_with('[') && bracket != std::string_view::npos && bracket > 1) {
      BeginSection(content.substr(1, bracket - 1));
    } else if (drafts_ == nullptr) {
      Fail("stands before the first section");
    } else {
      BeginEntry(content);
    }
  }

  void BeginSection(std::string_view name) {
    draft_ = nullptr;  // a section cannot begin with a continuation
    if (name == "DEFAULT") {
      drafts_ = &defaults_;
      names_ = &default_names_;
      return;
    }
    const auto [first, is_new] = section_lines_.emplace(name, line_);
    if (!is_new) {
      return Fail("begins the section of line " + std::to_string(first->second) + " again");
    }
    file_.sections.push_back({.name = std::string(name), .line = line_});
    drafts_ = &section_drafts_.emplace_back();
    names_ = &section_names_;
    section_names_.clear();
  }

  void BeginEntry(std::string_view content) {
    const std::size_t delimiter = content.find_first_of("=:");
    if (delimiter == std::string_view::npos) return Fail("has neither = nor :");
    std::string name = LowerCase(StripRight(content.substr(0, delimiter)));
    if (name.empty()) return Fail("has no name before its " + std::string(1, content[delimiter]));
    const auto [first, is_new] = names_->emplace(name, line_);
    if (!is_new) {
      return Fail("has the same name as line " + std::to_string(first->second) +
                  " of this section");
    }
    drafts_->push_back({std::move(name), {{Strip(content.substr(delimiter + 1)), line_}}});
    draft_ = &drafts_->back();
  }

  // Values of [DEFAULT] count only as far as a section has them.
  void Finish() {
    std::map<std::string_view, std::size_t> sections_with;
    for (std::size_t i = 0; i < file_.sections.size(); ++i) {
      for (Draft& draft : section_drafts_[i]) {
        if (const auto found = default_names_.find(draft.name); found != default_names_.end()) {
          ++sections_with[found->first];
        }
        file_.sections[i].entries.push_back(Finished(std::move(draft)));
        if (problem_) return;
      }
    }
    std::vector<IniEntry> defaults;
    for (Draft& draft : defaults_) {
      const auto found = sections_with.find(draft.name);
      if (found != sections_with.end() && found->second == file_.sections.size()) continue;
      if (file_.sections.empty()) continue;
      defaults.push_back(Finished(std::move(draft)));
      if (problem_) return;
    }
    const auto shared = std::make_shared<const std::vector<IniEntry>>(std::move(defaults));
    for (IniSection& section : file_.sections) section.defaults = shared;
  }

  IniEntry Finished(Draft draft) {
    IniEntry entry{.name = std::move(draft.name),
                   .value = Joined(draft.pieces),
                   .line = draft.pieces.front().line};
    entry.has_nested = entry.value.Reveal().starts_with('\n');
    if (entry.has_nested) entry.nested = ReadNested(draft.pieces);
    return entry;
  }

  std::vector<IniEntry> ReadNested(const std::vector<Piece>& pieces) {
    std::vector<IniEntry> nested;
    std::map<std::string_view, std::size_t> places;
    for (const Piece& piece : pieces) {
      for (std::string_view rest = piece.text; !rest.empty();) {
        const std::string_view line = Strip(TakeInnerLine(rest));
        if (line.empty()) continue;
        const std::size_t delimiter = line.find('=');
        if (delimiter == std::string_view::npos) {
          problem_ = Problem{piece.line, "is nested in a value and has no ="};
          return nested;
        }
        const std::string_view name = Strip(line.substr(0, delimiter));
        const auto [place, is_new] = places.emplace(name, nested.size());
        if (is_new) nested.emplace_back().name = name;
        IniEntry& entry = nested[place->second];
        entry.value = Secret::CopyOf(Strip(line.substr(delimiter + 1)));
        entry.line = piece.line;
      }
    }
    return nested;
  }

  const std::string_view text_;
  const std::string& path_;
  IniFile file_;
  int line_ = 0;
  std::optional<Problem> problem_;

  std::vector<std::vector<Draft>> section_drafts_;  // as many as the file has sections
  std::vector<Draft> defaults_;
  std::map<std::string_view, int> section_lines_;  // by name
  using Names = std::map<std::string, int>;        // lines of names in a section
  Names section_names_;
  Names default_names_;

  std::vector<Draft>* drafts_ = nullptr;  // of the section at hand; null before the first
  Names* names_ = nullptr;
  Draft* draft_ = nullptr;  // what a continuation belongs to; or null
  std::size_t indent_ = 0;  // of the line that a continuation must exceed, in characters
};

bool IsAbsent(const std::string& path, bool is_chosen) {
  if (path.empty() || path == "/dev/null") return true;
  struct stat status{};
  if (stat(path.c_str(), &status) == 0) return false;
  // A service often runs under another user than HOME says; that need not be a mistake of whoever
  // keeps keys elsewhere.
  return errno == ENOENT || errno == ENOTDIR || (errno == EACCES && !is_chosen);
}

template <typename T>
const T* FindNamed(const std::vector<T>& all, std::string_view name) {
  const auto found = std::ranges::find(all, name, &T::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

const IniEntry* IniSection::Find(std::string_view wanted) const {
  const IniEntry* own = FindNamed(entries, wanted);
  return own != nullptr || defaults == nullptr ? own : FindNamed(*defaults, wanted);
}

const IniSection* IniFile::Find(std::string_view name) const { return FindNamed(sections, name); }

Result<IniFile> ParseIni(std::string_view text, const std::string& path) {
  return Parser(text, path).Run();
}

Result<IniFile> ReadIni(const std::string& path, const std::string& setting, bool is_chosen) {
  if (IsAbsent(path, is_chosen)) return IniFile{};
  const auto contents = core::ReadFile(path, setting);
  if (!contents) return contents.error();
  return ParseIni(contents->bytes.Reveal(), path);
}

}  // namespace qarion::secrets::aws
