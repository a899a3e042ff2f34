#include "crypto/fernet_ring.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "core/secret_memory.h"
#include "crypto/aes_cbc.h"
#include "crypto/fernet_layout.h"
#include "crypto/iv_pool.h"
#include "crypto/keyed_hmac.h"
#include "crypto/openssl_lack.h"
#include "crypto/token_text.h"

namespace qarion::secrets::crypto {
namespace {

constexpr std::size_t kMostBytes = kLeastFernetBytes + kMostFernetPlaintextBytes;
// Buffers that a long token left are given back when they are larger.
constexpr std::size_t kMostKeptBytes = std::size_t{256} * 1024;
// Plaintext is padded in a copy of this size, piece by piece.
constexpr std::size_t kPieceBytes = 4096;

std::string_view Text(std::span<const std::uint8_t> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

AesBlock IvOf(std::span<const std::uint8_t> token) noexcept {
  AesBlock iv;
  std::ranges::copy(token.subspan(kFernetIvAt, iv.size()), iv.begin());
  return iv;
}

// "Concatenate all of the above, without the HMAC" is what is signed.
std::span<const std::uint8_t> SignedPart(std::span<const std::uint8_t> token) noexcept {
  return token.first(token.size() - kSha256Bytes);
}

// The length of what is padded "using PKCS #7" (RFC 5652, 6.3), or nothing. The signature is good,
// so that whoever made it knows the key: what time this takes tells nobody else anything.
std::optional<std::size_t> UnpaddedSize(std::string_view padded) noexcept {
  const auto count = static_cast<unsigned char>(padded.back());
  if (count < 1 || count > kAesBlockBytes) return std::nullopt;
  const std::string_view padding = padded.substr(padded.size() - count);
  if (padding.find_first_not_of(padded.back()) != std::string_view::npos) return std::nullopt;
  return padded.size() - count;
}

// Memory for tokens, which grows as they do. What is in it is not secret.
class TokenBuffer {
 public:
  std::uint8_t* Room(std::size_t size) {
    if (bytes_.size() < size) bytes_.resize(std::max(size, 2 * bytes_.size()));
    return bytes_.data();
  }
  void GiveBackWhereLarge() noexcept {
    if (bytes_.size() > kMostKeptBytes) std::vector<std::uint8_t>().swap(bytes_);
  }

 private:
  std::vector<std::uint8_t> bytes_;
};

struct RingKey {
  KeyedHmac signer;
  AesCbc decryptor;
};

// "Signing-key, 128 bits; Encryption-key, 128 bits".
std::string_view SigningHalf(const FernetKey& key) { return key.Reveal().substr(0, 16); }
std::string_view EncryptingHalf(const FernetKey& key) { return key.Reveal().substr(16); }

}  // namespace

std::string_view ToString(FernetFault fault) noexcept {
  switch (fault) {
    case FernetFault::kNone: return "sound";
    case FernetFault::kBase64: return "not canonical URL-safe base64";
    case FernetFault::kLength: return "of a length that no token has";
    case FernetFault::kVersion: return "of another version, or no token at all";
    case FernetFault::kSignature: return "signed with none of the keys";
    case FernetFault::kPadding: return "signed, but padded wrongly";
    case FernetFault::kExpired: return "too old";
    case FernetFault::kFuture: return "dated in the future";
    case FernetFault::kInternal: return "not to be read, because OpenSSL fails";
  }
  std::unreachable();
}

class FernetRing::Impl {
 public:
  static Result<std::unique_ptr<Impl>> Create(std::span<const FernetKey> keys) {
    if (keys.empty()) return Error(ErrorCode::kInternal, "a ring of Fernet keys needs a key");
    auto encryptor = AesCbc::Create(AesCbc::Direction::kEncrypt, EncryptingHalf(keys.front()));
    if (!encryptor) return std::move(encryptor).error();
    auto impl = std::make_unique<Impl>(*std::move(encryptor));
    for (const FernetKey& key : keys) {
      auto decryptor = AesCbc::Create(AesCbc::Direction::kDecrypt, EncryptingHalf(key));
      if (!decryptor) return std::move(decryptor).error();
      impl->keys_.push_back(RingKey{KeyedHmac(SigningHalf(key)), *std::move(decryptor)});
    }
    return impl;
  }

  explicit Impl(AesCbc encryptor) : encryptor_(std::move(encryptor)) {}

  FernetFault Open(std::string_view text, FernetReading reading, OpenedFernet& opened) {
    opened.plaintext.Clear();
    const FernetFault fault = OpenDecoded(text, reading, opened);
    core::WipeVectorRegisters();
    buffer_.GiveBackWhereLarge();
    return fault;
  }

  Status Seal(std::string_view plaintext, std::uint64_t timestamp, std::string& token) {
    const std::size_t size = kLeastFernetBytes + plaintext.size() / kAesBlockBytes * kAesBlockBytes;
    std::uint8_t* const bytes = buffer_.Room(size);
    bytes[0] = kFernetVersion;
    const std::uint64_t time = std::byteswap(timestamp);
    std::memcpy(bytes + kFernetTimestampAt, &time, sizeof time);
    if (!ivs_.Take(bytes + kFernetIvAt)) {
      return OpenSslLacks("its generator", "gives no random bytes for encrypting");
    }
    encryptor_.Begin(IvOf({bytes, size}));
    if (!Encrypt(plaintext, bytes + kFernetCiphertextAt)) {
      return Error(ErrorCode::kInternal, "OpenSSL fails to encrypt")
          .Cure("look for a want of memory");
    }
    const Sha256Digest code = keys_.front().signer.Of(Text(SignedPart({bytes, size})));
    std::memcpy(bytes + size - code.size(), code.data(), code.size());
    const std::size_t before = token.size();
    token.resize(before + TokenTextSize(size));
    EncodeTokenText({bytes, size}, token.data() + before);
    buffer_.GiveBackWhereLarge();
    return {};
  }

 private:
  // Returns the token's bytes, which are in buffer_; nothing where it is not base64.
  std::optional<std::span<std::uint8_t>> Decode(std::string_view text, FernetReading reading,
                                                bool& was_lenient) {
    std::uint8_t* const bytes = buffer_.Room(TokenBytesRoom(text.size()));
    auto size = DecodeTokenText(text, bytes);
    was_lenient = !size && reading == FernetReading::kLenient;
    if (was_lenient) size = DecodeTokenTextLeniently(text, bytes);
    if (!size) return std::nullopt;
    return std::span(bytes, *size);
  }

  FernetFault OpenDecoded(std::string_view text, FernetReading reading, OpenedFernet& opened) {
    if (text.size() > TokenTextSize(kMostBytes)) return FernetFault::kLength;
    const auto token = Decode(text, reading, opened.was_lenient);
    if (!token) return FernetFault::kBase64;
    if (const FernetFault fault = CheckFernetLayout(*token); fault != FernetFault::kNone)
      return fault;
    const auto code = token->last<kSha256Bytes>();
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const Sha256Digest expected = keys_[i].signer.Of(Text(SignedPart(*token)));
      if (CRYPTO_memcmp(expected.data(), code.data(), expected.size()) != 0) continue;
      opened.key = i;
      opened.timestamp = FernetTimestamp(*token);
      return Decrypt(keys_[i].decryptor, *token, opened.plaintext);
    }
    return FernetFault::kSignature;
  }

  static FernetFault Decrypt(AesCbc& decryptor, std::span<const std::uint8_t> token,
                             SecretBuffer& plaintext) {
    const auto encrypted = SignedPart(token).subspan(kFernetCiphertextAt);
    char* const room = plaintext.Spare(encrypted.size());
    decryptor.Begin(IvOf(token));
    const bool is_decrypted = decryptor.Decrypt(encrypted, reinterpret_cast<std::uint8_t*>(room));
    plaintext.Grow(encrypted.size());
    const auto size = is_decrypted ? UnpaddedSize(plaintext.Reveal()) : std::nullopt;
    plaintext.Truncate(size.value_or(0));
    if (!is_decrypted) return FernetFault::kInternal;
    return size ? FernetFault::kNone : FernetFault::kPadding;
  }

  bool Encrypt(std::string_view plaintext, std::uint8_t* out) {
    for (; plaintext.size() >= kPieceBytes; plaintext.remove_prefix(kPieceBytes)) {
      if (!EncryptPiece(plaintext.substr(0, kPieceBytes), 0, out)) return false;
      out += kPieceBytes;
    }
    return EncryptPiece(plaintext, kAesBlockBytes - plaintext.size() % kAesBlockBytes, out);
  }

  bool EncryptPiece(std::string_view piece, std::size_t padding, std::uint8_t* out) {
    char* const room = piece_.Spare(kPieceBytes);
    core::CopySecretBytes(room, piece.data(), piece.size());
    for (std::size_t i = 0; i < padding; ++i) {
      room[piece.size() + i] = static_cast<char>(padding);
    }
    const std::size_t size = piece.size() + padding;
    const bool is_encrypted =
        encryptor_.Encrypt({reinterpret_cast<std::uint8_t*>(room), size}, out);
    core::Wipe(room, size);
    core::WipeVectorRegisters();
    return is_encrypted;
  }

  std::vector<RingKey> keys_;
  AesCbc encryptor_;
  IvPool ivs_;
  TokenBuffer buffer_;
  SecretBuffer piece_;
};

Result<FernetRing> FernetRing::Create(std::span<const FernetKey> keys) {
  auto impl = Impl::Create(keys);
  core::WipeTraces();
  if (!impl) return std::move(impl).error();
  return FernetRing(*std::move(impl));
}

FernetRing::FernetRing(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
FernetRing::FernetRing(FernetRing&&) noexcept = default;
FernetRing& FernetRing::operator=(FernetRing&&) noexcept = default;
FernetRing::~FernetRing() = default;

FernetFault FernetRing::Open(std::string_view token, FernetReading reading, OpenedFernet& opened) {
  return impl_->Open(token, reading, opened);
}

Status FernetRing::Seal(std::string_view plaintext, std::uint64_t timestamp, std::string& token) {
  if (plaintext.size() > kMostFernetPlaintextBytes) {
    return Error(ErrorCode::kUsage, "a value of more than 1 GiB cannot be encrypted")
        .Cure("encrypt it in parts");
  }
  return impl_->Seal(plaintext, timestamp, token);
}

}  // namespace qarion::secrets::crypto
