#include "provider_conformance.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/sanitizers.h"

namespace qarion::secrets::conformance {

Result<Payload> ProviderConformance::Fetch(const std::string& known_version) {
  if (!provider_) {
    auto opened = backend_->Open();
    if (!opened) return std::move(opened).error();
    provider_ = std::move(*opened);
  }
  return provider_->Fetch(FetchRequest{.fields = fields_,
                                       .known_version = known_version,
                                       .deadline = deadline_,
                                       .stop = stop_.get_token()});
}

Backend::Fields ProviderConformance::FetchFields() {
  Backend::Fields values;
  auto payload = Fetch();
  EXPECT_TRUE(payload) << (payload ? "" : payload.error().reason());
  if (!payload) return values;
  for (const Field& field : payload->fields) {
    EXPECT_TRUE(values.emplace(field.name, field.value.Reveal()).second)
        << field.name << " was given twice";
  }
  return values;
}

namespace {

const Backend::Fields kFields = {{"SECRET_KEY", "fake-signing-key-0123456789abcdef"},
                                 {"POSTGRES_PASSWORD", "fake password"},
                                 {"LLM_API_KEY_CONTROL_PLANE", "fake-model-key"}};

TEST_P(ProviderConformance, ReturnsEveryManagedFieldOfTheSecret) {
  backend_->Store(kFields);
  EXPECT_EQ(FetchFields(), kFields);
}

TEST_P(ProviderConformance, ReturnsNoFieldForAnEmptySecret) {
  backend_->Store({});
  EXPECT_EQ(FetchFields(), Backend::Fields{});
}

TEST_P(ProviderConformance, ReturnsEveryKeyWhereEverythingIsManaged) {
  ASSERT_TRUE(fields_.Add("*"));
  const Backend::Fields fields = {{"SECRET_KEY", "fake"}, {"ANYTHING_ELSE", "fake too"}};
  backend_->Store(fields);
  EXPECT_EQ(FetchFields(), fields);
}

TEST_P(ProviderConformance, KeepsTheBytesOfText) {
  const Backend::Fields fields = {{"SECRET_KEY", " '\"\\$#=${HOME}`!\t\r\n "},
                                  {"POSTGRES_PASSWORD", "-----BEGIN\nfake\n-----END\n"},
                                  {"SMTP_PASSWORD", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
                                  {"SCIM_BEARER_TOKEN", ""}};
  backend_->Store(fields);
  EXPECT_EQ(FetchFields(), fields);
}

TEST_P(ProviderConformance, KeepsEveryByte) {
  if (!backend_->holds_any_byte()) GTEST_SKIP() << "this store holds text only";
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte += static_cast<char>(byte);
  backend_->Store({{"SECRET_KEY", every_byte}});
  EXPECT_EQ(FetchFields(), (Backend::Fields{{"SECRET_KEY", every_byte}}));
}

TEST_P(ProviderConformance, KeepsALongValueWhole) {
  const Backend::Fields fields = {{"SECRET_KEY", std::string(backend_->longest_value(), 'x')}};
  backend_->Store(fields);
  EXPECT_EQ(FetchFields(), fields);
}

TEST_P(ProviderConformance, SaysWhereEachValueCameFrom) {
  backend_->Store(kFields);
  auto payload = Fetch();
  ASSERT_TRUE(payload) << payload.error().reason();
  for (const Field& field : payload->fields) EXPECT_FALSE(field.origin.empty()) << field.name;
}

TEST_P(ProviderConformance, GivesTheSameVersionWhileNothingChanges) {
  backend_->Store(kFields);
  auto first = Fetch();
  auto second = Fetch();
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  EXPECT_FALSE(first->version.empty());
  EXPECT_EQ(first->version, second->version);
}

TEST_P(ProviderConformance, GivesAnotherVersionAfterAChange) {
  backend_->Store(kFields);
  auto first = Fetch();
  ASSERT_TRUE(first);
  Backend::Fields changed = kFields;
  changed["SECRET_KEY"] = "fake-signing-key-fedcba9876543210";
  backend_->Store(changed);
  auto second = Fetch(first->version);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->not_modified);
  EXPECT_NE(first->version, second->version);
  EXPECT_EQ(FetchFields(), changed);
}

TEST_P(ProviderConformance, NoticesThatAFieldIsGone) {
  backend_->Store(kFields);
  ASSERT_TRUE(Fetch());
  Backend::Fields fewer = kFields;
  fewer.erase("POSTGRES_PASSWORD");
  backend_->Store(fewer);
  EXPECT_EQ(FetchFields(), fewer);
}

TEST_P(ProviderConformance, AnswersAKnownVersionWithTheSameOrWithNotModified) {
  backend_->Store(kFields);
  auto first = Fetch();
  ASSERT_TRUE(first);
  auto second = Fetch(first->version);
  ASSERT_TRUE(second);
  if (second->not_modified) {
    EXPECT_TRUE(second->fields.empty());
  } else {
    EXPECT_EQ(second->version, first->version);
    EXPECT_EQ(second->fields.size(), kFields.size());
  }
}

TEST_P(ProviderConformance, NeverAnswersNotModifiedToAVersionItDidNotGive) {
  backend_->Store(kFields);
  auto payload = Fetch("a version of another store");
  ASSERT_TRUE(payload);
  EXPECT_FALSE(payload->not_modified);
  EXPECT_EQ(payload->fields.size(), kFields.size());
}

TEST_P(ProviderConformance, RefusesAnUnreadableSecretForGoodWithoutQuotingIt) {
  backend_->Store(kFields);
  ASSERT_TRUE(Fetch());
  backend_->Corrupt("fake-hunter2");
  auto payload = Fetch();
  ASSERT_FALSE(payload);
  const Error& error = payload.error();
  EXPECT_EQ(error.code(), ErrorCode::kBadData);
  EXPECT_FALSE(error.IsTransient());
  EXPECT_FALSE(error.cure().empty());
  EXPECT_EQ(error.reason().find("hunter2"), std::string::npos);
  EXPECT_EQ(error.cure().find("hunter2"), std::string::npos);
  for (const auto& [key, value] : error.context()) {
    EXPECT_EQ(value.find("hunter2"), std::string::npos) << key;
  }
}

TEST_P(ProviderConformance, ReadsAgainAfterAFailure) {
  backend_->Store(kFields);
  ASSERT_TRUE(Fetch());
  backend_->Corrupt("fake");
  EXPECT_FALSE(Fetch());
  backend_->Store(kFields);
  EXPECT_EQ(FetchFields(), kFields);
}

TEST_P(ProviderConformance, RefusesASecretThatIsGoneForGood) {
  backend_->Store(kFields);
  ASSERT_TRUE(Fetch());
  backend_->Remove();
  auto payload = Fetch();
  ASSERT_FALSE(payload);
  EXPECT_FALSE(payload.error().IsTransient());
  EXPECT_FALSE(payload.error().cure().empty());
}

TEST_P(ProviderConformance, ShowsNoValueInWhatItNotices) {
  backend_->Store({{"SECRET_KEY", "fake-hunter2"}});
  auto payload = Fetch();
  ASSERT_TRUE(payload);
  EXPECT_EQ(provider_->Source().find("hunter2"), std::string::npos);
  EXPECT_EQ(payload->version.find("hunter2"), std::string::npos);
  for (const Finding& finding : payload->findings) {
    for (const std::string& text : {finding.subject, finding.problem, finding.cure}) {
      EXPECT_EQ(text.find("hunter2"), std::string::npos);
    }
  }
}

TEST_P(ProviderConformance, SaysWhereItReadsFromBeforeAndAfterAFetch) {
  backend_->Store(kFields);
  auto opened = backend_->Open();
  ASSERT_TRUE(opened);
  provider_ = std::move(*opened);
  const std::string before = provider_->Source();
  EXPECT_FALSE(before.empty());
  ASSERT_TRUE(Fetch());
  EXPECT_EQ(provider_->Source(), before);
}

TEST_P(ProviderConformance, ReturnsSoonWhereNobodyWaits) {
  backend_->Store(kFields);
  ASSERT_TRUE(Fetch());
  stop_.request_stop();
  const auto begin = std::chrono::steady_clock::now();
  static_cast<void>(Fetch());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST_P(ProviderConformance, FailsOnlyForATransientReasonWhereItsTimeIsUp) {
  backend_->Store(kFields);
  ASSERT_TRUE(Fetch());
  deadline_ = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  auto payload = Fetch();
  if (!payload) {
    EXPECT_EQ(payload.error().code(), ErrorCode::kUnavailable);
  }
}

TEST_P(ProviderConformance, ReturnsWhatOutlivesTheProvider) {
  backend_->Store(kFields);
  auto payload = Fetch();
  ASSERT_TRUE(payload);
  provider_.reset();
  backend_.reset();
  std::set<std::string> values;
  for (const Field& field : payload->fields) values.emplace(field.value.Reveal());
  EXPECT_TRUE(values.contains("fake password"));
}

TEST_P(ProviderConformance, FetchesOnOneThreadAfterAnother) {
  backend_->Store(kFields);
  ASSERT_TRUE(Fetch());
  for (int i = 0; i < 3; ++i) {
    std::jthread([this] { EXPECT_EQ(FetchFields(), kFields); }).join();
  }
}

TEST_P(ProviderConformance, DescribesItselfToManyThreads) {
  backend_->Store(kFields);
  ASSERT_TRUE(Fetch());
  const std::string source = provider_->Source();
  const std::size_t lines = provider_->Describe().size();
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 500; ++j) {
        EXPECT_EQ(provider_->Source(), source);
        EXPECT_GE(provider_->Describe().size(), lines);
      }
    });
  }
}

// A server that forks workers after it read its secrets.
TEST_P(ProviderConformance, ServesAForkedChildAndEndsThere) {
  if (test::kHasThreadSanitizer) {
    GTEST_SKIP() << "ThreadSanitizer does not support threads after a fork";
  }
  backend_->Store(kFields);
  ASSERT_EQ(FetchFields(), kFields);
  ASSERT_TRUE(Fetch());  // whatever begins after the first fetch has begun
  const pid_t child = fork();
  if (child == 0) {
    alarm(30);
    const bool reads = FetchFields() == kFields;
    provider_.reset();
    _exit(reads ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(FetchFields(), kFields);
}

TEST_P(ProviderConformance, OpensTwiceSideBySide) {
  backend_->Store(kFields);
  auto first = backend_->Open();
  auto second = backend_->Open();
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  first->reset();
  provider_ = std::move(*second);
  EXPECT_EQ(FetchFields(), kFields);
}

}  // namespace
}  // namespace qarion::secrets::conformance
