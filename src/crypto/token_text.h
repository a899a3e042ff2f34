// The text of tokens: base64 with the URL-safe alphabet (RFC 4648, 5), padded in those of Fernet,
// unpadded in JSON Web Tokens. The bytes are what is sent, so neither they nor the time taken are
// secret. Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace qarion::secrets::crypto {

constexpr std::size_t TokenTextSize(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

// Writes TokenTextSize(bytes.size()) characters.
void EncodeTokenText(std::span<const std::uint8_t> bytes, char* text) noexcept;

// How much room the functions below want for the bytes.
constexpr std::size_t TokenBytesRoom(std::size_t text_size) { return text_size / 4 * 3 + 3; }

// Writes the bytes and returns how many they are; nothing where `text` is not the one and only text
// of these bytes: another character, padding that is missing or surplus, unused bits that are set.
std::optional<std::size_t> DecodeTokenText(std::string_view text, std::uint8_t* bytes) noexcept;

// Both without padding, as RFC 7515, 2 has it.
constexpr std::size_t UnpaddedTextSize(std::size_t bytes) { return (bytes * 4 + 2) / 3; }
// Writes UnpaddedTextSize(bytes.size()) characters, and needs room for TokenTextSize() of them.
void EncodeUnpaddedText(std::span<const std::uint8_t> bytes, char* text) noexcept;
std::optional<std::size_t> DecodeUnpaddedText(std::string_view text, std::uint8_t* bytes) noexcept;

// The same without the processor's vectors. For tests.
void EncodeTokenTextPortable(std::span<const std::uint8_t> bytes, char* text) noexcept;
std::optional<std::size_t> DecodeTokenTextPortable(std::string_view text,
                                                   std::uint8_t* bytes) noexcept;

// Reads whatever base64.urlsafe_b64decode of Python reads, which is what Python's `cryptography`
// accepts: both alphabets, skipping all other characters, up to the padding. Padding may also be
// missing. Nothing where a last character has no meaning alone.
std::optional<std::size_t> DecodeTokenTextLeniently(std::string_view text,
                                                    std::uint8_t* bytes) noexcept;

}  // namespace qarion::secrets::crypto
