// What one value is: a token, and which key opens it, or something else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/fernet_ring.h"
#include "qarion/secrets/fernet.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::rotate {

// "gAAAAA": how each token begins that is dated before 2106, because its version is 0x80 and the
// upper half of its time is zero.
inline constexpr std::string_view kTokenBeginning = "gAAAAA";

enum class ValueKind {
  kEmpty,
  kToken,      // a key opens it
  kPlaintext,  // it does not look like a token
  kBroken,     // it looks like one, and no key opens it; see problem()
};

// Thread-safety: one thread at a time.
class ValueReader {
 public:
  // Without keys it opens nothing. Else as crypto::FernetRing::Create.
  static Result<ValueReader> Create(std::span<const FernetKey> keys, crypto::FernetReading reading);

  // `prefix`: what stands before each token of the column.
  ValueKind Read(std::string_view value, std::string_view prefix);

  // Of the last value, where it was a token. Its plaintext is overwritten by the next one.
  const crypto::OpenedFernet& opened() const noexcept { return opened_; }
  // Of the last value, where it was broken: "signed with none of the keys".
  std::string_view problem() const noexcept { return problem_; }

  // How many tokens a key opens that stand anywhere in `text`, as it is or without its escapes.
  std::size_t CountTokens(std::string_view text);

 private:
  explicit ValueReader(crypto::FernetReading reading) noexcept : reading_(reading) {}

  std::size_t CountAsWritten(std::string_view text);
  bool Opens(std::string_view token);
  crypto::FernetFault Open(std::string_view token, crypto::FernetReading reading,
                           crypto::OpenedFernet& opened);

  std::optional<crypto::FernetRing> ring_;
  crypto::FernetReading reading_;
  crypto::OpenedFernet opened_;
  crypto::OpenedFernet inner_;  // of tokens in text
  std::string problem_;
};

// What a value is counted by beside its number: a sum of these over all values is the same after a
// rotation. Not for keeping it from anybody.
std::uint64_t DigestOf(std::string_view plaintext, std::uint64_t timestamp) noexcept;

// The pieces of `text` that look like tokens, wherever they stand in it, in either alphabet of
// base64.
std::vector<std::string_view> TokensIn(std::string_view text);

// The text with the escapes of JSON in it replaced that characters of a token can be written as, in
// JSON inside of JSON too; nothing where it has none. A copy for looking for tokens, no JSON.
std::optional<std::string> WithoutEscapes(std::string_view text);

}  // namespace qarion::secrets::rotate
