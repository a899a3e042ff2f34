// RAND_set_rand_method is what lets a test say which IV there is.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/fernet_ring.h"

#include <gtest/gtest.h>
#include <openssl/rand.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/json_document.h"
#include "core/rfc3339.h"
#include "core/secret_memory.h"
#include "tests/support/memory_search.h"
#include "tests/support/sanitizers.h"
#include "tests/support/vectors.h"

namespace qarion::secrets::crypto {
namespace {

constexpr std::uint64_t kTime = 499162800;

FernetKey Key(std::string_view text) {
  auto key = FernetKey::Parse(text, "the test's key");
  EXPECT_TRUE(key) << key.error().reason();
  return *std::move(key);
}

FernetKey NewKey() { return *FernetKey::Generate(); }

FernetRing Ring(const std::vector<const FernetKey*>& keys) {
  std::vector<FernetKey> shared;
  for (const FernetKey* key : keys) shared.push_back(key->Share());
  auto ring = FernetRing::Create(shared);
  EXPECT_TRUE(ring);
  return *std::move(ring);
}

std::string Seal(FernetRing& ring, std::string_view plaintext, std::uint64_t time = kTime) {
  std::string token;
  EXPECT_TRUE(ring.Seal(plaintext, time, token));
  return token;
}

FernetFault FaultOf(FernetRing& ring, std::string_view token,
                    FernetReading reading = FernetReading::kStrict) {
  OpenedFernet opened;
  return ring.Open(token, reading, opened);
}

// Random bytes that are none: 0 to 15, over and over.
int FakeBytes(unsigned char* bytes, int size) {
  for (int i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>(i % 16);
  return 1;
}
int NoBytes(unsigned char* /*bytes*/, int /*size*/) { return 0; }

class FakeRandom {
 public:
  explicit FakeRandom(int (*bytes)(unsigned char*, int)) : method_{.bytes = bytes} {
    RAND_set_rand_method(&method_);
  }
  ~FakeRandom() { RAND_set_rand_method(nullptr); }
  FakeRandom(const FakeRandom&) = delete;
  FakeRandom& operator=(const FakeRandom&) = delete;

 private:
  RAND_METHOD method_;
};

std::optional<core::JsonDocument> Vectors(const std::string& name) {
  const auto path = test::FindVectors(name);
  if (!path) return std::nullopt;
  auto document = core::JsonDocument::Parse("{\"cases\":" + test::ReadText(*path) + "}", name);
  EXPECT_TRUE(document);
  return *std::move(document);
}

TEST(FernetRing, MakesThePublishedToken) {
  const auto file = Vectors("fernet_generate.json");
  if (!file) GTEST_SKIP() << "fernet_generate.json " << test::kNoVectors;
  const FakeRandom random(FakeBytes);
  for (const core::JsonValue& c : (*file)["cases"].Elements()) {
    const FernetKey key = Key(*c["secret"].Text());
    FernetRing ring = Ring({&key});
    const auto now = core::ParseTime(*c["now"].Text());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now->time_since_epoch());
    EXPECT_EQ(Seal(ring, *c["src"].Text(), static_cast<std::uint64_t>(seconds.count())),
              *c["token"].Text());
  }
}

TEST(FernetRing, OpensThePublishedToken) {
  const auto file = Vectors("fernet_verify.json");
  if (!file) GTEST_SKIP() << "fernet_verify.json " << test::kNoVectors;
  for (const core::JsonValue& c : (*file)["cases"].Elements()) {
    const FernetKey key = Key(*c["secret"].Text());
    FernetRing ring = Ring({&key});
    OpenedFernet opened;
    EXPECT_EQ(ring.Open(*c["token"].Text(), FernetReading::kStrict, opened), FernetFault::kNone);
    EXPECT_EQ(opened.plaintext.Reveal(), *c["src"].Text());
    EXPECT_EQ(opened.timestamp, 499162800U);
    EXPECT_FALSE(opened.was_lenient);
  }
}

TEST(FernetRing, OpensWhatItSealedOfEveryLength) {
  const FernetKey key = NewKey();
  FernetRing ring = Ring({&key});
  OpenedFernet opened;
  std::string plaintext;
  for (std::size_t size = 0; size < 10000; size = size < 100 ? size + 1 : size * 9 / 8) {
    plaintext.resize(size, static_cast<char>(size));
    const std::string token = Seal(ring, plaintext, size);
    EXPECT_EQ(token.size(), (57 + 16 * (size / 16 + 1) + 2) / 3 * 4);
    ASSERT_EQ(ring.Open(token, FernetReading::kStrict, opened), FernetFault::kNone) << size;
    EXPECT_EQ(opened.plaintext.Reveal(), plaintext);
    EXPECT_EQ(opened.timestamp, size);
  }
}

TEST(FernetRing, TellsWhichKeyOpensAToken) {
  const FernetKey current = NewKey();
  const FernetKey previous = NewKey();
  FernetRing both = Ring({&current, &previous});
  FernetRing old = Ring({&previous});
  OpenedFernet opened;
  EXPECT_EQ(both.Open(Seal(both, "x"), FernetReading::kStrict, opened), FernetFault::kNone);
  EXPECT_EQ(opened.key, 0U);
  EXPECT_EQ(both.Open(Seal(old, "x"), FernetReading::kStrict, opened), FernetFault::kNone);
  EXPECT_EQ(opened.key, 1U);
  EXPECT_EQ(FaultOf(old, Seal(both, "x")), FernetFault::kSignature);
}

// The specification's token, and what is wrong with each change of it.
TEST(FernetRing, TellsTheOwnerWhatIsWrongWithAToken) {
  const FernetKey key = Key("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=");
  const std::string token =
      "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_"
      "5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4I"
      "wqDA==";
  FernetRing ring = Ring({&key});
  EXPECT_EQ(FaultOf(ring, token), FernetFault::kNone);
  EXPECT_EQ(FaultOf(ring, ""), FernetFault::kLength);
  EXPECT_EQ(FaultOf(ring, "gAAA"), FernetFault::kLength);
  EXPECT_EQ(FaultOf(ring, token + "\n"), FernetFault::kBase64);
  EXPECT_EQ(FaultOf(ring, token.substr(0, token.size() - 4)), FernetFault::kLength);
  EXPECT_EQ(FaultOf(ring, "gQ" + token.substr(2)), FernetFault::kVersion);
  EXPECT_EQ(FaultOf(ring, "b'" + token + "'"), FernetFault::kBase64);
  std::string changed = token;
  changed[40] = 'X';
  EXPECT_EQ(FaultOf(ring, changed), FernetFault::kSignature);
}

// "payload padding error" of the specification's invalid tokens; further ones are in
// fernet_strict_extra.json.
TEST(FernetRing, LooksAtThePaddingOfWhatIsSigned) {
  const FernetKey key = Key("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=");
  FernetRing ring = Ring({&key});
  OpenedFernet opened;
  EXPECT_EQ(
      ring.Open("gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FW"
                "ke6CnJNYIbkuKNqOhw==",
                FernetReading::kStrict, opened),
      FernetFault::kPadding);
  EXPECT_TRUE(opened.plaintext.empty());
}

TEST(FernetRing, LeavesNothingOfAnEarlierTokenWhenItRefuses) {
  const FernetKey key = NewKey();
  FernetRing ring = Ring({&key});
  OpenedFernet opened;
  ASSERT_EQ(ring.Open(Seal(ring, "fake-value"), FernetReading::kStrict, opened),
            FernetFault::kNone);
  EXPECT_EQ(ring.Open("fake-token", FernetReading::kStrict, opened), FernetFault::kBase64);
  EXPECT_TRUE(opened.plaintext.empty());
}

TEST(FernetRing, AppendsItsTokens) {
  const FernetKey key = NewKey();
  FernetRing ring = Ring({&key});
  std::string text = "enc:";
  ASSERT_TRUE(ring.Seal("fake-value", kTime, text));
  EXPECT_TRUE(text.starts_with("enc:gAAAAA"));
  EXPECT_EQ(FaultOf(ring, text.substr(4)), FernetFault::kNone);
}

TEST(FernetRing, EncryptsOneGibibyteAndNoMore) {
  const FernetKey key = NewKey();
  FernetRing ring = Ring({&key});
  std::string token;
  // Nobody reads that far.
  const std::string_view too_long("x", (std::size_t{1} << 30) + 1);
  const Status sealed = ring.Seal(too_long, kTime, token);
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().code(), ErrorCode::kUsage);
}

TEST(FernetRing, UsesAnotherIvEachTime) {
  const FernetKey key = NewKey();
  FernetRing ring = Ring({&key});
  std::set<std::string> tokens;
  for (int i = 0; i < 2000; ++i) tokens.insert(Seal(ring, "fake-value"));
  EXPECT_EQ(tokens.size(), 2000U);
}

// Pieces, because a part is a leak as well.
std::vector<test::MaskedBytes> PiecesOf(std::string_view secret) {
  std::vector<test::MaskedBytes> pieces;
  for (std::size_t at = 0; at + 16 <= secret.size(); at += 16) {
    pieces.emplace_back(secret.substr(at, 16));
  }
  return pieces;
}

int Occurrences(const std::vector<test::MaskedBytes>& pieces) {
  int count = 0;
  for (const test::MaskedBytes& piece : pieces) count += test::OccurrencesInDumpedMemory(piece);
  return count;
}

TEST(FernetRing, LeavesNeitherPlaintextNorKeysInOrdinaryMemory) {
  if (test::kHasAddressSanitizer || test::kHasThreadSanitizer) GTEST_SKIP();
  const FernetKey key = NewKey();
  const FernetKey other = NewKey();
  // 80 bytes that stand nowhere else.
  SecretBuffer value;
  for (int i = 0; i < 3; ++i) value.Append(NewKey().Reveal());
  value.Truncate(80);
  const auto pieces_of_value = PiecesOf(value.Reveal());
  const test::MaskedBytes signing(key.Reveal().substr(0, 16));
  const auto halves = PiecesOf(key.Reveal());
  {
    FernetRing ring = Ring({&other, &key});
    FernetRing old = Ring({&key});
    OpenedFernet opened;
    for (int i = 0; i < 3; ++i) {
      const std::string token = Seal(old, value.Reveal());
      ASSERT_EQ(ring.Open(token, FernetReading::kStrict, opened), FernetFault::kNone);
      ASSERT_EQ(Seal(ring, opened.plaintext.Reveal()).size(), token.size());
    }
    EXPECT_EQ(Occurrences(pieces_of_value), 0);
    EXPECT_EQ(test::OccurrencesInDumpedMemory(signing), 0);
  }
  EXPECT_EQ(Occurrences(pieces_of_value), 0);
  EXPECT_EQ(Occurrences(halves), 0);

  // Were it otherwise, it would be seen.
  const std::string copy(value.Reveal());
  EXPECT_GE(Occurrences(pieces_of_value), 5);
}

TEST(FernetRing, SealsNothingWithoutRandomBytes) {
  const FernetKey key = NewKey();
  FernetRing ring = Ring({&key});
  const FakeRandom random(NoBytes);
  std::string token;
  const Status sealed = ring.Seal("x", kTime, token);
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().code(), ErrorCode::kInternal);
  EXPECT_EQ(token, "");
}

}  // namespace
}  // namespace qarion::secrets::crypto
