#include "aws/xml_document.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/ascii.h"
#include "core/utf8.h"

namespace qarion::secrets::aws {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n";
constexpr std::size_t kMostLevels = 32;

bool IsNameByte(char c) {
  return core::IsLetterOrDigit(c) || c == '_' || c == '-' || c == '.' || c == ':' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool IsName(std::string_view text) {
  return !text.empty() && !std::string_view("-.:").contains(text.front()) && !text.ends_with(':') &&
         (text.front() < '0' || text.front() > '9');
}

std::string_view WithoutPrefix(std::string_view name) {
  return name.substr(name.find(':') + 1);  // npos + 1 is 0
}

// "Char ::= #x9 | #xA | #xD | [#x20-#xD7FF] | [#xE000-#xFFFD] | [#x10000-#x10FFFF]" (XML 1.0, 2.2)
bool IsXmlCharacter(std::uint32_t code_point) {
  return code_point == 0x9 || code_point == 0xa || code_point == 0xd ||
         (code_point >= 0x20 && code_point <= 0xd7ff) ||
         (code_point >= 0xe000 && code_point <= 0xfffd) ||
         (code_point >= 0x10000 && code_point <= 0x10ffff);
}

void AppendUtf8(std::uint32_t code_point, SecretBuffer& out) {
  const auto append = [&out](std::uint32_t byte) { out.Append(static_cast<char>(byte)); };
  if (code_point < 0x80) return append(code_point);
  if (code_point < 0x800) {
    append(0xc0 | (code_point >> 6));
  } else if (code_point < 0x10000) {
    append(0xe0 | (code_point >> 12));
    append(0x80 | ((code_point >> 6) & 0x3f));
  } else {
    append(0xf0 | (code_point >> 18));
    append(0x80 | ((code_point >> 12) & 0x3f));
    append(0x80 | ((code_point >> 6) & 0x3f));
  }
  append(0x80 | (code_point & 0x3f));
}

// What stands between & and ; of a reference.
std::optional<std::uint32_t> Referred(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
      {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}}};
  const auto* const entity =
      std::ranges::find(kEntities, name, &std::pair<std::string_view, char>::first);
  if (entity != kEntities.end()) return static_cast<std::uint32_t>(entity->second);
  if (!name.starts_with('#')) return std::nullopt;
  name.remove_prefix(1);
  const bool is_hexadecimal = name.starts_with('x');
  if (is_hexadecimal) name.remove_prefix(1);
  std::uint32_t code_point = 0;
  const char* const end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data(), end, code_point, is_hexadecimal ? 16 : 10);
  if (parsed.ec != std::errc() || parsed.ptr != end || !IsXmlCharacter(code_point)) {
    return std::nullopt;
  }
  return code_point;
}

// Appends `raw` with references decoded; `out` may be null. Returns whether all could be.
bool AppendDecoded(std::string_view raw, SecretBuffer* out) {
  // "A reference ends with a semicolon"; none that is known is longer than this.
  constexpr std::size_t kLongestReference = 32;
  while (!raw.empty()) {
    const std::size_t plain = std::min(raw.find('&'), raw.size());
    if (out != nullptr) out->Append(raw.substr(0, plain));
    raw.remove_prefix(plain);
    if (raw.empty()) break;
    const std::size_t end = raw.substr(0, kLongestReference).find(';');
    if (end == std::string_view::npos) return false;
    const auto code_point = Referred(raw.substr(1, end - 1));
    if (!code_point) return false;
    if (out != nullptr) AppendUtf8(*code_point, *out);
    raw.remove_prefix(end + 1);
  }
  return true;
}

// Reads a document once from its beginning to its end.
class TextReader {
 public:
  TextReader(std::string_view xml, std::string_view path) : rest_(xml), path_(path) {}

  bool Read() {
    Take("\xef\xbb\xbf");
    while (!rest_.empty()) {
      if (!(rest_.starts_with('<') ? ReadMarkup() : ReadText())) return false;
    }
    return has_root_ && depth_ == 0;
  }

  bool has_found() const { return has_found_; }
  SecretBuffer& found() { return found_; }

 private:
  bool Take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  // What stands before `mark`, which is taken too; nothing where it does not come.
  std::optional<std::string_view> TakeUntil(std::string_view mark) {
    const std::size_t end = rest_.find(mark);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view before = rest_.substr(0, end);
    rest_.remove_prefix(end + mark.size());
    return before;
  }

  std::string_view TakeName() {
    const auto* const end = std::ranges::find_if_not(rest_, IsNameByte);
    const std::string_view name = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(name.size());
    return name;
  }

  bool TakeWhiteSpace() {
    const std::size_t count = std::min(rest_.find_first_not_of(kWhiteSpace), rest_.size());
    rest_.remove_prefix(count);
    return count > 0;
  }

  bool ReadMarkup() {
    // "the string "--" (double-hyphen) MUST NOT occur within comments" (XML 1.0, 2.5)
    if (Take("<!--")) return TakeUntil("--") && Take(">");
    if (Take("<?")) return TakeUntil("?>").has_value();
    if (Take("<![CDATA[")) return ReadCData();
    if (Take("</")) return ReadEndTag();
    return Take("<") && ReadStartTag();
  }

  bool ReadCData() {
    const auto text = TakeUntil("]]>");
    if (!text || depth_ == 0) return false;
    if (IsWanted()) found_.Append(*text);
    return true;
  }

  bool ReadText() {
    const std::string_view text = rest_.substr(0, rest_.find('<'));
    rest_.remove_prefix(text.size());
    if (depth_ == 0) return core::Trimmed(text, kWhiteSpace).empty();
    return text.find("]]>") == std::string_view::npos &&
           AppendDecoded(text, IsWanted() ? &found_ : nullptr);
  }

  bool ReadStartTag() {
    const std::string_view name = TakeName();
    if (!IsName(name)) return false;
    while (true) {
      const bool is_apart = TakeWhiteSpace();
      if (Take(">")) return Open(name);
      if (Take("/>")) return Open(name) && Close(name);
      if (!is_apart || !ReadAttribute()) return false;
    }
  }

  bool ReadAttribute() {
    if (!IsName(TakeName())) return false;
    TakeWhiteSpace();
    if (!Take("=")) return false;
    TakeWhiteSpace();
    const std::string_view quote = rest_.substr(0, 1);
    if (quote != "\"" && quote != "'") return false;
    Take(quote);
    const auto value = TakeUntil(quote);
    return value && value->find('<') == std::string_view::npos && AppendDecoded(*value, nullptr);
  }

  bool ReadEndTag() {
    const std::string_view name = TakeName();
    TakeWhiteSpace();
    return Take(">") && Close(name);
  }

  bool Open(std::string_view name) {
    if (depth_ == kMostLevels || (depth_ == 0 && has_root_)) return false;
    has_root_ = true;
    open_[depth_++] = name;
    if (!has_found_ && FitsPath()) {
      has_found_ = true;
      wanted_depth_ = depth_;
    }
    return true;
  }

  bool Close(std::string_view name) {
    if (depth_ == 0 || open_[depth_ - 1] != name) return false;
    if (IsWanted()) wanted_depth_ = 0;
    --depth_;
    return true;
  }

  bool FitsPath() const {
    std::string_view path = path_;
    for (std::size_t level = depth_; level > 0; --level) {
      const std::size_t slash = path.rfind('/');
      if (WithoutPrefix(open_[level - 1]) != path.substr(slash + 1)) return false;
      if (slash == std::string_view::npos) return true;
      path = path.substr(0, slash);
    }
    return false;
  }

  // Whether text that comes now belongs to the element that is looked for.
  bool IsWanted() const { return wanted_depth_ != 0 && depth_ == wanted_depth_; }

  std::string_view rest_;
  const std::string_view path_;
  std::array<std::string_view, kMostLevels> open_;
  std::size_t depth_ = 0;
  bool has_root_ = false;
  bool has_found_ = false;
  std::size_t wanted_depth_ = 0;  // of the element whose text is being read
  SecretBuffer found_;
};

bool HasForbiddenControl(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && kWhiteSpace.find(c) == std::string_view::npos;
  });
}

}  // namespace

std::optional<Secret> XmlText(std::string_view xml, std::string_view path) {
  if (core::FindInvalidUtf8(xml) || HasForbiddenControl(xml)) return std::nullopt;
  TextReader reader(xml, path);
  if (!reader.Read() || !reader.has_found()) return std::nullopt;
  SecretBuffer& found = reader.found();
  const std::string_view text = found.Reveal();
  const std::size_t begin = std::min(text.find_first_not_of(kWhiteSpace), text.size());
  found.Truncate(text.find_last_not_of(kWhiteSpace) + 1);  // npos + 1 is 0
  found.RemovePrefix(std::min(begin, found.size()));
  return std::move(found).Seal();
}

}  // namespace qarion::secrets::aws
