// The cases of the specification, and further ones that tell a strict reader from a lenient one.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "core/json_document.h"
#include "core/rfc3339.h"
#include "crypto/base64.h"
#include "qarion/secrets/fernet.h"
#include "tests/support/vectors.h"

namespace qarion::secrets {
namespace {

constexpr char kExtra[] = "fernet_strict_extra.json";

// The files of the specification are arrays.
std::optional<core::JsonDocument> Read(const std::string& name) {
  const auto path = test::FindVectors(name);
  if (!path) return std::nullopt;
  const std::string text = test::ReadText(*path);
  auto document =
      core::JsonDocument::Parse(text.starts_with('[') ? "{\"tokens\":" + text + "}" : text, name);
  EXPECT_TRUE(document);
  return *std::move(document);
}

std::string TextOf(const core::JsonValue& value) { return std::string(value.Text().value_or("")); }

Fernet FernetOf(const core::JsonValue& c) {
  auto fernet = Fernet::Create(*FernetKey::Parse(TextOf(c["secret"]), "the case's key"));
  EXPECT_TRUE(fernet);
  return *std::move(fernet);
}

FernetDecryptOptions OptionsOf(const core::JsonValue& c) {
  FernetDecryptOptions options;
  if (const auto ttl = c["ttl_sec"].Integer()) options.ttl = std::chrono::seconds(*ttl);
  if (const auto now = c["now"].Text()) options.now = core::ParseTime(*now);
  if (const auto now = c["now_unix"].Integer()) {
    options.now = std::chrono::system_clock::time_point(std::chrono::seconds(*now));
  }
  EXPECT_TRUE(options.now);
  return options;
}

TEST(FernetVectors, OfTheSpecificationAreAccepted) {
  const auto file = Read("fernet_verify.json");
  if (!file) GTEST_SKIP() << "fernet_verify.json " << test::kNoVectors;
  const auto cases = (*file)["tokens"].Elements();
  EXPECT_EQ(cases.size(), 1U);
  for (const core::JsonValue& c : cases) {
    const auto message = FernetOf(c).Decrypt(TextOf(c["token"]), OptionsOf(c));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->plaintext.Reveal(), TextOf(c["src"]));
    EXPECT_EQ(message->encrypted_at,
              std::chrono::system_clock::time_point(std::chrono::seconds(499162800)));
  }
}

TEST(FernetVectors, OfTheSpecificationAreRefused) {
  const auto file = Read("fernet_invalid.json");
  if (!file) GTEST_SKIP() << "fernet_invalid.json " << test::kNoVectors;
  const auto cases = (*file)["tokens"].Elements();
  EXPECT_EQ(cases.size(), 8U);
  for (const core::JsonValue& c : cases) {
    FernetDecryptOptions options = OptionsOf(c);
    for (const bool is_lenient : {false, true}) {
      options.is_lenient = is_lenient;
      const auto message = FernetOf(c).Decrypt(TextOf(c["token"]), options);
      EXPECT_FALSE(message) << TextOf(c["desc"]);
      if (!message) {
        EXPECT_EQ(message.error().code(), ErrorCode::kBadData);
      }
    }
  }
}

TEST(FernetVectors, AreReadStrictly) {
  const auto file = Read(kExtra);
  if (!file) GTEST_SKIP() << kExtra << " " << test::kNoVectors;
  for (const core::JsonValue& c : (*file)["tokens"].Elements()) {
    const auto message = FernetOf(c).Decrypt(TextOf(c["token"]), OptionsOf(c));
    ASSERT_EQ(message.has_value(), TextOf(c["expect"]) == "ok") << TextOf(c["desc"]);
    if (!message) continue;
    EXPECT_EQ(message->plaintext.Reveal(), crypto::DecodeBase64(TextOf(c["src_b64"]))->Reveal());
    EXPECT_FALSE(message->was_lenient);
  }
}

// Python's cryptography 48; without padding alone we accept more.
TEST(FernetVectors, AreReadLenientlyAsPythonReadsThem) {
  const auto file = Read(kExtra);
  if (!file) GTEST_SKIP() << kExtra << " " << test::kNoVectors;
  int lenient = 0;
  for (const core::JsonValue& c : (*file)["tokens"].Elements()) {
    FernetDecryptOptions options = OptionsOf(c);
    options.is_lenient = true;
    const std::string description = TextOf(c["desc"]);
    const bool lacks_padding = description == "no padding" || description == "one = missing";
    const bool is_wanted = TextOf(c["pyca_48"]) == "ok" || lacks_padding;
    const auto message = FernetOf(c).Decrypt(TextOf(c["token"]), options);
    ASSERT_EQ(message.has_value(), is_wanted) << description;
    if (!message) continue;
    EXPECT_EQ(message->was_lenient, TextOf(c["expect"]) != "ok") << description;
    lenient += message->was_lenient ? 1 : 0;
  }
  EXPECT_EQ(lenient, 7);
}

TEST(FernetVectors, HaveKeysOfWhichOnlyTheCanonicalAreRead) {
  const auto file = Read(kExtra);
  if (!file) GTEST_SKIP() << kExtra << " " << test::kNoVectors;
  const auto cases = (*file)["keys"].Elements();
  EXPECT_EQ(cases.size(), 8U);
  for (const core::JsonValue& c : cases) {
    EXPECT_EQ(FernetKey::Parse(TextOf(c["key"]), "key").has_value(), *c["strict_ok"].Bool())
        << TextOf(c["desc"]);
  }
}

}  // namespace
}  // namespace qarion::secrets
