#include "crypto/rsa_key.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core/json_document.h"
#include "crypto/base64.h"
#include "tests/support/vectors.h"

namespace qarion::secrets::crypto {
namespace {

const std::string kName = "private_key in key.json";

// What OpenSSL gives back is searched for these, where a test sets them.
std::atomic<const std::vector<std::string>*> wanted = nullptr;
std::atomic<int> needles_found = 0;

void Search(void* memory) {
  const auto* const needles = wanted.load();
  if (needles == nullptr || memory == nullptr) return;
  const std::string_view block(static_cast<char*>(memory), malloc_usable_size(memory));
  for (const std::string& needle : *needles) needles_found += block.contains(needle) ? 1 : 0;
}

void* Allocate(std::size_t size, const char* /*file*/, int /*line*/) { return std::malloc(size); }
void Free(void* memory, const char* /*file*/, int /*line*/) {
  Search(memory);
  std::free(memory);
}
void* Reallocate(void* memory, std::size_t size, const char* /*file*/, int /*line*/) {
  Search(memory);
  return std::realloc(memory, size);
}

// OpenSSL takes them only before it allocates for the first time.
const bool kIsWatched = CRYPTO_set_mem_functions(Allocate, Reallocate, Free) == 1;

// Runs the command openssl and returns what it prints.
std::string OpenSsl(const std::string& arguments, const std::string& input = "") {
  const std::string path = testing::TempDir() + "rsa_key_test_" + std::to_string(getpid());
  std::ofstream(path + ".in", std::ios::binary) << input;
  const std::string command =
      "openssl " + arguments + " <" + path + ".in >" + path + ".out 2>" + path + ".log";
  EXPECT_EQ(std::system(command.c_str()), 0)  // NOLINT(cert-env33-c)
      << arguments << ": " << test::ReadText(path + ".log");
  std::string output = test::ReadText(path + ".out");
  for (const char* end : {".in", ".out", ".log"}) std::filesystem::remove(path + end);
  return output;
}

std::string MakePem(int bits) {
  return OpenSsl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:" + std::to_string(bits));
}

// In PKCS#8, of 2048 bits.
const std::string& Pem() {
  static const std::string pem = MakePem(2048);
  return pem;
}

Secret ReadKey(std::string_view pem) {
  auto key = ReadRsaPrivateKey(pem, kName);
  EXPECT_TRUE(key) << key.error().reason();
  return key ? *std::move(key) : Secret();
}

// `openssl dgst -sign`.
std::string SignedByOpenSsl(const std::string& pem, const std::string& message) {
  const std::string path = testing::TempDir() + "rsa_key_test_key_" + std::to_string(getpid());
  std::ofstream(path) << pem;
  std::string signature = OpenSsl("dgst -sha256 -sign " + path, message);
  std::filesystem::remove(path);
  return signature;
}

void ExpectSignsAs(std::string_view pem, const std::string& message, std::string_view signature) {
  const auto ours = SignRs256(ReadKey(pem), message, kName);
  ASSERT_TRUE(ours) << ours.error().reason();
  EXPECT_EQ(ours->Reveal(), signature);
}

void ExpectError(const Error& error, ErrorCode code, const std::string& reason) {
  EXPECT_EQ(error.code(), code);
  EXPECT_EQ(error.reason(), kName + " " + reason);
  EXPECT_FALSE(error.cure().empty());
}

void ExpectRefused(std::string_view pem, ErrorCode code, const std::string& reason) {
  const auto key = ReadRsaPrivateKey(pem, kName);
  ASSERT_FALSE(key) << reason;
  ExpectError(key.error(), code, reason);
}

// An element of DER.
std::string Element(char tag, const std::string& content) {
  const auto byte = [](std::size_t value) { return static_cast<char>(value & 0xff); };
  std::string text{tag};
  if (content.size() >= 0x100) {
    text += {'\x82', byte(content.size() >> 8)};
  } else if (content.size() >= 0x80) {
    text += '\x81';
  }
  text += byte(content.size());
  return text + content;
}

std::string Block(const std::string& label, std::string_view der) {
  return "-----BEGIN " + label + "-----\n" + std::string(EncodeBase64(der).Reveal()) +
         "\n-----END " + label + "-----\n";
}

// An RSA key whose modulus has this content, and its other numbers that one.
std::string KeyOfModulus(const std::string& modulus, const std::string& other = "\x03") {
  std::string content = Element(2, std::string(1, '\0')) + Element(2, modulus);
  for (int i = 0; i < 7; ++i) content += Element(2, other);
  return Block("RSA PRIVATE KEY", Element(0x30, content));
}

TEST(RsaKey, SignsAsOpenSslDoes) {
  for (const int bits : {2048, 3072}) {
    const std::string pem = MakePem(bits);
    for (const std::string message : {"", "a", "eyJhbGciOiJSUzI1NiJ9.e30"}) {
      ExpectSignsAs(pem, message, SignedByOpenSsl(pem, message));
    }
  }
}

TEST(RsaKey, ReadsTheTraditionalFormToo) {
  const std::string pem = OpenSsl("genrsa -traditional 2048");
  ASSERT_TRUE(pem.starts_with("-----BEGIN RSA PRIVATE KEY-----")) << pem.substr(0, 40);
  ExpectSignsAs(pem, "message", SignedByOpenSsl(pem, "message"));
}

// The assertions that google-auth makes at a set time, with the key beside them.
TEST(RsaKey, SignsAsGooglesLibraryDoes) {
  const auto golden = test::FindVectors("cloud/gcp_golden.json");
  const auto pem = test::FindVectors("cloud/throwaway_rsa2048.pem");
  if (!golden || !pem) GTEST_SKIP() << "cloud/gcp_golden.json " << test::kNoVectors;
  const auto file = core::JsonDocument::Parse(test::ReadText(*golden), "golden");
  ASSERT_TRUE(file) << file.error().reason();
  const Secret key = ReadKey(test::ReadText(*pem));
  std::vector<std::string> tokens = {std::string(*(*file)["sa_self_signed_audience_jwt"].Text()),
                                     std::string(*(*file)["sa_self_signed_scope_jwt"].Text())};
  for (const core::JsonValue& request : (*file)["sa_exchange"].Elements()) {
    const std::string body(*request["body"].Text());
    const std::size_t begin = body.find("assertion=") + std::string("assertion=").size();
    tokens.push_back(body.substr(begin, body.find('&') - begin));
  }
  ASSERT_EQ(tokens.size(), 3U);
  for (const std::string& token : tokens) {
    const std::size_t dot = token.rfind('.');
    const auto signature = SignRs256(key, token.substr(0, dot), kName);
    ASSERT_TRUE(signature);
    EXPECT_EQ(EncodeBase64Url(signature->Reveal()).Reveal(), token.substr(dot + 1));
  }
}

TEST(RsaKey, FindsTheKeyAmongOtherText) {
  const Secret key = ReadKey(Pem());
  std::string with_crlf;
  for (const char c : Pem()) with_crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const std::string other = Block("CERTIFICATE", "fake-certificate");
  for (const std::string& text :
       {Pem() + "trailing text", "a remark\n" + Pem() + Pem(), other + Pem(), Pem() + other,
        with_crlf, Pem() + "-----BEGIN EC PRIVATE KEY-----",
        "  " + Pem().substr(0, Pem().size() - 1)}) {
    EXPECT_TRUE(ReadKey(text).ConstantTimeEquals(key));
  }
}

TEST(RsaKey, RefusesWhatIsNoKey) {
  const std::string none = "has no private key in PEM";
  for (const std::string text :
       {"", "fake-key", "-----BEGIN", "-----BEGIN PARAMETERS-----\n-----END PARAMETERS-----\n",
        "-----BEGIN fake-text-in-place-of-a-label-----\nZg==\n", "-----BEGIN fake"}) {
    ExpectRefused(text, ErrorCode::kBadData, none);
  }
  const std::string no_end = "begins a private key and does not end it";
  ExpectRefused(Pem().substr(0, Pem().size() - 3), ErrorCode::kBadData, no_end);
  ExpectRefused(Pem().substr(0, 500), ErrorCode::kBadData, no_end);
  ExpectRefused(Pem().substr(0, 11) + "RSA " + Pem().substr(11), ErrorCode::kBadData, no_end);
  ExpectRefused("-----BEGIN PRIVATE KEY-----\nZg==\n-----END PRIVATE-KEY-----\n",
                ErrorCode::kBadData, no_end);
  ExpectRefused(std::string(kMostPemBytes, ' ') + "\n" + Pem(), ErrorCode::kBadData,
                "is longer than a private key can be");
}

TEST(RsaKey, RefusesWhatCannotBeRead) {
  const std::string escaped = [] {
    std::string text;
    for (const char c : Pem()) text += c == '\n' ? std::string("\\n") : std::string(1, c);
    return text;
  }();
  const std::string no_base64 = "has a private key that is not Base64";
  ExpectRefused(escaped, ErrorCode::kBadData, no_base64);
  ExpectRefused(Pem().substr(0, 200) + Pem().substr(201), ErrorCode::kBadData, no_base64);
  const std::string no_der = "has a private key that cannot be read";
  for (const std::string& der :
       {std::string(), std::string("fake"), Element(0x30, ""), Element(0x30, Element(2, "")),
        Element(0x30, Element(2, "\x02")) + "x", std::string("\x30\x84\x00\x00\x00\x00", 6),
        std::string("\x30\x81\x00", 3), std::string("\x30\x80\x00\x00", 4)}) {
    ExpectRefused(Block("PRIVATE KEY", der), ErrorCode::kBadData, no_der);
    ExpectRefused(Block("RSA PRIVATE KEY", der), ErrorCode::kBadData,
                  "has an RSA key that cannot be read");
  }
  const std::string modulus = '\x7f' + std::string(256, '\xff');
  for (const std::string& number :
       {std::string(), std::string("\0", 1), std::string("\x83"), modulus + '\xff'}) {
    ExpectRefused(KeyOfModulus(modulus, number), ErrorCode::kBadData,
                  "has an RSA key that cannot be read");
  }
}

// Of RFC 8017 and RFC 5958, with what they allow and with what they do not.
TEST(RsaKey, ReadsTheFormsOfTheStandards) {
  const Secret key = ReadKey(Pem());
  const std::string der(key.Reveal());
  const std::string zero("\x02\x01\x00", 3);
  const std::string numbers = der.substr(4 + zero.size());
  ASSERT_EQ(Element(0x30, zero + numbers), der);
  const std::string no_key = "has an RSA key that cannot be read";
  for (const std::string& bad : {der + "x", Element(0x30, zero + numbers + Element(2, "\x03")),
                                 Element(0x30, "\x02\x01\x01" + numbers),
                                 Element(0x30, std::string("\x02\x81\x01\x00", 4) + numbers),
                                 Element(0x30, std::string("\x02\x82\x00\x01\x00", 5) + numbers)}) {
    ExpectRefused(Block("RSA PRIVATE KEY", bad), ErrorCode::kBadData, no_key);
  }

  const std::string rest = Element(0x30, Element(6, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01") +
                                             std::string("\x05\x00", 2)) +
                           Element(4, der);
  for (const std::string& good :
       {Element(0x30, zero + rest), Element(0x30, "\x02\x01\x01" + rest),
        Element(0x30, zero + rest + Element('\xa0', "fake-attributes"))}) {
    EXPECT_TRUE(ReadKey(Block("PRIVATE KEY", good)).ConstantTimeEquals(key));
  }
  for (const std::string& bad :
       {Element(0x30, zero + rest) + "x", Element(0x30, "\x02\x01\x02" + rest)}) {
    ExpectRefused(Block("PRIVATE KEY", bad), ErrorCode::kBadData,
                  "has a private key that cannot be read");
  }
}

TEST(RsaKey, RefusesEncryptedKeysWithoutAskingForAPassword) {
  const std::string encrypted = "is an encrypted private key";
  ExpectRefused(OpenSsl("pkcs8 -topk8 -passout pass:fake-password", Pem()),
                ErrorCode::kConfiguration, encrypted);
  ExpectRefused(OpenSsl("rsa -traditional -aes128 -passout pass:fake-password", Pem()),
                ErrorCode::kConfiguration, encrypted);
}

TEST(RsaKey, RefusesKeysOfAnotherKind) {
  const std::string other = "is a private key of another kind than RSA";
  for (const std::string command :
       {"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256", "genpkey -algorithm ED25519",
        "ecparam -name prime256v1 -genkey",
        "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048"}) {
    ExpectRefused(OpenSsl(command), ErrorCode::kConfiguration, other);
  }
}

TEST(RsaKey, RefusesWhatIsPublic) {
  const std::string key = "is a public key, which cannot sign";
  ExpectRefused(OpenSsl("pkey -pubout", Pem()), ErrorCode::kConfiguration, key);
  ExpectRefused(OpenSsl("rsa -RSAPublicKey_out", Pem()), ErrorCode::kConfiguration, key);
  ExpectRefused(OpenSsl("req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=fake"),
                ErrorCode::kConfiguration, "is a certificate, which cannot sign");
}

TEST(RsaKey, RefusesSizesThatMustNotBeUsed) {
  const auto is_of = [](const std::string& bits) { return "is an RSA key of " + bits + " bits"; };
  ExpectRefused(MakePem(1024), ErrorCode::kConfiguration, is_of("1024"));
  ExpectRefused(KeyOfModulus('\x7f' + std::string(255, '\xff')), ErrorCode::kConfiguration,
                is_of("2047"));
  ExpectRefused(KeyOfModulus('\x01' + std::string(2048, '\xff')), ErrorCode::kConfiguration,
                is_of("16385"));
  // Their size is right, and nothing else.
  const std::string no_key = "is an RSA key whose numbers do not belong together";
  for (const std::size_t bytes : {256U, 2048U}) {
    const auto signature =
        SignRs256(ReadKey(KeyOfModulus('\0' + std::string(bytes, '\xff'))), "message", kName);
    ASSERT_FALSE(signature);
    ExpectError(signature.error(), ErrorCode::kBadData, no_key);
  }
}

// A part of the key is redundant, so that it may sign in spite of damage; then it signs the same.
TEST(RsaKey, DoesNotSignWrongWithADamagedKey) {
  const Secret key = ReadKey(Pem());
  const auto signature = SignRs256(key, "message", kName);
  ASSERT_TRUE(signature);
  std::mt19937 random(1);
  int refused = 0;
  constexpr int kRounds = 150;
  for (int round = 0; round < kRounds; ++round) {
    std::string der(key.Reveal());
    der[random() % der.size()] ^= static_cast<char>(1 + random() % 255);
    const auto damaged = ReadRsaPrivateKey(Block("RSA PRIVATE KEY", der), kName);
    if (!damaged) {
      ++refused;
      continue;
    }
    const auto same = SignRs256(*damaged, "message", kName);
    if (!same) {
      EXPECT_EQ(same.error().code(), ErrorCode::kBadData);
      ++refused;
      continue;
    }
    EXPECT_TRUE(same->ConstantTimeEquals(*signature));
  }
  EXPECT_GT(refused, kRounds / 10);
}

TEST(RsaKey, SignsOnSeveralThreadsWithOneKey) {
  const Secret key = ReadKey(Pem());
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    const std::string message = "message " + std::to_string(thread);
    threads.emplace_back([&key, &wrong, message, expected = SignedByOpenSsl(Pem(), message)] {
      for (int i = 0; i < 20; ++i) {
        const auto signature = SignRs256(key, message, kName);
        if (!signature || signature->Reveal() != expected) ++wrong;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

TEST(RsaKey, SignsWithNothingElse) {
  for (const std::string_view text : {"", "fake-key", "0"}) {
    const auto signature = SignRs256(Secret::CopyOf(text), "message", kName);
    ASSERT_FALSE(signature);
    EXPECT_EQ(signature.error().code(), ErrorCode::kInternal);
  }
}

TEST(RsaKey, LeavesTheErrorsOfOpenSslAsTheyWere) {
  ERR_clear_error();
  ERR_raise(ERR_LIB_USER, ERR_R_MALLOC_FAILURE);
  const unsigned long mine = ERR_peek_error();  // NOLINT(google-runtime-int): of OpenSSL
  EXPECT_FALSE(SignRs256(ReadKey(KeyOfModulus('\0' + std::string(256, '\xff'))), "message", kName));
  EXPECT_TRUE(SignRs256(ReadKey(Pem()), "message", kName));
  EXPECT_EQ(ERR_get_error(), mine);
  EXPECT_EQ(ERR_get_error(), 0U);
}

TEST(RsaKey, LeavesNoPieceOfTheKeyInMemoryThatOpenSslGivesBack) {
  ASSERT_TRUE(kIsWatched);
  const Secret key = ReadKey(Pem());
  // What follows the modulus, in the order of DER and in that of OpenSSL's numbers.
  std::vector<std::string> pieces;
  constexpr std::size_t kPieceBytes = 16;
  for (std::size_t at = 300; at + kPieceBytes <= key.size(); at += kPieceBytes) {
    pieces.emplace_back(key.Reveal().substr(at, kPieceBytes));
    pieces.emplace_back(pieces.back().rbegin(), pieces.back().rend());
  }
  wanted = &pieces;
  EXPECT_TRUE(SignRs256(ReadKey(Pem()), "message", kName));
  EXPECT_EQ(needles_found, 0);

  // Were it otherwise, it would be seen: OpenSSL's own reader leaves some.
  const std::string_view der = key.Reveal();
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  EVP_PKEY_free(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
  EXPECT_GT(needles_found, 0);
  wanted = nullptr;
  needles_found = 0;
}

}  // namespace
}  // namespace qarion::secrets::crypto
