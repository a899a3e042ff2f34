// Fernet: whatever is given as a token is refused or opened, a strict reader and a lenient one
// never disagree on what they both open, and no change of a token opens as something else.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/aes_cbc.h"
#include "crypto/fernet_layout.h"
#include "crypto/fernet_ring.h"
#include "crypto/keyed_hmac.h"
#include "crypto/token_text.h"
#include "require.h"

namespace {

namespace crypto = qarion::secrets::crypto;
using crypto::FernetFault;
using crypto::FernetReading;
using qarion::secrets::FernetKey;

// The specification's.
constexpr char kKey[] = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
constexpr char kToken[] =
    "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4I"
    "wqDA==";
constexpr std::string_view kPlaintext = "hello";

const FernetKey& Key() {
  static const auto key = FernetKey::Parse(kKey, "key");
  return *key;
}

crypto::FernetRing& Ring() {
  static auto ring = crypto::FernetRing::Create({&Key(), 1});
  return *ring;
}

std::string Encoded(std::span<const std::uint8_t> bytes) {
  std::string text(crypto::TokenTextSize(bytes.size()), '\0');
  crypto::EncodeTokenText(bytes, text.data());
  return text;
}

void CheckText(std::string_view text) {
  std::vector<std::uint8_t> bytes(crypto::TokenBytesRoom(text.size()));
  std::vector<std::uint8_t> others(bytes.size());
  const auto size = crypto::DecodeTokenText(text, bytes.data());
  Require(crypto::DecodeTokenTextPortable(text, others.data()) == size);
  const auto lenient = crypto::DecodeTokenTextLeniently(text, others.data());
  if (!size) return;
  bytes.resize(*size);
  Require(Encoded(bytes) == text);
  others.resize(lenient.value_or(0));
  Require(lenient && others == bytes);
}

void CheckReadings(std::string_view text) {
  crypto::OpenedFernet strict;
  crypto::OpenedFernet lenient;
  const FernetFault fault = Ring().Open(text, FernetReading::kStrict, strict);
  const FernetFault lenient_fault = Ring().Open(text, FernetReading::kLenient, lenient);
  Require(fault == lenient_fault || fault == FernetFault::kBase64);
  Require((fault == FernetFault::kNone) || strict.plaintext.empty());
  if (lenient_fault != FernetFault::kNone) return;
  Require(lenient.was_lenient == (fault != FernetFault::kNone));
  // Nobody can sign another.
  Require(lenient.plaintext.Reveal() == kPlaintext && lenient.timestamp == 499162800);
  if (fault == FernetFault::kNone) Require(text == kToken);
}

void CheckLayout(std::string_view text) {
  crypto::FernetLayout layout;
  crypto::OpenedFernet opened;
  const FernetFault fault = crypto::ReadFernetLayout(text, layout);
  const FernetFault lenient_fault = Ring().Open(text, FernetReading::kLenient, opened);
  if (fault != FernetFault::kNone) Require(fault == lenient_fault);
}

void CheckRoundTrip(std::string_view plaintext) {
  std::string token;
  crypto::OpenedFernet opened;
  Require(Ring().Seal(plaintext, plaintext.size(), token).has_value());
  Require(Ring().Open(token, FernetReading::kStrict, opened) == FernetFault::kNone);
  Require(opened.plaintext.Reveal() == plaintext && opened.timestamp == plaintext.size());
}

// The token, changed where the input says.
void CheckChanged(std::string_view changes) {
  std::string token = kToken;
  for (std::size_t i = 0; i + 1 < changes.size(); i += 2) {
    token[static_cast<unsigned char>(changes[i]) % token.size()] = changes[i + 1];
  }
  CheckReadings(token);
}

bool IsPadded(std::string_view blocks) {
  const auto count = static_cast<unsigned char>(blocks.back());
  if (count == 0 || count > 16) return false;
  for (std::size_t i = blocks.size() - count; i < blocks.size(); ++i) {
    if (blocks[i] != blocks.back()) return false;
  }
  return true;
}

// The input as ciphertext of a token that is signed.
void CheckSigned(std::string_view ciphertext) {
  ciphertext = ciphertext.substr(0, ciphertext.size() / 16 * 16);
  if (ciphertext.empty()) return;
  std::string token(crypto::kFernetCiphertextAt, '\0');
  token.front() = '\x80';
  token += ciphertext;
  crypto::KeyedHmac signer(Key().Reveal().substr(0, 16));
  const crypto::Sha256Digest code = signer.Of(token);
  token.append(code.begin(), code.end());
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(token.data()), token.size());

  auto cipher =
      crypto::AesCbc::Create(crypto::AesCbc::Direction::kDecrypt, Key().Reveal().substr(16));
  std::string blocks(ciphertext.size(), '\0');
  cipher->Begin({});
  Require(cipher->Decrypt(bytes.subspan(crypto::kFernetCiphertextAt, ciphertext.size()),
                          reinterpret_cast<std::uint8_t*>(blocks.data())));
  crypto::OpenedFernet opened;
  const FernetFault fault = Ring().Open(Encoded(bytes), FernetReading::kStrict, opened);
  Require(fault == (IsPadded(blocks) ? FernetFault::kNone : FernetFault::kPadding));
  if (fault == FernetFault::kNone) {
    Require(blocks.starts_with(opened.plaintext.Reveal()));
  }
}

void CheckKey(std::string_view text) {
  const auto key = FernetKey::Parse(text, "key");
  if (key) Require(key->Encode().Reveal() == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckText(text);
  CheckReadings(text);
  CheckLayout(text);
  CheckRoundTrip(text);
  CheckChanged(text);
  CheckSigned(text);
  CheckKey(text);
  return 0;
}
