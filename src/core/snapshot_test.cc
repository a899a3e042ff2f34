#include "qarion/secrets/snapshot.h"

#include <gtest/gtest.h>

#include <string>

namespace qarion::secrets {
namespace {

Snapshot WithFields(std::size_t count) {
  Snapshot::Contents contents;
  contents.backend = "env";
  for (std::size_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    contents.fields.push_back({"FIELD_" + number, Secret::CopyOf("fake-" + number), "test"});
  }
  return Snapshot(std::move(contents));
}

TEST(Snapshot, FindsEveryFieldByName) {
  for (const std::size_t count : {1ul, 2ul, 15ul, 1000ul}) {
    const Snapshot snapshot = WithFields(count);
    for (std::size_t i = 0; i < count; ++i) {
      const Secret* found = snapshot.Find("FIELD_" + std::to_string(i));
      ASSERT_NE(found, nullptr) << i;
      EXPECT_TRUE(found->ConstantTimeEquals("fake-" + std::to_string(i)));
    }
  }
}

TEST(Snapshot, FindsNothingUnderOtherNames) {
  const Snapshot snapshot = WithFields(15);
  EXPECT_EQ(snapshot.Find("FIELD_15"), nullptr);
  EXPECT_EQ(snapshot.Find("field_1"), nullptr);
  EXPECT_EQ(snapshot.Find(""), nullptr);
  EXPECT_EQ(WithFields(0).Find("FIELD_0"), nullptr);
}

TEST(Snapshot, LooksAtEveryByteOfAName) {
  for (std::size_t length = 1; length <= 40; ++length) {
    const std::string name(length, 'A');
    Snapshot::Contents contents;
    contents.fields.push_back({name, Secret::CopyOf("fake"), "test"});
    const Snapshot snapshot{std::move(contents)};
    EXPECT_NE(snapshot.Find(name), nullptr) << length;
    for (std::size_t i = 0; i < length; ++i) {
      std::string other = name;
      other[i] = 'B';
      EXPECT_EQ(snapshot.Find(other), nullptr) << length << " bytes, other at " << i;
    }
    EXPECT_EQ(snapshot.Find(name + "A"), nullptr) << length;
    EXPECT_EQ(snapshot.Find(name.substr(1)), nullptr) << length;
  }
}

}  // namespace
}  // namespace qarion::secrets
