#include "runtime/module_provider.h"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/environment.h"
#include "core/fake_clock.h"
#include "core/settings.h"
#include "tests/support/revealed.h"

namespace qarion::secrets::runtime {
namespace {

using std::chrono::milliseconds;

// A module in this very program whose functions each test writes itself.
struct Script {
  std::function<int(const qarion_secrets_host&, const qarion_secrets_error_sink&)> create =
      [](const auto&, const auto&) { return QARION_SECRETS_OK; };
  std::function<int(const qarion_secrets_request&, const qarion_secrets_payload_sink&,
                    const qarion_secrets_error_sink&)>
      fetch = [](const auto&, const auto&, const auto&) { return QARION_SECRETS_OK; };
  std::function<const char*()> source = [] { return "a shelf"; };
  std::vector<std::string> credentials;
  const qarion_secrets_host* host = nullptr;
  int destroyed = 0;
};
Script* g_script = nullptr;

const qarion_secrets_provider_table kTable = {
    .size = sizeof kTable,
    .abi_version = QARION_SECRETS_ABI_VERSION,
    .name = "shop",
    .create = [](const qarion_secrets_host* host, const qarion_secrets_error_sink* error,
                 void** instance) -> int {
      g_script->host = host;
      *instance = g_script;
      return g_script->create(*host, *error);
    },
    .destroy = [](void* instance) { ++static_cast<Script*>(instance)->destroyed; },
    .fetch = [](void* instance, const qarion_secrets_request* request,
                const qarion_secrets_payload_sink* payload,
                const qarion_secrets_error_sink* error) -> int {
      return static_cast<Script*>(instance)->fetch(*request, *payload, *error);
    },
    .source = [](void* instance) { return static_cast<Script*>(instance)->source(); },
    .credentials =
        [](void* instance, void* context,
           void (*add)(void* context, const char* value, std::size_t value_size)) {
          for (const std::string& text : static_cast<Script*>(instance)->credentials) {
            add(context, text.data(), text.size());
          }
        },
};

class ModuleProvider : public testing::Test {
 protected:
  ModuleProvider() {
    g_script = &script_;
    auto settings = core::Settings::Load(
        environment_, {{"SECRETS_ENV_FILE", "/dev/null"}, {"SHOP_TOKEN", "fake-token"}});
    EXPECT_TRUE(settings);
    if (settings) settings_ = std::move(*settings);
  }

  Result<std::unique_ptr<SecretProvider>> Create() {
    return CreateModuleProvider(
        kTable, core::ProviderContext{
                    .settings = settings_, .clock = clock_, .log = [this](std::string_view line) {
                      lines_.emplace_back(line);
                    }});
  }

  Result<Payload> Fetch(std::string known_version = "") {
    auto provider = Create();
    if (!provider) return std::move(provider).error();
    return (*provider)->Fetch(FetchRequest{.fields = fields_,
                                           .known_version = std::move(known_version),
                                           .deadline = clock_.SteadyNow() + time_left_,
                                           .stop = stop_.get_token()});
  }

  core::MapEnvironment environment_;
  core::Settings settings_;
  core::FakeClock clock_;
  std::chrono::microseconds time_left_ = milliseconds(1500);
  FieldSet fields_ = FieldSet::BuiltIn();
  std::stop_source stop_;
  std::vector<std::string> lines_;
  Script script_;
};

TEST_F(ModuleProvider, ReadsSettingsDuringCreateOnly) {
  std::string token;
  script_.create = [&](const qarion_secrets_host& host, const auto&) {
    token = host.setting(host.context, "SHOP_TOKEN");
    EXPECT_EQ(host.setting(host.context, "SHOP_OTHER"), nullptr);
    EXPECT_EQ(host.setting(host.context, nullptr), nullptr);
    return QARION_SECRETS_OK;
  };
  auto provider = Create();
  ASSERT_TRUE(provider);
  EXPECT_EQ(token, "fake-token");
  EXPECT_EQ(script_.host->setting(script_.host->context, "SHOP_TOKEN"), nullptr);
}

TEST_F(ModuleProvider, LogsLinesWithTheBackendsName) {
  script_.create = [](const qarion_secrets_host& host, const auto&) {
    host.log(host.context, "opened\nthe shop");
    return QARION_SECRETS_OK;
  };
  ASSERT_TRUE(Create());
  EXPECT_EQ(lines_, std::vector<std::string>{"shop: opened the shop"});
}

TEST_F(ModuleProvider, GivesTheCredentialsThatAreInUseNow) {
  script_.credentials = {"fake-password"};
  const auto provider = Create();
  ASSERT_TRUE(provider);
  EXPECT_EQ(test::Revealed((*provider)->Credentials()), script_.credentials);
  script_.credentials = {"fake-password", "fake-token"};
  EXPECT_EQ(test::Revealed((*provider)->Credentials()), script_.credentials);
}

TEST_F(ModuleProvider, GivesSomeHundredCredentials) {
  for (int i = 0; i < 500; ++i) script_.credentials.push_back("fake-key-" + std::to_string(i));
  const auto provider = Create();
  ASSERT_TRUE(provider);
  EXPECT_EQ(test::Revealed((*provider)->Credentials()), script_.credentials);
}

TEST_F(ModuleProvider, DestroysEachInstanceOnce) {
  ASSERT_TRUE(Create());
  EXPECT_EQ(script_.destroyed, 1);
}

TEST_F(ModuleProvider, DestroysNothingAfterAFailedCreate) {
  script_.create = [](const auto&, const auto&) { return QARION_SECRETS_CONFIGURATION; };
  EXPECT_FALSE(Create());
  EXPECT_EQ(script_.destroyed, 0);
}

TEST_F(ModuleProvider, PassesReasonAndCureOfAFailedCreateOn) {
  script_.create = [](const auto&, const qarion_secrets_error_sink& error) {
    error.set(error.context, "SHOP_TOKEN is not set", "set SHOP_TOKEN");
    return QARION_SECRETS_CONFIGURATION;
  };
  auto provider = Create();
  ASSERT_FALSE(provider);
  EXPECT_EQ(provider.error().code(), ErrorCode::kConfiguration);
  EXPECT_EQ(provider.error().reason(), "the backend 'shop': SHOP_TOKEN is not set");
  EXPECT_EQ(provider.error().cure(), "set SHOP_TOKEN");
}

TEST_F(ModuleProvider, PassesOnThatAFailureIsNotToBeRepeated) {
  for (const bool is_repeatable : {true, false}) {
    script_.create = [=](const auto&, const qarion_secrets_error_sink& error) {
      error.set(error.context, "fake", "wait");
      if (!is_repeatable) error.do_not_repeat(error.context);
      return QARION_SECRETS_UNAVAILABLE;
    };
    const auto provider = Create();
    ASSERT_FALSE(provider);
    EXPECT_TRUE(provider.error().IsTransient());
    EXPECT_EQ(provider.error().IsWorthRepeating(), is_repeatable);
  }
}

TEST_F(ModuleProvider, TakesAnExceptionFromCreateForADefect) {
  script_.create = [](const auto&, const auto&) -> int { throw std::runtime_error("fake"); };
  auto provider = Create();
  ASSERT_FALSE(provider);
  EXPECT_EQ(provider.error().code(), ErrorCode::kInternal);
  EXPECT_NE(provider.error().reason().find("threw an exception"), std::string::npos);
}

TEST_F(ModuleProvider, TakesAnExceptionFromFetchForADefect) {
  script_.fetch = [](const auto&, const auto&, const auto&) -> int { throw 1; };
  auto payload = Fetch();
  ASSERT_FALSE(payload);
  EXPECT_EQ(payload.error().code(), ErrorCode::kInternal);
}

TEST_F(ModuleProvider, MapsEveryStatusToItsCode) {
  const std::map<int, ErrorCode> expected = {
      {QARION_SECRETS_BAD_DATA, ErrorCode::kBadData},
      {QARION_SECRETS_UNAVAILABLE, ErrorCode::kUnavailable},
      {QARION_SECRETS_TRY_AGAIN, ErrorCode::kTryAgain},
      {QARION_SECRETS_NOT_PERMITTED, ErrorCode::kNotPermitted},
      {QARION_SECRETS_CONFIGURATION, ErrorCode::kConfiguration},
      {QARION_SECRETS_INTERNAL, ErrorCode::kInternal}};
  for (const auto& answer : expected) {
    const auto& [status, code] = answer;
    script_.fetch = [&answer](const auto&, const auto&, const auto&) { return answer.first; };
    auto payload = Fetch();
    ASSERT_FALSE(payload);
    EXPECT_EQ(payload.error().code(), code) << status;
    EXPECT_NE(payload.error().reason().find("without saying why"), std::string::npos);
  }
}

TEST_F(ModuleProvider, TakesAnUnknownStatusForADefect) {
  for (const int status : {8, -1, 1'000'000}) {
    script_.fetch = [status](const auto&, const auto&, const auto&) { return status; };
    auto payload = Fetch();
    ASSERT_FALSE(payload);
    EXPECT_EQ(payload.error().code(), ErrorCode::kInternal);
    EXPECT_NE(payload.error().reason().find("unknown status " + std::to_string(status)),
              std::string::npos);
  }
}

TEST_F(ModuleProvider, TellsTheModuleTheTimeThatIsLeft) {
  std::int64_t timeout_ms = 0;
  script_.fetch = [&](const qarion_secrets_request& request, const auto&, const auto&) {
    timeout_ms = request.timeout_ms;
    return QARION_SECRETS_UNAVAILABLE;
  };
  EXPECT_FALSE(Fetch());
  EXPECT_EQ(timeout_ms, 1500);
  // In whole milliseconds, which are not fewer.
  time_left_ = milliseconds(1499) + std::chrono::microseconds(1);
  EXPECT_FALSE(Fetch());
  EXPECT_EQ(timeout_ms, 1500);
  time_left_ = milliseconds(-5);
  EXPECT_FALSE(Fetch());
  EXPECT_EQ(timeout_ms, 0);
}

TEST_F(ModuleProvider, TellsTheModuleWhatIsWanted) {
  script_.fetch = [](const qarion_secrets_request& request, const auto&, const auto&) {
    EXPECT_EQ(request.wanted(request.context, "SECRET_KEY"), 1);
    EXPECT_EQ(request.wanted(request.context, "LLM_API_KEY_X"), 1);
    EXPECT_EQ(request.wanted(request.context, "PATH"), 0);
    EXPECT_EQ(request.wanted(request.context, nullptr), 0);
    return QARION_SECRETS_UNAVAILABLE;
  };
  EXPECT_FALSE(Fetch());
}

TEST_F(ModuleProvider, TellsTheModuleThatNobodyWaitsAnyMore) {
  script_.fetch = [&](const qarion_secrets_request& request, const auto&, const auto&) {
    EXPECT_EQ(request.cancelled(request.context), 0);
    stop_.request_stop();
    EXPECT_EQ(request.cancelled(request.context), 1);
    return QARION_SECRETS_UNAVAILABLE;
  };
  EXPECT_FALSE(Fetch());
}

TEST_F(ModuleProvider, TellsTheModuleThatItsTimeIsUp) {
  script_.fetch = [&](const qarion_secrets_request& request, const auto&, const auto&) {
    clock_.Advance(milliseconds(1499));
    EXPECT_EQ(request.cancelled(request.context), 0);
    clock_.Advance(milliseconds(1));
    EXPECT_EQ(request.cancelled(request.context), 1);
    return QARION_SECRETS_UNAVAILABLE;
  };
  EXPECT_FALSE(Fetch());
}

TEST_F(ModuleProvider, AcceptsThatTheKnownVersionIsCurrent) {
  script_.fetch = [](const qarion_secrets_request& request, const auto&, const auto&) {
    EXPECT_STREQ(request.known_version, "v7");
    return QARION_SECRETS_NOT_MODIFIED;
  };
  auto payload = Fetch("v7");
  ASSERT_TRUE(payload);
  EXPECT_TRUE(payload->not_modified);
  EXPECT_EQ(payload->version, "v7");
}

TEST_F(ModuleProvider, PassesOnANewEndOfWhatIsNotModified) {
  script_.fetch = [](const auto&, const qarion_secrets_payload_sink& sink, const auto&) {
    sink.set_expiry(sink.context, 1'800'000'000);
    return QARION_SECRETS_NOT_MODIFIED;
  };
  auto payload = Fetch("v7");
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->expires_at, std::chrono::sys_seconds(std::chrono::seconds(1'800'000'000)));
}

TEST_F(ModuleProvider, RefusesNotModifiedWhereNothingWasKnown) {
  script_.fetch = [](const auto&, const auto&, const auto&) { return QARION_SECRETS_NOT_MODIFIED; };
  auto payload = Fetch();
  ASSERT_FALSE(payload);
  EXPECT_EQ(payload.error().code(), ErrorCode::kInternal);
}

TEST_F(ModuleProvider, NamesTheBackendWhereItsSecretCannotBeUsed) {
  script_.fetch = [](const auto&, const qarion_secrets_payload_sink& sink, const auto&) {
    sink.set_version(sink.context, "v1");
    sink.add_json_object(sink.context, "[]", 2, "shelf");
    return QARION_SECRETS_OK;
  };
  auto payload = Fetch();
  ASSERT_FALSE(payload);
  EXPECT_EQ(payload.error().code(), ErrorCode::kBadData);
  EXPECT_NE(payload.error().reason().find("'shop'"), std::string::npos);
  EXPECT_FALSE(payload.error().cure().empty());
}

TEST_F(ModuleProvider, SaysWhereItReadsFrom) {
  auto provider = Create();
  ASSERT_TRUE(provider);
  EXPECT_EQ((*provider)->Source(), "a shelf");
  script_.source = []() -> const char* { return nullptr; };
  EXPECT_EQ((*provider)->Source(), "module shop");
  script_.source = []() -> const char* { throw 1; };
  EXPECT_EQ((*provider)->Source(), "module shop");
}

}  // namespace
}  // namespace qarion::secrets::runtime
