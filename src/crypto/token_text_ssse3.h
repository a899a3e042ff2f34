// The larger part of the text of tokens, sixteen characters at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace qarion::secrets::crypto {

// Writes the characters of the first bytes; returns of how many bytes, a multiple of 12. None where
// the processor has no SSSE3.
std::size_t EncodeTokenTextSsse3(std::span<const std::uint8_t> bytes, char* text) noexcept;

// Writes the bytes of the first characters, and writes over up to four bytes behind them; returns
// of how many characters, a multiple of 16. Stops early where one is not of the alphabet, and
// leaves at least 16, so that there is room for what is written over.
std::size_t DecodeTokenTextSsse3(std::string_view text, std::uint8_t* bytes) noexcept;

}  // namespace qarion::secrets::crypto
