#include "runtime/module_payload.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace qarion::secrets::runtime {
namespace {

// A payload whose version is set, with short names for what a module calls.
class Filled {
 public:
  Filled() { sink().set_version(sink().context, "v1"); }

  const qarion_secrets_payload_sink& sink() const { return payload_.sink(); }
  void Field(const char* name, const std::string& value, const char* origin = "shelf") {
    sink().add_field(sink().context, name, value.data(), value.size(), origin);
  }
  void Json(const std::string& json) {
    sink().add_json_object(sink().context, json.data(), json.size(), "shelf");
  }
  Result<Payload> Take() { return std::move(payload_).Take(); }

  void ExpectRefused(const std::string& reason) {
    auto taken = Take();
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code(), ErrorCode::kBadData);
    EXPECT_NE(taken.error().reason().find(reason), std::string::npos) << taken.error().reason();
    EXPECT_EQ(taken.error().reason().find("hunter2"), std::string::npos);
  }

 private:
  ModulePayload payload_{"the backend 'shop'"};
};

TEST(ModulePayload, KeepsFieldsWithTheirExactBytes) {
  Filled filled;
  filled.Field("A", std::string("a\0\xff\n", 4));
  filled.Field("B", "");
  auto taken = filled.Take();
  ASSERT_TRUE(taken);
  ASSERT_EQ(taken->fields.size(), 2u);
  EXPECT_EQ(taken->fields[0].name, "A");
  EXPECT_EQ(taken->fields[0].value.Reveal(), std::string_view("a\0\xff\n", 4));
  EXPECT_EQ(taken->fields[0].origin, "shelf");
  EXPECT_TRUE(taken->fields[1].value.empty());
  EXPECT_EQ(taken->version, "v1");
  EXPECT_FALSE(taken->not_modified);
}

TEST(ModulePayload, NamesTheBackendWhereAnOriginIsMissing) {
  Filled filled;
  filled.Field("A", "fake", nullptr);
  auto taken = filled.Take();
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->fields[0].origin, "the backend 'shop'");
}

TEST(ModulePayload, ReadsAJsonObject) {
  Filled filled;
  filled.Json(R"({"A": "fake", "B": {"c": 1}, "C": null})");
  auto taken = filled.Take();
  ASSERT_TRUE(taken);
  ASSERT_EQ(taken->fields.size(), 2u);
  EXPECT_EQ(taken->fields[1].value.Reveal(), R"({"c":1})");
}

TEST(ModulePayload, RefusesJsonThatCannotBeRead) {
  Filled filled;
  filled.Json(R"({"A": "hunter2")");
  filled.ExpectRefused("shelf, line 1, column 16");
}

TEST(ModulePayload, RefusesImpossibleNamesWithoutRepeatingThem) {
  for (const char* name : {"", "hunter2 hunter2", "1hunter2", "hunter2/x", "hunter2\n"}) {
    Filled filled;
    filled.Field(name, "fake");
    filled.ExpectRefused("whose name no field can have");
  }
}

TEST(ModulePayload, RefusesAMissingName) {
  Filled filled;
  filled.Field(nullptr, "fake");
  filled.ExpectRefused("whose name no field can have");
}

TEST(ModulePayload, RefusesAMissingValue) {
  Filled filled;
  filled.sink().add_field(filled.sink().context, "A", nullptr, 4, "shelf");
  filled.ExpectRefused("no value for the field A");
}

TEST(ModulePayload, RefusesAFieldGivenTwice) {
  Filled filled;
  filled.Field("A", "hunter2");
  filled.Field("A", "hunter2");
  filled.ExpectRefused("gave the field A twice");
}

TEST(ModulePayload, RefusesFieldsBesideJson) {
  Filled json_first;
  json_first.Json("{}");
  json_first.Field("A", "hunter2");
  json_first.ExpectRefused("both single fields and a JSON object");
  Filled field_first;
  field_first.Field("A", "hunter2");
  field_first.Json("{}");
  field_first.ExpectRefused("JSON object beside other fields");
}

TEST(ModulePayload, RefusesTwoJsonObjects) {
  Filled filled;
  filled.Json("{}");
  filled.Json("{}");
  filled.ExpectRefused("JSON object beside other fields");
}

TEST(ModulePayload, RefusesMoreThanOneMebibyteInAll) {
  Filled just_enough;
  just_enough.Field("A", std::string(1024 * 1024 - 1, 'x'));
  just_enough.Field("B", "x");
  EXPECT_TRUE(just_enough.Take());
  Filled too_much;
  too_much.Field("A", std::string(1024 * 1024, 'x'));
  too_much.Field("B", "x");
  too_much.ExpectRefused("longer than 1048576 bytes together");
}

TEST(ModulePayload, RefusesMoreThanTenThousandFields) {
  Filled filled;
  for (int i = 0; i < 10'001; ++i) filled.Field(("A" + std::to_string(i)).c_str(), "x");
  filled.ExpectRefused("more than 10000 fields");
}

TEST(ModulePayload, TakesAMissingVersionForADefect) {
  for (const char* version : {"", static_cast<const char*>(nullptr)}) {
    Filled filled;
    filled.sink().set_version(filled.sink().context, version);
    auto taken = filled.Take();
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code(), ErrorCode::kInternal);
  }
}

TEST(ModulePayload, PassesFindingsOnMadeSafe) {
  Filled filled;
  filled.sink().add_finding(filled.sink().context, 1, "A", "is\nshort", nullptr);
  filled.sink().add_finding(filled.sink().context, 0, nullptr, nullptr, "cure");
  auto taken = filled.Take();
  ASSERT_TRUE(taken);
  ASSERT_EQ(taken->findings.size(), 2u);
  EXPECT_EQ(taken->findings[0].severity, Severity::kError);
  EXPECT_EQ(taken->findings[0].problem, "is short");
  EXPECT_EQ(taken->findings[1].severity, Severity::kWarning);
  EXPECT_EQ(taken->findings[1].subject, "the backend 'shop'");
  EXPECT_EQ(taken->findings[1].cure, "cure");
}

TEST(ModulePayload, KeepsTheExpiryInRange) {
  const std::pair<std::int64_t, std::int64_t> cases[] = {
      {1'767'225'600, 1'767'225'600}, {-5, 0}, {INT64_MAX, 9'000'000'000}};
  for (const auto& [given, kept] : cases) {
    Filled filled;
    filled.sink().set_expiry(filled.sink().context, given);
    auto taken = filled.Take();
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->expires_at, std::chrono::system_clock::time_point(std::chrono::seconds(kept)));
  }
}

}  // namespace
}  // namespace qarion::secrets::runtime
