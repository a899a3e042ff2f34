#include "qarion/secrets/runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/fake_clock.h"

namespace qarion::secrets {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// A store whose content the test decides.
struct Store {
  std::mutex mutex;
  std::map<std::string, std::string> values;
  std::vector<std::string> credentials;
  std::optional<Error> failure;
  bool is_unmodified = false;
  int version = 1;
  int fetches = 0;
};

class StoreProvider final : public SecretProvider {
 public:
  explicit StoreProvider(Store& store) : store_(store) {}

  Result<Payload> Fetch(const FetchRequest&) override {
    const std::lock_guard lock(store_.mutex);
    ++store_.fetches;
    if (store_.failure) return *store_.failure;
    Payload payload;
    payload.version = std::to_string(store_.version);
    payload.not_modified = store_.is_unmodified;
    if (payload.not_modified) return payload;
    for (const auto& [name, value] : store_.values) {
      payload.fields.push_back({name, Secret::CopyOf(value), "store"});
    }
    payload.findings.push_back({Severity::kWarning, "store", "is a test", "nothing to mend"});
    return payload;
  }
  std::string Source() const override { return "a map"; }
  std::vector<Secret> Credentials() const override {
    const std::lock_guard lock(store_.mutex);
    std::vector<Secret> credentials;
    for (const std::string& text : store_.credentials) credentials.push_back(Secret::CopyOf(text));
    return credentials;
  }

 private:
  Store& store_;
};

class RuntimeTest : public testing::Test {
 protected:
  Result<Runtime> Make(std::map<std::string, std::string> settings = {},
                       std::vector<std::string> fields = {}) {
    settings.try_emplace("SECRETS_ENV_FILE", "/dev/null");
    return Runtime::Create({.settings = std::move(settings),
                            .fields = std::move(fields),
                            .provider = std::make_unique<StoreProvider>(store_),
                            .clock = clock_});
  }

  Store store_{.values = {{"SECRET_KEY", "fake-signing-key"},
                          {"LLM_API_KEY_CONTROL_PLANE", "fake-model-key"},
                          {"UNMANAGED", "fake-unmanaged-value"}}};
  std::shared_ptr<core::FakeClock> clock_ = std::make_shared<core::FakeClock>();
};

TEST_F(RuntimeTest, GivesTheValueOfAManagedField) {
  auto runtime = Make();
  ASSERT_TRUE(runtime) << runtime.error().reason();
  auto value = runtime->Get("SECRET_KEY");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->Reveal(), "fake-signing-key");
}

TEST_F(RuntimeTest, TakesSlashReferences) {
  auto runtime = Make();
  ASSERT_TRUE(runtime);
  auto value = runtime->Get("llm_api_key/control_plane");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->Reveal(), "fake-model-key");
}

TEST_F(RuntimeTest, TellsAFieldThatIsNotSetFromOneThatIsNotManaged) {
  auto runtime = Make();
  ASSERT_TRUE(runtime);
  EXPECT_EQ(runtime->Get("SMTP_PASSWORD").error().code(), ErrorCode::kNotSet);
  const auto unknown = runtime->Get("SMTP_PASSWRD");
  EXPECT_EQ(unknown.error().code(), ErrorCode::kUsage);
  EXPECT_THAT(unknown.error().cure(), HasSubstr("did you mean SMTP_PASSWORD?"));
  EXPECT_EQ(runtime->Get("UNMANAGED").error().code(), ErrorCode::kUsage);
}

TEST_F(RuntimeTest, DoesNotShowATextThatIsNoName) {
  auto runtime = Make();
  ASSERT_TRUE(runtime);
  const auto error = runtime->Get("fake secret given as a name").error();
  EXPECT_EQ(error.code(), ErrorCode::kUsage);
  EXPECT_THAT(error.reason(), Not(HasSubstr("fake secret")));
}

TEST_F(RuntimeTest, ManagesFurtherFieldsFromOptionsAndSettings) {
  auto by_option = Make({}, {"UNMANAGED"});
  ASSERT_TRUE(by_option);
  EXPECT_TRUE(by_option->Get("UNMANAGED"));
  auto by_setting = Make({{"SECRETS_FIELDS", "OTHER, UNMAN*"}});
  ASSERT_TRUE(by_setting);
  EXPECT_TRUE(by_setting->Get("UNMANAGED"));
}

TEST_F(RuntimeTest, RefusesAnImpossibleFieldName) {
  const auto runtime = Make({{"SECRETS_FIELDS", "GOOD,not*good"}});
  ASSERT_FALSE(runtime);
  EXPECT_EQ(runtime.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(runtime.error().reason(), HasSubstr("SECRETS_FIELDS"));
}

TEST_F(RuntimeTest, KnowsEveryFetchedValueToTheScrubberManagedOrNot) {
  auto runtime = Make();
  ASSERT_TRUE(runtime);
  EXPECT_EQ(runtime->scrubber().Scrub("a fake-signing-key b fake-unmanaged-value c"),
            "a *** b *** c");
}

TEST_F(RuntimeTest, MasksTheValuesOfEarlierFetchesForAnHourAtLeast) {
  auto runtime = Make({{"SECRETS_MAX_STALE", "60"}});
  ASSERT_TRUE(runtime);
  store_.values["SECRET_KEY"] = "fake-newer-key";
  ASSERT_TRUE(runtime->Refresh());
  const std::string text = "fake-signing-key fake-newer-key fake-unmanaged-value";
  EXPECT_EQ(runtime->scrubber().Scrub(text), "*** *** ***");
  clock_->Advance(std::chrono::minutes(59));
  ASSERT_TRUE(runtime->Refresh());
  EXPECT_EQ(runtime->scrubber().Scrub(text), "*** *** ***");
  clock_->Advance(std::chrono::minutes(2));
  ASSERT_TRUE(runtime->Refresh());
  EXPECT_EQ(runtime->scrubber().Scrub(text), "fake-signing-key *** ***");
}

// A fetch that logs in, and what comes of it.
struct Login {
  const char* name;
  bool is_unmodified;
  std::optional<Error> failure;
};

class RuntimeMasksTokens : public RuntimeTest, public testing::WithParamInterface<Login> {
 protected:
  std::string Scrubbed(const Runtime& runtime) {
    return runtime.scrubber().Scrub("fake-password fake-token-1 fake-token-2");
  }
};

TEST_P(RuntimeMasksTokens, AfterAnyFetchAndForAnHourAfterTheirEnd) {
  store_.credentials = {"fake-password"};
  auto runtime = Make({{"SECRETS_MAX_STALE", "60"}});
  ASSERT_TRUE(runtime);
  store_.is_unmodified = GetParam().is_unmodified;
  store_.failure = GetParam().failure;
  const auto log_in = [&](const char* token) {
    store_.credentials = {"fake-password", token};
    static_cast<void>(runtime->Refresh());
  };
  EXPECT_EQ(Scrubbed(*runtime), "*** fake-token-1 fake-token-2");
  log_in("fake-token-1");
  EXPECT_EQ(Scrubbed(*runtime), "*** *** fake-token-2");
  clock_->Advance(std::chrono::hours(2));  // while it is in use
  log_in("fake-token-2");
  EXPECT_EQ(Scrubbed(*runtime), "*** *** ***");
  clock_->Advance(std::chrono::minutes(59));
  log_in("fake-token-2");
  EXPECT_EQ(Scrubbed(*runtime), "*** *** ***");
  clock_->Advance(std::chrono::minutes(2));
  log_in("fake-token-2");
  EXPECT_EQ(Scrubbed(*runtime), "*** fake-token-1 ***");
}

INSTANTIATE_TEST_SUITE_P(
    Fetch, RuntimeMasksTokens,
    testing::Values(Login{"Read", false, {}}, Login{"NotModified", true, {}},
                    Login{"Refused", false, Error(ErrorCode::kNotPermitted, "fake refusal")},
                    Login{"Unanswered", false, Error(ErrorCode::kUnavailable, "fake failure")}),
    [](const auto& tested) { return std::string(tested.param.name); });

// Modules may know no better than to give them once.
TEST_F(RuntimeTest, MasksForGoodWhatTheBackendGaveBeforeTheFirstFetch) {
  store_.credentials = {"fake-password"};
  auto runtime = Make();
  ASSERT_TRUE(runtime);
  store_.credentials.clear();
  for (int refreshes = 0; refreshes < 3; ++refreshes) {
    ASSERT_TRUE(runtime->Refresh());
    clock_->Advance(std::chrono::hours(48));
  }
  EXPECT_EQ(runtime->scrubber().Scrub("fake-password"), "***");
}

TEST_F(RuntimeTest, TellsTheScrubberWhoseValueEachIs) {
  store_.credentials = {"fake-token"};
  auto runtime = Make();
  ASSERT_TRUE(runtime);
  std::vector<std::string> names;
  StreamScrubber stream(
      runtime->scrubber(), [](std::string_view) {},
      [&](const StreamScrubber::Occurrence& found) { names.emplace_back(found.name); });
  stream.Write("fake-signing-key fake-unmanaged-value fake-token");
  stream.Finish();
  EXPECT_THAT(names, ElementsAre("SECRET_KEY", "UNMANAGED", "backend credential"));
}

TEST_F(RuntimeTest, LetsThroughWhatSettingsSay) {
  store_.values["LLM_API_KEY_LOCAL"] = "none";
  store_.values["OTHER"] = "postgres";
  auto runtime =
      Make({{"SECRETS_SCRUB_MIN_LENGTH", "5"}, {"SECRETS_SCRUB_ALLOW", "postgres, other"}});
  ASSERT_TRUE(runtime);
  EXPECT_EQ(runtime->scrubber().Scrub("none postgres fake-signing-key"), "none postgres ***");
  const RuntimeStatus status = runtime->status();
  const auto allow = std::ranges::find(status.settings, "SECRETS_SCRUB_ALLOW", &SettingInUse::name);
  ASSERT_NE(allow, status.settings.end());
  EXPECT_EQ(allow->value, "");
}

TEST_F(RuntimeTest, MasksAsOptionsSay) {
  auto runtime = Runtime::Create(
      {.settings = {{"SECRETS_ENV_FILE", "/dev/null"},
                    {"SECRETS_SCRUB_MIN_LENGTH", "1000"},
                    {"SECRETS_SCRUB_ALLOW", "fake-model-key"}},
       .provider = std::make_unique<StoreProvider>(store_),
       .clock = clock_,
       .scrubbing = {.min_length = 5, .mask = "[hidden]", .allow = {"fake-unmanaged-value"}}});
  ASSERT_TRUE(runtime);
  EXPECT_EQ(runtime->scrubber().Scrub("fake-signing-key fake-model-key fake-unmanaged-value"),
            "[hidden] fake-model-key fake-unmanaged-value");
}

TEST_F(RuntimeTest, ReadsSeveralFieldsFromOneSnapshot) {
  auto runtime = Make();
  ASSERT_TRUE(runtime);
  auto before = runtime->TakeSnapshot();
  ASSERT_TRUE(before);
  store_.values["SECRET_KEY"] = "fake-newer-key";
  ASSERT_TRUE(runtime->Refresh());
  EXPECT_TRUE((*before)->Find("SECRET_KEY")->ConstantTimeEquals("fake-signing-key"));
  EXPECT_TRUE(runtime->Get("SECRET_KEY")->ConstantTimeEquals("fake-newer-key"));
}

TEST_F(RuntimeTest, ReaderFindsWhatGetFinds) {
  auto runtime = Make();
  ASSERT_TRUE(runtime);
  Reader reader = runtime->NewReader();
  auto found = reader.Find("SECRET_KEY");
  ASSERT_TRUE(found);
  EXPECT_TRUE((*found)->ConstantTimeEquals("fake-signing-key"));
  EXPECT_EQ(reader.Find("SMTP_PASSWORD").error().code(), ErrorCode::kNotSet);
}

TEST_F(RuntimeTest, ReaderHasTheLatestSnapshot) {
  auto runtime = Make();
  ASSERT_TRUE(runtime);
  Reader reader = runtime->NewReader();
  const auto first = reader.Latest();
  ASSERT_TRUE(first);
  EXPECT_TRUE((*first)->Find("SECRET_KEY")->ConstantTimeEquals("fake-signing-key"));
  EXPECT_EQ(*reader.Latest(), *first);
  ASSERT_TRUE(runtime->Refresh());
  EXPECT_NE(*reader.Latest(), *first);
}

TEST_F(RuntimeTest, TellsSubscribersWhichFieldsChanged) {
  auto runtime = Make();
  ASSERT_TRUE(runtime);
  std::mutex mutex;
  std::condition_variable called;
  std::vector<std::string> names;
  const Subscription subscription = runtime->OnChange([&](const Change& change) {
    const std::lock_guard lock(mutex);
    names.assign(change.fields().begin(), change.fields().end());
    called.notify_all();
  });
  {
    const std::lock_guard lock(store_.mutex);
    store_.version = 2;
    store_.values["SMTP_PASSWORD"] = "fake-mail-password";
    store_.values.erase("LLM_API_KEY_CONTROL_PLANE");
  }
  ASSERT_TRUE(runtime->Refresh());
  std::unique_lock lock(mutex);
  called.wait(lock, [&] { return !names.empty(); });
  EXPECT_THAT(names, testing::UnorderedElementsAre("SMTP_PASSWORD", "LLM_API_KEY_CONTROL_PLANE"));
}

TEST_F(RuntimeTest, FailsTheStartWithTheBackendsAnswer) {
  store_.failure = Error(ErrorCode::kNotPermitted, "the store refuses").Cure("ask for access");
  const auto runtime = Make();
  ASSERT_FALSE(runtime);
  EXPECT_EQ(runtime.error().code(), ErrorCode::kNotPermitted);
  EXPECT_EQ(runtime.error().cure(), "ask for access");
}

TEST_F(RuntimeTest, FetchesOnEveryReadWithoutACache) {
  auto runtime = Make({{"SECRETS_CACHE_TTL", "0"}});
  ASSERT_TRUE(runtime);
  const int before = store_.fetches;
  ASSERT_TRUE(runtime->Get("SECRET_KEY"));
  ASSERT_TRUE(runtime->Get("SECRET_KEY"));
  EXPECT_EQ(store_.fetches, before + 2);
}

TEST_F(RuntimeTest, ChecksFieldsAndPassesOnWhatTheProviderNoticedErrorsFirst) {
  store_.values["SECRET_KEY"] = "short";
  auto runtime = Make();
  ASSERT_TRUE(runtime);
  auto findings = runtime->Check();
  ASSERT_TRUE(findings);
  ASSERT_GE(findings->size(), 2u);
  EXPECT_EQ(findings->front().severity, Severity::kError);
  EXPECT_EQ(findings->front().subject, "SECRET_KEY");
  EXPECT_EQ(findings->back().subject, "store");
}

TEST_F(RuntimeTest, SaysWhereItsSettingsComeFrom) {
  auto runtime = Make({{"SECRETS_CACHE_TTL", "60"}});
  ASSERT_TRUE(runtime);
  const RuntimeStatus status = runtime->status();
  EXPECT_EQ(status.source, "a map");
  EXPECT_EQ(status.version, "1");
  EXPECT_EQ(status.fields_set, 2u);
  EXPECT_EQ(status.freshness, Freshness::kFresh);
  const auto ttl = std::ranges::find(status.settings, "SECRETS_CACHE_TTL", &SettingInUse::name);
  ASSERT_NE(ttl, status.settings.end());
  EXPECT_EQ(ttl->value, "60");
  EXPECT_EQ(ttl->source, "option");
}

TEST(RuntimeSettings, RefusesAnUnknownBackendAndListsTheKnownOnes) {
  const auto runtime = Runtime::Create(
      {.settings = {{"SECRETS_ENV_FILE", "/dev/null"}, {"SECRETS_BACKEND", "evn"}}});
  ASSERT_FALSE(runtime);
  EXPECT_EQ(runtime.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(runtime.error().reason(), HasSubstr("SECRETS_BACKEND"));
  EXPECT_THAT(runtime.error().cure(), HasSubstr("env"));
}

class WrongMinLength : public testing::TestWithParam<const char*> {};

TEST_P(WrongMinLength, IsAnErrorThatNamesTheSettingAndWhatIsAccepted) {
  const auto runtime = Runtime::Create(
      {.settings = {{"SECRETS_ENV_FILE", "/dev/null"}, {"SECRETS_SCRUB_MIN_LENGTH", GetParam()}}});
  ASSERT_FALSE(runtime);
  EXPECT_EQ(runtime.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(runtime.error().reason(), HasSubstr("SECRETS_SCRUB_MIN_LENGTH"));
  EXPECT_THAT(runtime.error().cure(), HasSubstr("1 to 1024"));
}

INSTANTIATE_TEST_SUITE_P(RuntimeSettings, WrongMinLength,
                         testing::Values("0", "-1", "1025", "four", ""));

class WrongTtl : public testing::TestWithParam<const char*> {};

TEST_P(WrongTtl, IsAnErrorThatNamesTheSettingAndWhatIsAccepted) {
  const auto runtime = Runtime::Create(
      {.settings = {{"SECRETS_ENV_FILE", "/dev/null"}, {"SECRETS_CACHE_TTL", GetParam()}}});
  ASSERT_FALSE(runtime);
  EXPECT_EQ(runtime.error().code(), ErrorCode::kConfiguration);
  EXPECT_THAT(runtime.error().reason(), HasSubstr("SECRETS_CACHE_TTL"));
  EXPECT_THAT(runtime.error().cure(), HasSubstr("0 to 86400"));
}

INSTANTIATE_TEST_SUITE_P(RuntimeSettings, WrongTtl,
                         testing::Values("5m", "-1", "1e3", "", "86401", "99999999999999999999",
                                         " 5", "5 ", "5.0", "+5", "0x10"));

}  // namespace
}  // namespace qarion::secrets
