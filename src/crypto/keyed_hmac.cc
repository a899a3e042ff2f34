// EVP_MD_CTX cannot be copied without allocating, and where it lies is OpenSSL's choice: so the
// functions below it are used, which are there as long as OpenSSL 3 is. They calculate with the
// same instructions.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/keyed_hmac.h"

#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <new>

#include "core/secret_memory.h"

namespace qarion::secrets::crypto {

// RFC 2104, 2: "H(K XOR opad, H(K XOR ipad, text))"; of both hashes, what they are after their
// first block.
struct KeyedHmac::States {
  SHA256_CTX inner;
  SHA256_CTX outer;
  SHA256_CTX working;
  std::array<unsigned char, SHA256_CBLOCK> block;
};

void KeyedHmac::Release::operator()(States* states) const noexcept {
  core::ReleaseSecretMemory(states, sizeof(States));
}

KeyedHmac::KeyedHmac(KeyedHmac&&) noexcept = default;
KeyedHmac& KeyedHmac::operator=(KeyedHmac&&) noexcept = default;
KeyedHmac::~KeyedHmac() = default;

KeyedHmac::KeyedHmac(std::string_view key)
    : states_(new(core::AllocateSecretMemory(sizeof(States))) States{}) {
  States& states = *states_;
  // "Applications that use keys longer than B bytes will first hash the key using H".
  if (key.size() > states.block.size()) {
    SHA256_Init(&states.working);
    SHA256_Update(&states.working, key.data(), key.size());
    SHA256_Final(states.block.data(), &states.working);
  } else {
    core::CopySecretBytes(states.block.data(), key.data(), key.size());
  }
  constexpr unsigned char kInnerPad = 0x36;
  constexpr unsigned char kOuterPad = 0x5c;
  for (unsigned char& byte : states.block) byte ^= kInnerPad;
  SHA256_Init(&states.inner);
  SHA256_Update(&states.inner, states.block.data(), states.block.size());
  for (unsigned char& byte : states.block) byte ^= kInnerPad ^ kOuterPad;
  SHA256_Init(&states.outer);
  SHA256_Update(&states.outer, states.block.data(), states.block.size());
  core::Wipe(states.block.data(), states.block.size());
  core::WipeTraces();
}

Sha256Digest KeyedHmac::Of(std::string_view message) noexcept {
  States& states = *states_;
  Sha256Digest code;
  core::CopySecretBytes(&states.working, &states.inner, sizeof states.inner);
  SHA256_Update(&states.working, message.data(), message.size());
  SHA256_Final(code.data(), &states.working);
  core::CopySecretBytes(&states.working, &states.outer, sizeof states.outer);
  SHA256_Update(&states.working, code.data(), code.size());
  SHA256_Final(code.data(), &states.working);
  return code;
}

}  // namespace qarion::secrets::crypto
