// Verifiers that follow the keys of a runtime.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/fake_clock.h"
#include "qarion/secrets/jwt_verifier.h"
#include "tests/support/changing_store.h"

namespace qarion::secrets::jwt {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

class LiveKeys : public testing::Test {
 protected:
  LiveKeys() { Set({{"SECRET_KEY", &first_}}); }

  void Set(const std::vector<std::pair<const char*, const Secret*>>& keys) {
    const std::lock_guard lock(content_.mutex);
    content_.values.clear();
    for (const auto& [field, key] : keys) content_.values[field] = std::string(key->Reveal());
    ++content_.version;
  }
  int Fetches() {
    const std::lock_guard lock(content_.mutex);
    return content_.fetches;
  }
  Runtime Make(const std::string& ttl = "300") {
    auto runtime = Runtime::Create(
        {.settings = {{"SECRETS_ENV_FILE", "/dev/null"}, {"SECRETS_CACHE_TTL", ttl}},
         .provider = std::make_unique<test::ChangingStore>(content_),
         .clock = clock_});
    EXPECT_TRUE(runtime);
    return *std::move(runtime);
  }
  std::string SignedWith(const Secret& key) {
    return *(*Signer::With(key.Share())).UseClock(clock_).Sign(ClaimsBuilder());
  }
  std::string SignedWithoutKeyId(const Secret& key) {
    return *(*Signer::With(key.Share())).UseClock(clock_).OmitKeyId().Sign(ClaimsBuilder());
  }

  test::ChangingStore::Content content_;
  const std::shared_ptr<core::FakeClock> clock_ = std::make_shared<core::FakeClock>();
  const Secret first_ = *GenerateKey();
  const Secret second_ = *GenerateKey();
};

TEST_F(LiveKeys, AreTakenFromTheSnapshot) {
  Runtime runtime = Make();
  const Verifier verifier = Verifier::For(runtime).UseClock(clock_);
  EXPECT_TRUE(verifier.Check());
  const std::string by_first = SignedWith(first_);
  const std::string by_second = SignedWith(second_);
  EXPECT_EQ(verifier.Verify(by_first)->key(), KeyRole::kCurrent);

  Set({{"SECRET_KEY", &first_}, {"SECRET_KEY_NEXT", &second_}});
  ASSERT_TRUE(runtime.Refresh());
  EXPECT_EQ(verifier.Verify(by_second)->key(), KeyRole::kNext);

  Set({{"SECRET_KEY", &second_}, {"SECRET_KEY_PREVIOUS", &first_}});
  ASSERT_TRUE(runtime.Refresh());
  EXPECT_EQ(verifier.Verify(by_first)->key(), KeyRole::kPrevious);
  EXPECT_EQ(verifier.Verify(by_second)->key(), KeyRole::kCurrent);

  Set({{"SECRET_KEY", &second_}});
  ASSERT_TRUE(runtime.Refresh());
  EXPECT_FALSE(verifier.Verify(by_first));
}

TEST_F(LiveKeys, AreFetchedForATokenOfAKeyThatIsNotKnown) {
  for (const bool has_key_id : {true, false}) {
    Set({{"SECRET_KEY", &first_}});
    Runtime runtime = Make();
    const Verifier verifier = Verifier::For(runtime).UseClock(clock_);
    Set({{"SECRET_KEY", &second_}, {"SECRET_KEY_PREVIOUS", &first_}});
    const int before = Fetches();
    const auto verified =
        verifier.Verify(has_key_id ? SignedWith(second_) : SignedWithoutKeyId(second_));
    ASSERT_TRUE(verified) << verified.error().reason();
    EXPECT_EQ(verified->key(), KeyRole::kCurrent);
    EXPECT_EQ(Fetches(), before + 1);
    EXPECT_EQ(verifier.statistics().refreshes, 1);
    EXPECT_EQ(verifier.statistics().Rejected(Rejection::kUnknownKey), 0);
  }
}

TEST_F(LiveKeys, AreNotFetchedMoreOftenForAFloodOfForgedTokens) {
  Runtime runtime = Make();
  const Verifier verifier = Verifier::For(runtime).UseClock(clock_);
  const int before = Fetches();
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(verifier.Verify(i % 2 == 0 ? SignedWith(second_) : SignedWithoutKeyId(second_)));
  }
  EXPECT_EQ(Fetches(), before + 1);
  clock_->Advance(seconds(10));
  EXPECT_FALSE(verifier.Verify(SignedWith(second_)));
  EXPECT_EQ(Fetches(), before + 2);
}

TEST_F(LiveKeys, AreFetchedOnceForAllVerifiersOfARuntime) {
  Runtime runtime = Make();
  const Verifier access = Verifier::For(runtime).UseClock(clock_);
  const Verifier refresh = Verifier::For(runtime).UseClock(clock_).RequireType("refresh+jwt");
  const int before = Fetches();
  EXPECT_FALSE(access.Verify(SignedWith(second_)));
  EXPECT_FALSE(refresh.Verify(SignedWith(second_)));
  EXPECT_FALSE(Verifier::For(runtime).UseClock(clock_).Verify(SignedWith(second_)));
  EXPECT_EQ(Fetches(), before + 1);
}

TEST_F(LiveKeys, AreNotFetchedForShapesThatAreNoneWhereNothingIsCached) {
  Runtime runtime = Make("0");
  const Verifier verifier = Verifier::For(runtime).UseClock(clock_);
  const int before = Fetches();
  for (const std::string& token : {std::string("x"), std::string("a.b.c"),
                                   std::string("e30.e30.AA"), std::string(100'000, 'x')}) {
    EXPECT_FALSE(verifier.Verify(token));
  }
  EXPECT_EQ(Fetches(), before);
  EXPECT_FALSE(verifier.Verify(SignedWith(second_)));
  EXPECT_EQ(Fetches(), before + 1);
}

TEST_F(LiveKeys, AreNotFetchedForWhatNoFetchCouldMend) {
  Runtime runtime = Make();
  const Verifier verifier = Verifier::For(runtime).UseClock(clock_);
  const std::string expired = SignedWith(first_);
  clock_->Advance(seconds(1800));
  std::string forged = SignedWith(first_);  // names a key that is known
  forged[forged.size() - 3] = forged[forged.size() - 3] == 'A' ? 'B' : 'A';
  ASSERT_TRUE(runtime.Refresh());
  const int before = Fetches();
  for (const std::string& token : {expired, forged, std::string("a.b"), std::string("e30.e30.AA"),
                                   std::string(100'000, 'x')}) {
    EXPECT_FALSE(verifier.Verify(token));
  }
  EXPECT_EQ(Fetches(), before);
}

TEST_F(LiveKeys, DoNotWaitLongForAStoreThatIsDown) {
  Runtime runtime = Make();
  const Verifier verifier = Verifier::For(runtime).UseClock(clock_);
  ASSERT_TRUE(verifier.Verify(SignedWith(first_)));
  {
    const std::lock_guard lock(content_.mutex);
    content_.is_down = true;
  }
  const auto refused = verifier.Verify(SignedWith(second_));
  ASSERT_FALSE(refused);
  EXPECT_EQ(RejectionOf(refused.error()), Rejection::kUnknownKey);
  EXPECT_TRUE(verifier.Verify(SignedWith(first_)));
}

TEST_F(LiveKeys, AreMissedWithAnErrorWhereTheStoreIsDownFromTheStart) {
  Runtime runtime = Make("0");
  const Signer signer = Signer::For(runtime);
  const Verifier verifier = Verifier::For(runtime).UseClock(clock_);
  const std::string token = SignedWith(first_);
  {
    const std::lock_guard lock(content_.mutex);
    content_.is_down = true;
  }
  EXPECT_EQ(signer.Sign({}).error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(verifier.Verify(token).error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(signer.Check().error().code(), ErrorCode::kUnavailable);
}

TEST_F(LiveKeys, AreReadEachTimeWhereNothingIsCached) {
  Runtime runtime = Make("0");
  const Verifier verifier = Verifier::For(runtime).UseClock(clock_);
  EXPECT_TRUE(verifier.Verify(SignedWith(first_)));
  Set({{"SECRET_KEY", &second_}});
  EXPECT_TRUE(verifier.Verify(SignedWith(second_)));
  EXPECT_FALSE(verifier.Verify(SignedWith(first_)));
}

TEST_F(LiveKeys, TellWhatIsWrongWithThem) {
  const Secret weak = Secret::CopyOf("fake-weak-key");
  Set({{"SECRET_KEY", &first_}, {"SECRET_KEY_NEXT", &weak}});
  Runtime runtime = Make();
  const Verifier verifier = Verifier::For(runtime).UseClock(clock_);
  const auto checked = verifier.Check();
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().reason(), HasSubstr("SECRET_KEY_NEXT has 13 bytes"));
  EXPECT_TRUE(verifier.Verify(SignedWith(first_)));  // the others serve

  Set({{"SECRET_KEY", &weak}});
  ASSERT_TRUE(runtime.Refresh());
  const auto refused = verifier.Verify(SignedWith(first_));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kConfiguration);
  EXPECT_EQ(Signer::For(runtime).Sign({}).error().code(), ErrorCode::kConfiguration);
}

// For ThreadSanitizer: rotations under load.
TEST_F(LiveKeys, ChangeUnderLoad) {
  Set({{"SECRET_KEY", &first_}, {"SECRET_KEY_NEXT", &second_}});
  Runtime runtime = Make();
  const Verifier verifier = Verifier::For(runtime).UseClock(clock_);
  const Signer signer = Signer::For(runtime).UseClock(clock_);
  std::atomic<bool> stops = false;
  std::atomic<int> refused = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (!stops) {
        const auto token = signer.Sign(ClaimsBuilder().Subject("joe"));
        if (!token || !verifier.Verify(*token)) ++refused;
        static_cast<void>(verifier.statistics());
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    if (i % 2 == 0) {
      Set({{"SECRET_KEY", &second_}, {"SECRET_KEY_PREVIOUS", &first_}});
    } else {
      Set({{"SECRET_KEY", &first_}, {"SECRET_KEY_PREVIOUS", &second_}});
    }
    EXPECT_TRUE(runtime.Refresh());
  }
  stops = true;
  threads.clear();
  EXPECT_EQ(refused, 0);
}

}  // namespace
}  // namespace qarion::secrets::jwt
