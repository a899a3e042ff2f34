#include "qarion/secrets/field_cipher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/fake_clock.h"
#include "tests/support/changing_store.h"

namespace qarion::secrets {
namespace {

using test::ChangingStore;
using testing::HasSubstr;

constexpr char kCurrent[] = "INSTANCE_ENCRYPTION_KEY";
constexpr char kPrevious[] = "INSTANCE_ENCRYPTION_KEY_PREVIOUS";
constexpr char kPublished[] = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

std::string NewKeyText() { return std::string(FernetKey::Generate()->Encode().Reveal()); }

Fernet FernetOf(const std::string& key) {
  return *Fernet::Create(*FernetKey::Parse(key, "the test's key"));
}

class FieldCipherTest : public testing::Test {
 protected:
  Runtime Make() {
    auto runtime = Runtime::Create({.settings = {{"SECRETS_ENV_FILE", "/dev/null"}},
                                    .provider = std::make_unique<ChangingStore>(content_),
                                    .clock = std::make_shared<core::FakeClock>()});
    EXPECT_TRUE(runtime);
    return *std::move(runtime);
  }

  void Publish(Runtime& runtime, std::map<std::string, std::string> values) {
    {
      const std::lock_guard lock(content_.mutex);
      content_.values = std::move(values);
      ++content_.version;
    }
    EXPECT_TRUE(runtime.Refresh());
  }

  void ExpectNone(const Error& error, ErrorCode code, const std::string& reason) {
    EXPECT_EQ(error.code(), code);
    EXPECT_THAT(error.reason(), HasSubstr(reason));
    EXPECT_NE(error.cure(), "");
  }

  ChangingStore::Content content_;
};

TEST_F(FieldCipherTest, EncryptsUnderTheKeyOfTheBackend) {
  const std::string key = NewKeyText();
  content_.values = {{kCurrent, key}};
  const Runtime runtime = Make();
  const auto cipher = FieldCipher::For(runtime);
  ASSERT_TRUE(cipher) << cipher.error().reason();
  const auto token = cipher->Encrypt("fake-value");
  ASSERT_TRUE(token);
  EXPECT_EQ(FernetOf(key).Decrypt(*token)->plaintext.Reveal(), "fake-value");
  EXPECT_EQ(cipher->Decrypt(*token)->plaintext.Reveal(), "fake-value");
}

TEST_F(FieldCipherTest, OpensEveryValueAtEveryStepOfARotation) {
  const std::string old_key = NewKeyText();
  const std::string new_key = NewKeyText();
  content_.values = {{kCurrent, old_key}};
  Runtime runtime = Make();
  const auto cipher = FieldCipher::For(runtime);
  ASSERT_TRUE(cipher);
  const auto old_token = cipher->Encrypt("fake-old");
  ASSERT_TRUE(old_token);

  Publish(runtime, {{kCurrent, new_key}, {kPrevious, old_key}});
  const auto new_token = cipher->Encrypt("fake-new");
  ASSERT_TRUE(new_token);
  EXPECT_EQ(cipher->Decrypt(*old_token)->plaintext.Reveal(), "fake-old");
  EXPECT_EQ(cipher->Decrypt(*new_token)->plaintext.Reveal(), "fake-new");
  EXPECT_FALSE(FernetOf(old_key).Decrypt(*new_token));
  EXPECT_EQ(cipher->statistics().opened_by_previous, 1U);

  Publish(runtime, {{kCurrent, new_key}});
  EXPECT_EQ(cipher->Decrypt(*new_token)->plaintext.Reveal(), "fake-new");
  EXPECT_EQ(cipher->Decrypt(*old_token).error().code(), ErrorCode::kBadData);
}

TEST_F(FieldCipherTest, CountsWhichKeyWasNeeded) {
  const std::string old_key = NewKeyText();
  content_.values = {{kCurrent, NewKeyText()}, {kPrevious, old_key}};
  const Runtime runtime = Make();
  const auto cipher = FieldCipher::For(runtime);
  ASSERT_TRUE(cipher);
  const auto token = cipher->Encrypt("x");
  const auto old_token = FernetOf(old_key).Encrypt("x");
  ASSERT_TRUE(token && old_token);
  EXPECT_TRUE(cipher->Encrypt("y"));
  EXPECT_TRUE(cipher->Decrypt(*token));
  EXPECT_TRUE(cipher->Decrypt(*old_token));
  EXPECT_TRUE(cipher->Decrypt(*old_token + "\n", {.is_lenient = true}));
  EXPECT_FALSE(cipher->Decrypt(*old_token + "\n"));
  EXPECT_FALSE(cipher->Decrypt("fake-token"));
  const FieldCipherStatistics statistics = cipher->statistics();
  EXPECT_EQ(statistics.encrypted, 2U);
  EXPECT_EQ(statistics.opened_by_current, 1U);
  EXPECT_EQ(statistics.opened_by_previous, 2U);
  EXPECT_EQ(statistics.lenient, 1U);
  EXPECT_EQ(statistics.refused, 2U);
}

TEST_F(FieldCipherTest, NeedsTheCurrentKey) {
  content_.values = {{kPrevious, NewKeyText()}};
  const Runtime runtime = Make();
  const auto cipher = FieldCipher::For(runtime);
  ASSERT_FALSE(cipher);
  ExpectNone(cipher.error(), ErrorCode::kNotSet, std::string(kCurrent) + " is not set");
}

TEST_F(FieldCipherTest, TakesAnEmptyPreviousKeyForNone) {
  content_.values = {{kCurrent, NewKeyText()}, {kPrevious, ""}};
  const Runtime runtime = Make();
  const auto cipher = FieldCipher::For(runtime);
  ASSERT_TRUE(cipher);
  EXPECT_TRUE(cipher->Decrypt(*cipher->Encrypt("x")));
}

TEST_F(FieldCipherTest, RefusesKeysThatCannotBeUsed) {
  const std::string key = NewKeyText();
  struct Case {
    std::map<std::string, std::string> values;
    std::string reason;
  };
  for (const Case& c : std::vector<Case>{
           {{{kCurrent, ""}}, std::string(kCurrent) + " has 0 characters"},
           {{{kCurrent, key + "\n"}}, std::string(kCurrent) + " ends with a line break"},
           {{{kCurrent, kPublished}}, std::string(kCurrent) + " is printed in"},
           {{{kCurrent, key}, {kPrevious, "fake-key"}}, std::string(kPrevious) + " has 8 char"},
           {{{kCurrent, key}, {kPrevious, key}}, std::string(kPrevious) + " is the same as"}}) {
    content_.values = c.values;
    const Runtime runtime = Make();
    const auto cipher = FieldCipher::For(runtime);
    ASSERT_FALSE(cipher) << c.reason;
    ExpectNone(cipher.error(), ErrorCode::kConfiguration, c.reason);
  }
}

TEST_F(FieldCipherTest, ReadsWhatAPublishedKeyEncryptedAsThePrevious) {
  content_.values = {{kCurrent, NewKeyText()}, {kPrevious, kPublished}};
  const Runtime runtime = Make();
  const auto cipher = FieldCipher::For(runtime);
  ASSERT_TRUE(cipher);
  EXPECT_TRUE(cipher->Decrypt(*FernetOf(kPublished).Encrypt("x")));
}

TEST_F(FieldCipherTest, SaysWhenItsKeysBecomeUnusableAndRecovers) {
  const std::string key = NewKeyText();
  content_.values = {{kCurrent, key}};
  Runtime runtime = Make();
  const auto cipher = FieldCipher::For(runtime);
  ASSERT_TRUE(cipher);
  Publish(runtime, {});
  EXPECT_EQ(cipher->Encrypt("x").error().code(), ErrorCode::kNotSet);
  Publish(runtime, {{kCurrent, "fake-key"}});
  EXPECT_EQ(cipher->Encrypt("x").error().code(), ErrorCode::kConfiguration);
  EXPECT_EQ(cipher->Decrypt("x").error().code(), ErrorCode::kConfiguration);
  Publish(runtime, {{kCurrent, key}});
  EXPECT_TRUE(cipher->Encrypt("x"));
  EXPECT_EQ(cipher->statistics().refused, 0U);
}

TEST_F(FieldCipherTest, ServesThreadsWhileKeysChange) {
  const std::vector<std::string> keys = {NewKeyText(), NewKeyText()};
  content_.values = {{kCurrent, keys[0]}, {kPrevious, keys[1]}};
  Runtime runtime = Make();
  const auto cipher = FieldCipher::For(runtime);
  ASSERT_TRUE(cipher);
  std::atomic<bool> is_over = false;
  std::atomic<int> failures = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&] {
      while (!is_over) {
        const auto token = cipher->Encrypt("fake-value");
        const auto message = cipher->Decrypt(token ? *token : "");
        if (!message || message->plaintext.Reveal() != "fake-value") ++failures;
      }
    });
  }
  for (std::size_t i = 1; i < 20; ++i) {
    Publish(runtime, {{kCurrent, keys[i % 2]}, {kPrevious, keys[(i + 1) % 2]}});
  }
  is_over = true;
  threads.clear();
  EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace qarion::secrets
