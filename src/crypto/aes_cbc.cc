#include "crypto/aes_cbc.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <utility>

#include "crypto/openssl_lack.h"

namespace qarion::secrets::crypto {
namespace {

struct ContextFree {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, ContextFree>;

// Never freed: threads may encrypt while the process ends.
const EVP_CIPHER* FetchedAes() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-128-CBC", nullptr);
  return cipher;
}

void AddTo(std::uint8_t* block, const AesBlock& other) noexcept {
  for (std::size_t i = 0; i < other.size(); ++i) block[i] ^= other[i];
}

AesBlock LastOf(std::span<const std::uint8_t> blocks) noexcept {
  AesBlock last;
  std::ranges::copy(blocks.last<kAesBlockBytes>(), last.begin());
  return last;
}

}  // namespace

// To tell OpenSSL of another IV takes longer than to encrypt 100 bytes. So its context goes on as
// if all messages were one, adding to the first block of each the last block of ciphertext before
// it; that is taken out again, and the IV put in its place.
struct AesCbc::State {
  CipherContext context;
  AesBlock before{};      // the last block of ciphertext that the context saw
  AesBlock correction{};  // what the next block lacks; zero within a message
};

AesCbc::AesCbc(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
AesCbc::AesCbc(AesCbc&&) noexcept = default;
AesCbc& AesCbc::operator=(AesCbc&&) noexcept = default;
AesCbc::~AesCbc() = default;

Result<AesCbc> AesCbc::Create(Direction direction, std::string_view key) {
  ERR_set_mark();
  auto state = std::make_unique<State>();
  state->context.reset(EVP_CIPHER_CTX_new());
  EVP_CIPHER_CTX* const context = state->context.get();
  const bool is_made =
      key.size() == kAes128KeyBytes && FetchedAes() != nullptr && context != nullptr &&
      EVP_CipherInit_ex2(context, FetchedAes(), reinterpret_cast<const unsigned char*>(key.data()),
                         state->before.data(), direction == Direction::kEncrypt ? 1 : 0,
                         nullptr) == 1 &&
      EVP_CIPHER_CTX_set_padding(context, 0) == 1;
  ERR_pop_to_mark();
  if (!is_made) {
    return OpenSslLacks("AES", "cannot calculate AES-128-CBC");
  }
  return AesCbc(std::move(state));
}

void AesCbc::Begin(const AesBlock& iv) noexcept {
  state_->correction = state_->before;
  AddTo(state_->correction.data(), iv);
}

bool AesCbc::Encrypt(std::span<std::uint8_t> blocks, std::uint8_t* out) noexcept {
  AddTo(blocks.data(), std::exchange(state_->correction, {}));
  if (!Update(blocks, out)) return false;
  state_->before = LastOf({out, blocks.size()});
  return true;
}

bool AesCbc::Decrypt(std::span<const std::uint8_t> blocks, std::uint8_t* out) noexcept {
  if (!Update(blocks, out)) return false;
  AddTo(out, std::exchange(state_->correction, {}));
  state_->before = LastOf(blocks);
  return true;
}

bool AesCbc::Update(std::span<const std::uint8_t> blocks, std::uint8_t* out) noexcept {
  int written = 0;
  const int size = static_cast<int>(blocks.size());
  if (EVP_CipherUpdate(state_->context.get(), out, &written, blocks.data(), size) == 1 &&
      written == size) {
    return true;
  }
  // Nobody knows how far it came.
  state_->before = {};
  EVP_CipherInit_ex2(state_->context.get(), nullptr, nullptr, state_->before.data(), -1, nullptr);
  return false;
}

}  // namespace qarion::secrets::crypto
