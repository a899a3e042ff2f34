#include "core/fernet_key_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace qarion::secrets::core {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// 32 bytes, by Python's base64.urlsafe_b64encode.
constexpr char kFake[] = "ZmFrZS1rZXktb2YtMzItYnl0ZXMtZm9yLXRlc3RzLi4=";

TEST(FernetKeyText, IsFineWhereItIsThirtyTwoBytes) {
  EXPECT_THAT(FernetKeyProblem(kFake), IsEmpty());
  EXPECT_THAT(UnfitFernetKeyProblem(kFake), IsEmpty());
}

TEST(FernetKeyText, IsRefusedWithWhiteSpaceAroundIt) {
  const std::string key = kFake;
  EXPECT_THAT(FernetKeyProblem(key + "\n"), HasSubstr("line break"));
  for (const std::string& text : {" " + key, key + " ", key + "\r", "\t" + key}) {
    EXPECT_THAT(FernetKeyProblem(text), HasSubstr("white space")) << text;
  }
}

TEST(FernetKeyText, IsUnfitWhereEverybodyHasIt) {
  EXPECT_THAT(UnfitFernetKeyProblem("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="),
              HasSubstr("printed in a standard"));
}

TEST(FernetKeyText, IsUnfitWhereItsBytesAreAllTheSame) {
  // 32 times 0x00, 0xff and 'a'.
  for (const char* text : {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                           "__________________________________________8=",
                           "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="}) {
    EXPECT_THAT(FernetKeyProblem(text), IsEmpty());
    EXPECT_THAT(UnfitFernetKeyProblem(text), HasSubstr("same bytes")) << text;
  }
}

}  // namespace
}  // namespace qarion::secrets::core
