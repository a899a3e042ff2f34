#include "rotate/value_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <system_error>
#include <utility>

#include "core/ascii.h"

namespace qarion::secrets::rotate {
namespace {

using crypto::FernetFault;
using crypto::FernetReading;

// Of the shortest token: version, time, IV, one block, signature.
constexpr std::size_t kLeastTokenBytes = 1 + 8 + 16 + 16 + 32;
// Without padding, which may be missing or, in JSON, be written as escapes.
constexpr std::size_t kLeastTokenCharacters = (kLeastTokenBytes * 8 + 5) / 6;

bool LooksLikeToken(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  return text.starts_with(kTokenBeginning);
}

// Of base64's standard alphabet; or what stands behind a token of the other one.
bool IsSlashOrPlus(char c) { return c == '+' || c == '/'; }

constexpr std::array<bool, 256> kTokenCharacters = [] {
  std::array<bool, 256> is_one{};
  for (std::size_t i = 0; i < is_one.size(); ++i) {
    const char c = static_cast<char>(i);
    is_one[i] = core::IsLetterOrDigit(c) || c == '-' || c == '_' || c == '+' || c == '/';
  }
  return is_one;
}();

bool IsTokenCharacter(char c) { return kTokenCharacters[static_cast<unsigned char>(c)]; }

// What stands behind the backslashes of an escape, "u0041" or "/".
struct Escaped {
  char character = '\0';
  std::size_t size = 0;  // 0: no character of a token
};

Escaped ReadEscaped(std::string_view text) {
  if (text.starts_with('/')) return {'/', 1};
  int code = 0;
  if (!text.starts_with("u00") || text.size() < 5) return {};
  const auto [end, error] = std::from_chars(text.data() + 3, text.data() + 5, code, 16);
  const char character = static_cast<char>(code);
  if (error != std::errc() || end != text.data() + 5 || code >= 0x80) return {};
  if (!IsTokenCharacter(character) && character != '=') return {};
  return {character, 5};
}

}  // namespace

Result<ValueReader> ValueReader::Create(std::span<const FernetKey> keys, FernetReading reading) {
  ValueReader reader(reading);
  if (keys.empty()) return reader;
  auto ring = crypto::FernetRing::Create(keys);
  if (!ring) return std::move(ring).error();
  reader.ring_ = *std::move(ring);
  return reader;
}

FernetFault ValueReader::Open(std::string_view token, FernetReading reading,
                              crypto::OpenedFernet& opened) {
  return ring_ ? ring_->Open(token, reading, opened) : FernetFault::kSignature;
}

ValueKind ValueReader::Read(std::string_view value, std::string_view prefix) {
  if (value.empty()) return ValueKind::kEmpty;
  const bool has_prefix = !prefix.empty() && value.starts_with(prefix);
  if (!prefix.empty() && !has_prefix) {
    if (!LooksLikeToken(value)) return ValueKind::kPlaintext;
    problem_ = "lacks the prefix that its column's tokens have";
    return ValueKind::kBroken;
  }
  const std::string_view token = value.substr(prefix.size());
  const FernetFault fault = Open(token, reading_, opened_);
  if (fault != FernetFault::kNone) {
    if (!has_prefix && !LooksLikeToken(token)) return ValueKind::kPlaintext;
    problem_ = crypto::ToString(fault);
    return ValueKind::kBroken;
  }
  if (CountAsWritten(opened_.plaintext.Reveal()) > 0) {
    problem_ = "was encrypted twice: it holds another token that one of the keys opens";
    return ValueKind::kBroken;
  }
  return ValueKind::kToken;
}

// Of a token that stands in both texts both find it.
std::size_t ValueReader::CountTokens(std::string_view text) {
  const std::size_t count = CountAsWritten(text);
  const auto other = WithoutEscapes(text);
  return other ? std::max(count, CountAsWritten(*other)) : count;
}

std::size_t ValueReader::CountAsWritten(std::string_view text) {
  std::size_t count = 0;
  for (const std::string_view token : TokensIn(text)) {
    // A slash may belong to what stands behind a token.
    const auto end = std::ranges::find_if(token, IsSlashOrPlus);
    const bool is_opened = Opens(token) || (end != token.end() && Opens({token.begin(), end}));
    count += is_opened ? 1 : 0;
  }
  return count;
}

bool ValueReader::Opens(std::string_view token) {
  return Open(token, FernetReading::kLenient, inner_) == FernetFault::kNone;
}

std::uint64_t DigestOf(std::string_view plaintext, std::uint64_t timestamp) noexcept {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // spreads times over all bits
  return (std::hash<std::string_view>{}(plaintext) ^ (timestamp * kOdd)) * kOdd;
}

std::vector<std::string_view> TokensIn(std::string_view text) {
  std::vector<std::string_view> tokens;
  for (std::size_t at = text.find(kTokenBeginning); at != std::string_view::npos;
       at = text.find(kTokenBeginning, at)) {
    std::size_t end = at;
    while (end < text.size() && IsTokenCharacter(text[end])) ++end;
    while (end < text.size() && text[end] == '=') ++end;
    if (end - at >= kLeastTokenCharacters) tokens.push_back(text.substr(at, end - at));
    at = end;
  }
  return tokens;
}

std::optional<std::string> WithoutEscapes(std::string_view text) {
  std::optional<std::string> plain;
  std::size_t copied = 0;
  for (std::size_t at = text.find('\\'); at != std::string_view::npos; at = text.find('\\', at)) {
    // JSON inside of JSON has several of them.
    const std::size_t behind = std::min(text.find_first_not_of('\\', at), text.size());
    const Escaped escaped = ReadEscaped(text.substr(behind));
    if (escaped.size > 0) {
      if (!plain) plain.emplace();
      plain->append(text.substr(copied, at - copied)).push_back(escaped.character);
      copied = behind + escaped.size;
    }
    at = behind + escaped.size;
  }
  if (plain) plain->append(text.substr(copied));
  return plain;
}

}  // namespace qarion::secrets::rotate
