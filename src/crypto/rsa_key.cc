#include "crypto/rsa_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <optional>
#include <utility>

#include "core/secret_memory.h"
#include "crypto/base64.h"
#include "crypto/openssl_lack.h"
#include "crypto/sha256.h"

namespace qarion::secrets::crypto {
namespace {

// OpenSSL's own readers of PEM and DER are not used: they leave copies of the key in memory that
// they give back unwiped. What is read here is little: two forms, one algorithm, eight numbers.

struct KeyFree {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, KeyFree>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, KeyFree>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, KeyFree>;

// Takes errors off OpenSSL's queue of this thread that were not there before.
class ErrorMark {
 public:
  ErrorMark() noexcept { ERR_set_mark(); }
  ~ErrorMark() { ERR_pop_to_mark(); }
  ErrorMark(const ErrorMark&) = delete;
  ErrorMark& operator=(const ErrorMark&) = delete;
};

constexpr std::string_view kPkcs8Label = "PRIVATE KEY";      // RFC 7468, 10
constexpr std::string_view kPkcs1Label = "RSA PRIVATE KEY";  // what OpenSSL calls "traditional"

Error CannotSign() { return OpenSslLacks("RSA", "cannot sign with RSA and SHA-256"); }

// DER (X.690): the tags that occur in a key.
enum Tag : unsigned char { kInteger = 0x02, kOctets = 0x04, kObjectId = 0x06, kSequence = 0x30 };

// Takes an element off the front of `der` and returns its content; nothing where there is no whole
// one with this tag.
std::optional<std::string_view> TakeElement(std::string_view& der, Tag tag) {
  const auto byte = [&der](std::size_t at) -> std::size_t {
    return static_cast<unsigned char>(der[at]);
  };
  if (der.size() < 2 || byte(0) != tag) return std::nullopt;
  std::size_t size = byte(1);
  std::size_t header = 2;
  if (size >= 0x80) {
    header += size - 0x80;
    // Two bytes are enough for anything in kMostPemBytes.
    if (header < 3 || header > 4 || der.size() < header) return std::nullopt;
    size = header == 3 ? byte(2) : byte(2) << 8 | byte(3);
    if (size < 0x80 || (header == 4 && size < 0x100)) return std::nullopt;  // not the shortest form
  }
  if (der.size() - header < size) return std::nullopt;
  const std::string_view content = der.substr(header, size);
  der.remove_prefix(header + size);
  return content;
}

// An unsigned number, the highest byte first, without zeros before it: 0 is empty.
std::optional<std::string_view> TakeNumber(std::string_view& der) {
  auto number = TakeElement(der, kInteger);
  if (!number || number->empty() || (number->front() & 0x80) != 0) return std::nullopt;
  number->remove_prefix(std::min(number->find_first_not_of('\0'), number->size()));
  return number;
}

std::size_t BitsOf(std::string_view number) {
  if (number.empty()) return 0;
  return 8 * number.size() -
         static_cast<std::size_t>(std::countl_zero(static_cast<unsigned char>(number.front())));
}

// RFC 8017, A.1.2: modulus, publicExponent, privateExponent, prime1, prime2, exponent1, exponent2,
// coefficient.
using Numbers = std::array<std::string_view, 8>;
constexpr std::array<const char*, 8> kNumberNames = {
    OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,           OSSL_PKEY_PARAM_RSA_D,
    OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,     OSSL_PKEY_PARAM_RSA_EXPONENT1,
    OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};

// "RSAPrivateKey ::= SEQUENCE { version Version, ... }" of version 0, "two-prime".
std::optional<Numbers> ReadNumbers(std::string_view der) {
  auto content = TakeElement(der, kSequence);
  if (!content || !der.empty()) return std::nullopt;
  const auto version = TakeNumber(*content);
  if (!version || !version->empty()) return std::nullopt;
  Numbers numbers;
  for (std::string_view& number : numbers) {
    const auto taken = TakeNumber(*content);
    if (!taken || taken->empty()) return std::nullopt;
    number = *taken;
    // None is longer than the modulus, which also keeps OpenSSL's work within bounds.
    if (BitsOf(number) > BitsOf(numbers.front())) return std::nullopt;
  }
  return content->empty() ? std::optional(numbers) : std::nullopt;
}

// Null where OpenSSL does not take the numbers.
Key MakeKey(const Numbers& numbers) {
  // OpenSSL reads them from where they are, in the order of the processor.
  static_assert(std::endian::native == std::endian::little);
  std::array<SecretBuffer, 8> reversed;
  std::array<OSSL_PARAM, 9> parameters{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::size_t size = numbers[i].size();
    char* const room = reversed[i].Spare(size);
    std::ranges::reverse_copy(numbers[i], room);
    parameters[i] =
        OSSL_PARAM_construct_BN(kNumberNames[i], reinterpret_cast<unsigned char*>(room), size);
    reversed[i].Grow(size);
  }
  parameters.back() = OSSL_PARAM_construct_end();
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.data()) != 1) {
    return nullptr;
  }
  return Key(key);
}

const unsigned char* UnsignedBytes(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// What there is to say to OpenSSL before it signs and before it verifies.
bool UsePkcs1Padding(EVP_PKEY_CTX* settings) {
  return EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PADDING) == 1;
}

std::optional<Secret> Sign(EVP_PKEY* key, std::string_view message) {
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;  // belongs to the context
  SecretBuffer signature;
  auto size = static_cast<std::size_t>(EVP_PKEY_get_size(key));
  auto* const room = reinterpret_cast<unsigned char*>(signature.Spare(size));
  if (!context ||
      EVP_DigestSignInit_ex(context.get(), &settings, "SHA256", nullptr, nullptr, key, nullptr) !=
          1 ||
      !UsePkcs1Padding(settings) ||
      EVP_DigestSign(context.get(), room, &size, UnsignedBytes(message), message.size()) != 1) {
    return std::nullopt;
  }
  signature.Grow(size);
  return std::move(signature).Seal();
}

bool Verify(EVP_PKEY* key, std::string_view message, std::string_view signature) {
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;  // belongs to the context
  return context &&
         EVP_DigestVerifyInit_ex(context.get(), &settings, "SHA256", nullptr, nullptr, key,
                                 nullptr) == 1 &&
         UsePkcs1Padding(settings) &&
         EVP_DigestVerify(context.get(), UnsignedBytes(signature), signature.size(),
                          UnsignedBytes(message), message.size()) == 1;
}

struct PemBlock {
  std::string_view label;
  std::optional<std::string_view> body;  // nothing: the block has no end
};

// Takes the next block off the front of `text`, and what is before it.
std::optional<PemBlock> TakePemBlock(std::string_view& text) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::string_view kEnd = "-----END ";
  constexpr std::string_view kDashes = "-----";
  text.remove_prefix(std::min(text.find(kBegin), text.size()));
  if (text.empty()) return std::nullopt;
  text.remove_prefix(kBegin.size());
  PemBlock block{.label = text.substr(0, text.find(kDashes)), .body = std::nullopt};
  text.remove_prefix(std::min(block.label.size() + kDashes.size(), text.size()));
  const std::size_t end = text.find(kEnd);
  if (end == std::string_view::npos) return block;
  const std::string_view last = text.substr(end + kEnd.size());
  if (!last.starts_with(block.label) || !last.substr(block.label.size()).starts_with(kDashes)) {
    return block;
  }
  block.body = text.substr(0, end);
  text = last;
  return block;
}

// RFC 7468, 2: "parsers SHOULD ignore whitespace and other non-base64 characters"; only the white
// space is ignored here.
std::optional<Secret> DecodePemBody(std::string_view body) {
  SecretBuffer digits(body.size());
  for (const char c : body) {
    if (std::string_view(" \t\n\v\f\r").find(c) == std::string_view::npos) digits.Append(c);
  }
  return DecodeBase64(digits.Reveal());
}

Error Malformed(const std::string& name, const char* what) {
  return Error(ErrorCode::kBadData, name + " " + what)
      .Cure(
          "give the whole key as it was issued, from its line BEGIN to its line END; look for "
          "line breaks that became the characters \\n");
}

Error Unfit(const std::string& name, const std::string& what, const char* cure) {
  return Error(ErrorCode::kConfiguration, name + " " + what).Cure(cure);
}

Error Encrypted(const std::string& name) {
  return Unfit(name, "is an encrypted private key", "decrypt it with openssl pkey");
}

Error OtherKind(const std::string& name) {
  return Unfit(name, "is a private key of another kind than RSA", "give an RSA key in PKCS#8");
}

// `label`: of a block that is there in place of a key.
Error NotAKey(const std::string& name, std::string_view label) {
  constexpr char kCure[] = "give the private key that belongs to it";
  if (label == "ENCRYPTED PRIVATE KEY") return Encrypted(name);
  if (label.ends_with("PRIVATE KEY")) return OtherKind(name);
  if (label.ends_with("PUBLIC KEY")) {
    return Unfit(name, "is a public key, which cannot sign", kCure);
  }
  if (label.ends_with("CERTIFICATE")) {
    return Unfit(name, "is a certificate, which cannot sign", kCure);
  }
  return Malformed(name, "has no private key in PEM");
}

// PrivateKeyInfo (RFC 5208, 5): version, algorithm, octets, attributes. OneAsymmetricKey (RFC 5958,
// 2) is its version 1. Returns the octets, which are RFC 8017's RSAPrivateKey.
Result<std::string_view> UnwrapPkcs8(std::string_view der, const std::string& name) {
  constexpr std::string_view kRsaEncryption = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
  auto info = TakeElement(der, kSequence);
  if (!info || !der.empty()) return Malformed(name, "has a private key that cannot be read");
  const auto version = TakeNumber(*info);
  auto algorithm = TakeElement(*info, kSequence);
  const auto id = algorithm ? TakeElement(*algorithm, kObjectId) : std::nullopt;
  const auto key = TakeElement(*info, kOctets);
  if (!version || BitsOf(*version) > 1 || !id || !key) {
    return Malformed(name, "has a private key that cannot be read");
  }
  if (*id != kRsaEncryption) return OtherKind(name);
  return *key;
}

Status CheckNumbers(const std::optional<Numbers>& numbers, const std::string& name) {
  if (!numbers) return Malformed(name, "has an RSA key that cannot be read");
  const std::size_t bits = BitsOf(numbers->front());
  if (bits < kLeastRsaBits || bits > kMostRsaBits) {
    return Unfit(name, "is an RSA key of " + std::to_string(bits) + " bits",
                 "give one of 2048 bits, or up to 16384");
  }
  return {};
}

Result<Secret> ReadBlock(const PemBlock& block, const std::string& name) {
  if (!block.body) return Malformed(name, "begins a private key and does not end it");
  // RFC 1421, 4.6.1.1: "Proc-Type: 4,ENCRYPTED" before the key.
  if (block.body->find("Proc-Type:") != std::string_view::npos) return Encrypted(name);
  const auto der = DecodePemBody(*block.body);
  if (!der) return Malformed(name, "has a private key that is not Base64");
  Result<std::string_view> key = der->Reveal();
  if (block.label == kPkcs8Label) key = UnwrapPkcs8(*key, name);
  if (!key) return std::move(key).error();
  auto status = CheckNumbers(ReadNumbers(*key), name);
  if (!status) return std::move(status).error();
  return Secret::CopyOf(*key);
}

// Of the first key that can be used, or what else there is.
Result<Secret> ReadPem(std::string_view pem, const std::string& name) {
  if (pem.size() > kMostPemBytes) return Malformed(name, "is longer than a private key can be");
  std::string_view label;
  while (const auto block = TakePemBlock(pem)) {
    if (block->label == kPkcs8Label || block->label == kPkcs1Label) return ReadBlock(*block, name);
    if (label.empty() || block->label.ends_with("PRIVATE KEY")) label = block->label;
  }
  return NotAKey(name, label);
}

}  // namespace

Result<Secret> ReadRsaPrivateKey(std::string_view pem, const std::string& name) {
  const ErrorMark mark;
  auto key = ReadPem(pem, name);
  core::WipeTraces();
  return key;
}

Result<Secret> SignRs256(const Secret& key, std::string_view message, const std::string& name) {
  const ErrorMark mark;
  const auto numbers = ReadNumbers(key.Reveal());
  if (!numbers) return Error(ErrorCode::kInternal, "signing needs a key of ReadRsaPrivateKey");
  const Key made = MakeKey(*numbers);
  auto signature = made ? Sign(made.get(), message) : std::nullopt;
  const bool is_sound = signature && Verify(made.get(), message, signature->Reveal());
  core::WipeTraces();
  if (is_sound) return *std::move(signature);
  // A want of OpenSSL's is no fault of the key.
  if (auto digest = Sha256({}); !digest) return std::move(digest).error();
  if (!KeyContext(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr))) return CannotSign();
  return Malformed(name, "is an RSA key whose numbers do not belong together");
}

}  // namespace qarion::secrets::crypto
