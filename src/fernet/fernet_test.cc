#include "qarion/secrets/fernet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace qarion::secrets {
namespace {

using std::chrono::seconds;
using std::chrono::system_clock;
using testing::HasSubstr;

FernetKey NewKey() {
  auto key = FernetKey::Generate();
  EXPECT_TRUE(key);
  return *std::move(key);
}

FernetKey Key(std::string_view text) {
  auto key = FernetKey::Parse(text, "the test's key");
  EXPECT_TRUE(key) << key.error().reason();
  return *std::move(key);
}

Fernet Make(const std::vector<const FernetKey*>& keys) {
  std::vector<FernetKey> shared;
  for (const FernetKey* key : keys) shared.push_back(key->Share());
  auto fernet = Fernet::Create(std::move(shared));
  EXPECT_TRUE(fernet);
  return *std::move(fernet);
}

system_clock::time_point At(std::int64_t unix_seconds) {
  return system_clock::time_point(seconds(unix_seconds));
}

std::string Encrypted(const Fernet& fernet, std::string_view text, std::int64_t time = 1'000'000) {
  auto token = fernet.EncryptAt(text, At(time));
  EXPECT_TRUE(token);
  return *std::move(token);
}

bool IsAccepted(const Fernet& fernet, std::string_view token, const FernetDecryptOptions& options) {
  const auto message = fernet.Decrypt(token, options);
  if (!message) {
    EXPECT_EQ(message.error().code(), ErrorCode::kBadData);
  }
  return message.has_value();
}

TEST(FernetKey, ReadsWhatItWrites) {
  const FernetKey key = NewKey();
  EXPECT_EQ(key.Reveal().size(), 32U);
  const Secret text = key.Encode();
  EXPECT_EQ(text.size(), 44U);
  EXPECT_TRUE(Key(text.Reveal()).ConstantTimeEquals(key));
  EXPECT_FALSE(NewKey().ConstantTimeEquals(key));
}

TEST(FernetKey, HoldsTheBytesThatItsTextStandsFor) {
  EXPECT_EQ(Key("ZmFrZS1rZXktb2YtMzItYnl0ZXMtZm9yLXRlc3RzLi4=").Reveal(),
            "fake-key-of-32-bytes-for-tests..");
}

TEST(FernetKey, NamesTheSettingWhereItIsNone) {
  const auto key = FernetKey::Parse("fake-key", "INSTANCE_ENCRYPTION_KEY");
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(key.error().reason(), testing::StartsWith("INSTANCE_ENCRYPTION_KEY has 8 char"));
  EXPECT_THAT(key.error().reason(), testing::Not(HasSubstr("fake-key")));
  EXPECT_THAT(key.error().cure(), HasSubstr("put the right key there"));
}

// By Python: sha256(b"qarion-secrets fernet key" + b"fake-key-of-32-bytes-for-tests..").
TEST(FernetKey, HasAFingerprintThatOthersCanCalculate) {
  EXPECT_EQ(Key("ZmFrZS1rZXktb2YtMzItYnl0ZXMtZm9yLXRlc3RzLi4=").fingerprint(), "be4d242ffe6e35e1");
}

TEST(FernetKey, SeesAHalfThatIsShared) {
  // 16 bytes twice, as Python encodes them: "a" and "b", "a" and "c", "c" and "b", "b" and "a", "c"
  // and "c".
  const FernetKey key = Key("YWFhYWFhYWFhYWFhYWFhYWJiYmJiYmJiYmJiYmJiYmI=");
  EXPECT_TRUE(key.SharesHalfWith(Key("YWFhYWFhYWFhYWFhYWFhYWNjY2NjY2NjY2NjY2NjY2M=")));
  EXPECT_TRUE(key.SharesHalfWith(Key("Y2NjY2NjY2NjY2NjY2NjY2JiYmJiYmJiYmJiYmJiYmI=")));
  EXPECT_TRUE(key.SharesHalfWith(Key("YmJiYmJiYmJiYmJiYmJiYmFhYWFhYWFhYWFhYWFhYWE=")));
  EXPECT_FALSE(key.SharesHalfWith(Key("Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2M=")));
}

TEST(FernetKey, IsRefusedForEncryptingWhereItIsUnfit) {
  const auto refused =
      RefuseUnfitKey(Key("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="), "the new key");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(refused.error().reason(), testing::StartsWith("the new key is printed"));
  EXPECT_TRUE(RefuseUnfitKey(NewKey(), "the new key"));
}

TEST(Fernet, NeedsAKeyAndNoneTwice) {
  const FernetKey key = NewKey();
  const FernetKey other = NewKey();
  EXPECT_EQ(Fernet::Create(std::vector<FernetKey>()).error().code(), ErrorCode::kUsage);
  std::vector<FernetKey> keys;
  for (const FernetKey* each : {&key, &other, &key}) keys.push_back(each->Share());
  const auto twice = Fernet::Create(std::move(keys));
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code(), ErrorCode::kUsage);
  EXPECT_THAT(twice.error().reason(), HasSubstr(key.fingerprint()));
}

TEST(Fernet, DatesWhatItEncryptsWithTheClock) {
  const FernetKey key = NewKey();
  const Fernet fernet = Make({&key});
  // The clock that is read may lag by a tick.
  const auto before =
      std::chrono::floor<seconds>(system_clock::now() - std::chrono::milliseconds(20));
  const auto token = fernet.Encrypt("fake-value");
  const auto after = system_clock::now();
  ASSERT_TRUE(token);
  const auto message = fernet.Decrypt(*token);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->plaintext.Reveal(), "fake-value");
  EXPECT_GE(message->encrypted_at, before);
  EXPECT_LE(message->encrypted_at, after);
  EXPECT_EQ(*fernet.ExtractTimestamp(*token), message->encrypted_at);
}

TEST(Fernet, EncryptsNothingThatIsDatedBefore1970) {
  const FernetKey key = NewKey();
  const Fernet fernet = Make({&key});
  EXPECT_EQ(fernet.EncryptAt("x", At(-1)).error().code(), ErrorCode::kUsage);
  EXPECT_TRUE(fernet.EncryptAt("x", At(0)));
}

TEST(Fernet, DecryptsWithAnyKeyAndSaysWhich) {
  const FernetKey current = NewKey();
  const FernetKey previous = NewKey();
  const Fernet both = Make({&current, &previous});
  EXPECT_EQ(both.Decrypt(Encrypted(both, "x"))->key, 0U);
  EXPECT_EQ(both.Decrypt(Encrypted(Make({&previous}), "x"))->key, 1U);
  EXPECT_FALSE(Make({&previous}).Decrypt(Encrypted(both, "x")));
}

TEST(Fernet, KeepsTimeAndPlaintextWhenItRotates) {
  const FernetKey current = NewKey();
  const FernetKey previous = NewKey();
  const Fernet both = Make({&current, &previous});
  const std::string old = Encrypted(Make({&previous}), "fake-value", 1'234'567);
  const auto rotated = both.Rotate(old);
  ASSERT_TRUE(rotated);
  const auto message = Make({&current}).Decrypt(*rotated);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->plaintext.Reveal(), "fake-value");
  EXPECT_EQ(message->encrypted_at, At(1'234'567));
  EXPECT_FALSE(Make({&previous}).Decrypt(*rotated));
  EXPECT_NE(*both.Rotate(old), *rotated);  // another IV
}

TEST(Fernet, RotatesLongValuesToo) {
  const FernetKey current = NewKey();
  const FernetKey previous = NewKey();
  const Fernet both = Make({&current, &previous});
  const std::string value(3'000'000, 'x');
  for (int round = 0; round < 2; ++round) {
    const auto rotated = both.Rotate(Encrypted(Make({&previous}), value));
    ASSERT_TRUE(rotated);
    EXPECT_EQ(Make({&current}).Decrypt(*rotated)->plaintext.Reveal(), value);
  }
}

TEST(Fernet, AcceptsATokenUntilItsLastSecond) {
  const FernetKey key = NewKey();
  const Fernet fernet = Make({&key});
  const std::string token = Encrypted(fernet, "x", 1000);
  EXPECT_TRUE(IsAccepted(fernet, token, {.ttl = seconds(60), .now = At(1060)}));
  EXPECT_FALSE(IsAccepted(fernet, token, {.ttl = seconds(60), .now = At(1061)}));
  EXPECT_TRUE(IsAccepted(fernet, token, {.ttl = seconds(0), .now = At(1000)}));
  EXPECT_FALSE(IsAccepted(fernet, token, {.ttl = seconds(-1), .now = At(1000)}));
  EXPECT_TRUE(IsAccepted(fernet, token, {.ttl = seconds::max(), .now = At(9'000'000'000)}));
  EXPECT_TRUE(IsAccepted(fernet, token, {.now = At(9'000'000'000)}));
}

TEST(Fernet, GrantsOtherClocksAMinuteWhereThereIsATtl) {
  const FernetKey key = NewKey();
  const Fernet fernet = Make({&key});
  const std::string token = Encrypted(fernet, "x", 1000);
  EXPECT_TRUE(IsAccepted(fernet, token, {.ttl = seconds(60), .now = At(940)}));
  EXPECT_FALSE(IsAccepted(fernet, token, {.ttl = seconds(60), .now = At(939)}));
  EXPECT_TRUE(IsAccepted(fernet, token, {.now = At(0)}));
}

TEST(Fernet, SaysTheSameWhateverIsWrong) {
  const FernetKey key = NewKey();
  const FernetKey other = NewKey();
  const Fernet fernet = Make({&key});
  const std::string token = Encrypted(fernet, "fake-value", 1000);
  std::string damaged = token;
  damaged[20] = damaged[20] == 'A' ? 'B' : 'A';
  std::set<std::pair<std::string, std::string>> said;
  for (const std::string& text :
       {std::string(), std::string("fake-token"), damaged, token + "\n", token.substr(4),
        Encrypted(Make({&other}), "fake-value"), token}) {
    const auto refused = fernet.Decrypt(text, {.ttl = seconds(1)});
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code(), ErrorCode::kBadData);
    said.insert({refused.error().reason(), refused.error().cure()});
  }
  EXPECT_EQ(said.size(), 1U);
  EXPECT_EQ(fernet.Rotate(damaged).error().reason(), said.begin()->first);
  EXPECT_EQ(fernet.ExtractTimestamp(damaged).error().reason(), said.begin()->first);
}

TEST(Fernet, ReadsLenientlyWhenAskedTo) {
  const FernetKey key = NewKey();
  const Fernet fernet = Make({&key});
  const std::string token = Encrypted(fernet, "fake-value") + "\n";
  EXPECT_FALSE(fernet.Decrypt(token));
  const auto message = fernet.Decrypt(token, {.is_lenient = true});
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->was_lenient);
  EXPECT_FALSE(fernet.Decrypt(Encrypted(fernet, "x"), {.is_lenient = true})->was_lenient);
}

TEST(Fernet, RefusesAnyChangedBit) {
  const FernetKey key = NewKey();
  const Fernet fernet = Make({&key});
  const std::string token = Encrypted(fernet, "fake-value-of-some-length");
  for (std::size_t i = 0; i < token.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = token;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      ASSERT_FALSE(IsAccepted(fernet, changed, {})) << i << " " << bit;
    }
  }
}

TEST(Fernet, WorksOnManyThreadsAtOnce) {
  const FernetKey current = NewKey();
  const FernetKey previous = NewKey();
  const Fernet both = Make({&current, &previous});
  const Fernet old = Make({&previous});
  std::atomic<int> wrong = 0;
  std::array<std::vector<std::string>, 8> tokens;
  {
    std::vector<std::jthread> threads;
    for (std::size_t thread = 0; thread < tokens.size(); ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 200; ++i) {
          const std::string value = std::to_string(thread) + "-" + std::to_string(i);
          const auto token = old.Encrypt(value);
          const auto rotated = token ? both.Rotate(*token) : Result<std::string>("");
          const auto message = rotated ? both.Decrypt(*rotated) : both.Decrypt("");
          if (!message || message->key != 0 || message->plaintext.Reveal() != value) ++wrong;
          if (rotated) tokens[thread].push_back(*rotated);
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
  std::set<std::string> ivs;
  for (const auto& of_thread : tokens) {
    // 16 bytes from the tenth on: within the characters 12 to 33.
    for (const std::string& token : of_thread) ivs.insert(token.substr(12, 21));
  }
  EXPECT_EQ(ivs.size(), tokens.size() * 200);
}

// A child's token, through a pipe.
std::string EncryptedByAChild(const Fernet& fernet) {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe(ends.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto token = fernet.EncryptAt("fake-value", At(1000));
    const bool is_written = token && write(ends[1], token->data(), token->size()) ==
                                         static_cast<ssize_t>(token->size());
    _exit(is_written ? 0 : 1);
  }
  close(ends[1]);
  std::array<char, 1024> text{};
  const ssize_t size = read(ends[0], text.data(), text.size());
  close(ends[0]);
  int status = 1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

TEST(Fernet, GivesForkedChildrenOtherIvsThanTheirParent) {
  const FernetKey key = NewKey();
  const Fernet fernet = Make({&key});
  ASSERT_TRUE(fernet.Encrypt("so that there are IVs in store"));
  std::set<std::string> tokens;
  for (int i = 0; i < 3; ++i) tokens.insert(EncryptedByAChild(fernet));
  for (int i = 0; i < 3; ++i) tokens.insert(Encrypted(fernet, "fake-value", 1000));
  EXPECT_EQ(tokens.size(), 6U);
  for (const std::string& token : tokens) EXPECT_TRUE(IsAccepted(fernet, token, {}));
}

}  // namespace
}  // namespace qarion::secrets
