// Expected texts are those of Python's json.dumps, without and with indent=2.
#include "core/json_writer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <utility>

namespace qarion::secrets::core {
namespace {

Secret Written(JsonWriter json) {
  json.BeginObject().Key("name").Text("a \"b\"\\\n\x01").Key("numbers").BeginArray();
  json.Number(1).Number(-20).UnsignedNumber(std::numeric_limits<std::uint64_t>::max()).EndArray();
  json.Key("none").BeginObject().EndObject().Key("is_on").Bool(true).Key("off").Null();
  json.EndObject();
  return std::move(json).Take();
}

TEST(JsonWriter, HasAnItemALine) {
  EXPECT_EQ(Written(JsonWriter()).Reveal(), R"({
  "name": "a \"b\"\\\n\u0001",
  "numbers": [
    1,
    -20,
    18446744073709551615
  ],
  "none": {},
  "is_on": true,
  "off": null
}
)");
}

TEST(JsonWriter, HasNoWhiteSpaceWhereItIsCompact) {
  EXPECT_EQ(
      Written(JsonWriter(JsonLayout::kCompact)).Reveal(),
      R"({"name":"a \"b\"\\\n\u0001","numbers":[1,-20,18446744073709551615],"none":{},"is_on":true,"off":null})");
}

}  // namespace
}  // namespace qarion::secrets::core
