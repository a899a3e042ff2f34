#include "qarion/secrets/jwt_keys.h"

#include <openssl/rand.h>

#include "core/secret_memory.h"
#include "core/signing_key_text.h"
#include "crypto/base64.h"
#include "crypto/keyed_hmac.h"
#include "crypto/openssl_lack.h"
#include "crypto/sha256.h"
#include "jwt/key_ring.h"

namespace qarion::secrets::jwt {

std::string_view ToString(Algorithm algorithm) noexcept {
  switch (algorithm) {
    case Algorithm::kHs256: return "HS256";
    case Algorithm::kHs384: return "HS384";
    case Algorithm::kHs512: break;
  }
  return "HS512";
}

std::string_view ToString(KeyRole role) noexcept {
  switch (role) {
    case KeyRole::kCurrent: return "current";
    case KeyRole::kPrevious: return "previous";
    case KeyRole::kNext: break;
  }
  return "next";
}

std::string KeyId(const Secret& key) {
  constexpr std::size_t kDigits = 16;
  crypto::KeyedHmac hmac("qarion-secrets jwt key");
  std::string id = crypto::LowerHex(hmac.Of(key.Reveal())).substr(0, kDigits);
  core::WipeTraces();
  return id;
}

Result<Secret> GenerateKey(Algorithm algorithm) {
  const std::size_t size = HashBytes(algorithm);
  SecretBuffer bytes;
  auto* const room = reinterpret_cast<unsigned char*>(bytes.Spare(size));
  if (RAND_priv_bytes(room, static_cast<int>(size)) != 1) {
    return crypto::OpenSslLacks("its generator", "gives no random bytes for a key");
  }
  bytes.Grow(size);
  Secret text = crypto::EncodeBase64Url(bytes.Reveal());
  core::WipeTraces();
  return text;
}

Status RefuseWeakKey(const Secret& key, Algorithm algorithm, const std::string& name) {
  const std::string problem = core::SigningKeyProblem(key.Reveal(), HashBytes(algorithm));
  if (problem.empty()) return {};
  return Error(ErrorCode::kConfiguration, name + " " + problem)
      .With("field", name)
      .Cure(core::kReplaceSigningKey);
}

}  // namespace qarion::secrets::jwt
