// EVP_MD_CTX cannot be copied without allocating, and where it lies is OpenSSL's choice: so the
// functions below it are used, which are there as long as OpenSSL 3 is. They calculate with the
// same instructions.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/keyed_hmac.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>

#include "core/secret_memory.h"

namespace qarion::secrets::crypto {
namespace {

constexpr std::size_t kBlockBytes = SHA256_CBLOCK;
// RFC 2104, 2: "ipad = the byte 0x36 repeated B times, opad = the byte 0x5C repeated B times".
constexpr unsigned char kInnerPad = 0x36;
constexpr unsigned char kOuterPad = 0x5c;

// A hash between two blocks.
using Words = decltype(SHA256_CTX::h);

void CopyWords(Words& to, const Words& from) noexcept {
  core::CopySecretBytes(&to, &from, sizeof to);
}

Sha256Digest DigestOf(const Words& words) noexcept {
  static_assert(std::endian::native == std::endian::little);
  Sha256Digest digest;
  for (std::size_t i = 0; i < std::size(words); ++i) {
    const SHA_LONG word = std::byteswap(words[i]);
    std::memcpy(&digest[i * sizeof word], &word, sizeof word);
  }
  return digest;
}

}  // namespace

// "H(K XOR opad, H(K XOR ipad, text))": of both hashes, what they are after their first block. Both
// are finished here, because SHA256_Final takes longer about it than about the hash.
struct KeyedHmac::States {
  Words inner;
  Words outer;
  SHA256_CTX working;
  std::array<unsigned char, 2 * kBlockBytes> last;

  // FIPS 180-4, 5.1.1: "Append the bit "1" to the end of the message, followed by k zero bits", to
  // `size` bytes in `last` that end a message of `total`, the block of the key among them.
  void Finish(std::size_t size, std::uint64_t total) noexcept {
    const std::uint64_t bits = std::byteswap(8 * total);
    const std::size_t end = size + 1 + sizeof bits > kBlockBytes ? 2 * kBlockBytes : kBlockBytes;
    last[size] = 0x80;
    std::fill(last.begin() + size + 1, last.begin() + end - sizeof bits, 0);
    std::memcpy(&last[end - sizeof bits], &bits, sizeof bits);
    SHA256_Update(&working, last.data(), end);
  }
};

void KeyedHmac::Release::operator()(States* states) const noexcept {
  core::ReleaseSecretMemory(states, sizeof(States));
}

KeyedHmac::KeyedHmac(KeyedHmac&&) noexcept = default;
KeyedHmac& KeyedHmac::operator=(KeyedHmac&&) noexcept = default;
KeyedHmac::~KeyedHmac() = default;

KeyedHmac::KeyedHmac(std::string_view key)
    : states_(new(core::AllocateSecretMemory(sizeof(States))) States{}) {
  SHA256_CTX& working = states_->working;
  const std::span block(states_->last.data(), kBlockBytes);
  // "Applications that use keys longer than B bytes will first hash the key using H".
  if (key.size() > block.size()) {
    SHA256_Init(&working);
    SHA256_Update(&working, key.data(), key.size());
    SHA256_Final(block.data(), &working);
  } else {
    core::CopySecretBytes(block.data(), key.data(), key.size());
  }
  for (unsigned char& byte : block) byte ^= kInnerPad;
  SHA256_Init(&working);
  SHA256_Update(&working, block.data(), block.size());
  CopyWords(states_->inner, working.h);
  for (unsigned char& byte : block) byte ^= kInnerPad ^ kOuterPad;
  SHA256_Init(&working);
  SHA256_Update(&working, block.data(), block.size());
  CopyWords(states_->outer, working.h);
  core::Wipe(block.data(), block.size());
  core::WipeTraces();
}

Sha256Digest KeyedHmac::Of(std::string_view message) noexcept {
  States& states = *states_;
  const std::size_t whole = message.size() / kBlockBytes * kBlockBytes;
  const std::string_view rest = message.substr(whole);
  CopyWords(states.working.h, states.inner);
  SHA256_Update(&states.working, message.data(), whole);
  std::ranges::copy(rest, states.last.begin());
  states.Finish(rest.size(), kBlockBytes + message.size());

  const Sha256Digest inner = DigestOf(states.working.h);
  CopyWords(states.working.h, states.outer);
  std::ranges::copy(inner, states.last.begin());
  states.Finish(inner.size(), kBlockBytes + inner.size());
  return DigestOf(states.working.h);
}

}  // namespace qarion::secrets::crypto
