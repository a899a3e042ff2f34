#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <utility>

#include "core/fernet_key_text.h"
#include "core/secret_memory.h"
#include "crypto/base64.h"
#include "crypto/openssl_lack.h"
#include "crypto/sha256.h"
#include "qarion/secrets/fernet.h"

namespace qarion::secrets {
namespace {

constexpr std::size_t kHalf = core::kFernetKeyBytes / 2;

Error Refused(const std::string& name, const std::string& problem, const char* cure) {
  return Error(ErrorCode::kConfiguration, name + " " + problem).Cure(cure);
}

Result<std::string> FingerprintOf(const Secret& bytes) {
  SecretBuffer labelled;
  labelled.Append("qarion-secrets fernet key");
  labelled.Append(bytes.Reveal());
  const auto digest = crypto::Sha256(labelled.Reveal());
  core::WipeTraces();
  if (!digest) return digest.error();
  return crypto::LowerHex(*digest).substr(0, 16);
}

}  // namespace

Result<FernetKey> FernetKey::FromBytes(Secret bytes) {
  auto fingerprint = FingerprintOf(bytes);
  if (!fingerprint) return std::move(fingerprint).error();
  return FernetKey(std::move(bytes), *std::move(fingerprint));
}

Result<FernetKey> FernetKey::Generate() {
  SecretBuffer bytes;
  auto* const room = reinterpret_cast<unsigned char*>(bytes.Spare(core::kFernetKeyBytes));
  if (RAND_priv_bytes(room, static_cast<int>(core::kFernetKeyBytes)) != 1) {
    return crypto::OpenSslLacks("its generator", "gives no random bytes for a key");
  }
  bytes.Grow(core::kFernetKeyBytes);
  return FromBytes(std::move(bytes).Seal());
}

Result<FernetKey> FernetKey::Parse(std::string_view text, const std::string& name) {
  if (const std::string problem = core::FernetKeyProblem(text); !problem.empty()) {
    return Refused(name, problem, core::kRestoreFernetKey);
  }
  auto bytes = crypto::DecodeBase64Url(text.substr(0, text.find('=')));
  core::WipeTraces();
  return FromBytes(*std::move(bytes));
}

Secret FernetKey::Encode() const {
  SecretBuffer text;
  text.Append(crypto::EncodeBase64Url(Reveal()).Reveal());
  text.Append('=');
  core::WipeTraces();
  return std::move(text).Seal();
}

bool FernetKey::ConstantTimeEquals(const FernetKey& other) const noexcept {
  return bytes_.ConstantTimeEquals(other.bytes_);
}

bool FernetKey::SharesHalfWith(const FernetKey& other) const noexcept {
  const char* const mine = Reveal().data();
  const char* const others = other.Reveal().data();
  // Each with each: a half that changed its place is known all the same.
  const int first = CRYPTO_memcmp(mine, others, kHalf);
  const int second = CRYPTO_memcmp(mine + kHalf, others + kHalf, kHalf);
  const int first_in_second = CRYPTO_memcmp(mine, others + kHalf, kHalf);
  const int second_in_first = CRYPTO_memcmp(mine + kHalf, others, kHalf);
  return first == 0 || second == 0 || first_in_second == 0 || second_in_first == 0;
}

Status RefuseUnfitKey(const FernetKey& key, const std::string& name) {
  const std::string problem = core::UnfitFernetKeyProblem(key.Encode().Reveal());
  if (!problem.empty()) return Refused(name, problem, core::kReplaceFernetKey);
  return {};
}

FernetKey FernetKey::Share() const { return FernetKey(bytes_.Share(), fingerprint_); }

}  // namespace qarion::secrets
