// RAND_set_rand_method is what lets a test say which IV there is.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/fernet_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/rand.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "core/json_document.h"
#include "core/rfc3339.h"
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
