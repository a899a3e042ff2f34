// EVP_MD_CTX cannot be copied without allocating, and where it lies is OpenSSL's choice: so the
// functions below it are used, which are there as long as OpenSSL 3 is. They calculate with the
// same instructions.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/keyed_hmac.h"

#include <openssl/sha.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <span>

#include "core/secret_memory.h"

namespace qarion::secrets::crypto {
namespace {

// RFC 2104, 2: "ipad = the byte 0x36 repeated B times, opad = the byte 0x5C repeated B times".
constexpr unsigned char kInnerPad = 0x36;
constexpr unsigned char kOuterPad = 0x5c;

struct Sha256Family {
  using Context = SHA256_CTX;
  static constexpr std::size_t kBlockBytes = SHA256_CBLOCK;
  static constexpr std::size_t kLengthBytes = 8;  // of the message, at the end of the padding
  static constexpr auto kUpdate = SHA256_Update;
  static constexpr auto kFinal = SHA256_Final;
};

struct Sha512Family {
  using Context = SHA512_CTX;
  static constexpr std::size_t kBlockBytes = SHA512_CBLOCK;
  static constexpr std::size_t kLengthBytes = 16;
  static constexpr auto kUpdate = SHA512_Update;
  static constexpr auto kFinal = SHA512_Final;
};

template <Sha2 kHash>
struct Hash;
template <>
struct Hash<Sha2::k256> : Sha256Family {
  static constexpr auto kInit = SHA256_Init;
};
template <>
struct Hash<Sha2::k384> : Sha512Family {
  static constexpr auto kInit = SHA384_Init;
};
template <>
struct Hash<Sha2::k512> : Sha512Family {
  static constexpr auto kInit = SHA512_Init;
};

}  // namespace

// "H(K XOR opad, H(K XOR ipad, text))": of both hashes, what they are after their first block. Both
// are finished here, because SHA256_Final takes longer about it than about the hash.
template <Sha2 kHash>
struct KeyedHmacOf<kHash>::States {
  using H = Hash<kHash>;
  using Words = decltype(H::Context::h);  // a hash between two blocks

  Words inner;
  Words outer;
  typename H::Context working;
  std::array<unsigned char, 2 * H::kBlockBytes> last;

  void SetUp(std::string_view key) noexcept {
    const std::span block(last.data(), H::kBlockBytes);
    H::kInit(&working);
    // "Applications that use keys longer than B bytes will first hash the key using H".
    if (key.size() > block.size()) {
      H::kUpdate(&working, key.data(), key.size());
      H::kFinal(block.data(), &working);
    } else {
      core::CopySecretBytes(block.data(), key.data(), key.size());
    }
    for (unsigned char& byte : block) byte ^= kInnerPad;
    Begin(block, inner);
    for (unsigned char& byte : block) byte ^= kInnerPad ^ kOuterPad;
    Begin(block, outer);
    core::Wipe(block.data(), block.size());
  }

  void Begin(std::span<const unsigned char> block, Words& words) noexcept {
    H::kInit(&working);
    H::kUpdate(&working, block.data(), block.size());
    Copy(words, working.h);
  }

  static void Copy(Words& to, const Words& from) noexcept {
    core::CopySecretBytes(&to, &from, sizeof to);
  }

  // FIPS 180-4, 5.1: "Append the bit "1" to the end of the message, followed by k zero bits", to
  // `size` bytes in `last` that end a message of `total`, the block of the key among them.
  Digest Finish(std::size_t size, std::uint64_t total) noexcept {
    const std::uint64_t bits = std::byteswap(8 * total);
    const std::size_t end =
        size + 1 + H::kLengthBytes > H::kBlockBytes ? 2 * H::kBlockBytes : H::kBlockBytes;
    last[size] = 0x80;
    std::fill(last.begin() + size + 1, last.begin() + end - sizeof bits, 0);
    std::memcpy(&last[end - sizeof bits], &bits, sizeof bits);
    H::kUpdate(&working, last.data(), end);

    static_assert(std::endian::native == std::endian::little);
    using Word = std::remove_reference_t<decltype(working.h[0])>;
    Digest digest;
    for (std::size_t i = 0; i < digest.size() / sizeof(Word); ++i) {
      const Word word = std::byteswap(working.h[i]);
      std::memcpy(&digest[i * sizeof word], &word, sizeof word);
    }
    return digest;
  }
};

template <Sha2 kHash>
void KeyedHmacOf<kHash>::Release::operator()(States* states) const noexcept {
  core::ReleaseSecretMemory(states, sizeof(States));
}

template <Sha2 kHash>
KeyedHmacOf<kHash>::KeyedHmacOf(KeyedHmacOf&&) noexcept = default;
template <Sha2 kHash>
KeyedHmacOf<kHash>& KeyedHmacOf<kHash>::operator=(KeyedHmacOf&&) noexcept = default;
template <Sha2 kHash>
KeyedHmacOf<kHash>::~KeyedHmacOf() = default;

template <Sha2 kHash>
KeyedHmacOf<kHash>::KeyedHmacOf(std::string_view key)
    : states_(new(core::AllocateSecretMemory(sizeof(States))) States{}) {
  states_->SetUp(key);
  core::WipeTraces();
}

template <Sha2 kHash>
typename KeyedHmacOf<kHash>::Digest KeyedHmacOf<kHash>::Of(std::string_view message) noexcept {
  constexpr std::size_t kBlockBytes = Hash<kHash>::kBlockBytes;
  States& states = *states_;
  const std::size_t whole = message.size() / kBlockBytes * kBlockBytes;
  const std::string_view rest = message.substr(whole);
  States::Copy(states.working.h, states.inner);
  Hash<kHash>::kUpdate(&states.working, message.data(), whole);
  std::ranges::copy(rest, states.last.begin());
  const Digest inner = states.Finish(rest.size(), kBlockBytes + message.size());

  States::Copy(states.working.h, states.outer);
  std::ranges::copy(inner, states.last.begin());
  return states.Finish(inner.size(), kBlockBytes + inner.size());
}

template class KeyedHmacOf<Sha2::k256>;
template class KeyedHmacOf<Sha2::k384>;
template class KeyedHmacOf<Sha2::k512>;

}  // namespace qarion::secrets::crypto
