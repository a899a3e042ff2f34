#include "core/fernet_key_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace qarion::secrets::core {
namespace {

// Searched for in public repositories: each of these is in many.
constexpr std::array<std::string_view, 5> kPublishedFernetKeys = {
    // The Fernet specification, and the documentation of libraries for JavaScript, Go and PHP.
    "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=",
    // Examples for Airflow in containers.
    "46BKJoQYlPPOexq0OhDZnIlNepKFf87WFwLbfzqDDho=",
    "81HqDtbqAywKSOumSha3BhWNOdQ26slT6K0YaZeZyPs=",
    "UKMzEm3yIuFYEq1y3-2FxPNWSVwRASpahmQ9kQfEr8E=",
    "YlCImzjge_TeZc7jPJ7Jz2pgOtb4yTssA1pVyqIADWg=",
};

std::optional<std::uint32_t> Base64Value(char c) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const std::size_t value = kAlphabet.find(c);
  if (value == std::string_view::npos) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

}  // namespace

// https://github.com/fernet/spec/blob/master/Spec.md: "A fernet key is the base64url encoding of"
// 32 bytes. RFC 4648, 3.5: bits that no byte uses are zero in canonical encoding.
std::string FernetKeyProblem(std::string_view text) {
  if (text.ends_with('\n')) return "ends with a line break";
  if (text.find_first_of(" \t\r\n\v\f") != std::string_view::npos) {
    return "has white space in it or around it";
  }
  if (text.find_first_of("+/") != std::string_view::npos) {
    return "is standard base64; a Fernet key uses the URL-safe alphabet, `-` and `_` for `+` and "
           "`/`";
  }
  const std::string_view digits = text.substr(0, std::min(text.find('='), text.size()));
  if (!std::ranges::all_of(digits, [](char c) { return Base64Value(c).has_value(); })) {
    return "has a character that is not URL-safe base64";
  }
  if (text.size() == kFernetKeyCharacters - 1 && digits.size() == text.size()) {
    return "lacks the `=` at its end";
  }
  if (text.size() != kFernetKeyCharacters) {
    return "has " + std::to_string(text.size()) + " characters; " +
           std::to_string(kFernetKeyBytes) + " bytes in base64 have " +
           std::to_string(kFernetKeyCharacters);
  }
  if (digits.size() != kFernetKeyCharacters - 1) return "is not padded as base64 is";
  if ((*Base64Value(digits.back()) & 3) != 0) {
    return "is not canonical base64: its last digit has bits that belong to no byte";
  }
  return {};
}

std::string UnfitFernetKeyProblem(std::string_view text) {
  if (std::ranges::find(kPublishedFernetKeys, text) != kPublishedFernetKeys.end()) {
    return "is printed in a standard or in tutorials, so that anybody has it";
  }
  // Bytes that are all the same repeat each three of them, which are four characters.
  constexpr std::size_t kGroup = 4;
  const std::string_view group = text.substr(0, kGroup);
  bool is_same = text.size() == kFernetKeyCharacters;
  for (std::size_t at = 0; is_same && at + kGroup < text.size(); at += kGroup) {
    is_same = text.substr(at, kGroup) == group;
  }
  if (is_same) return "repeats one and the same bytes";
  return {};
}

}  // namespace qarion::secrets::core
