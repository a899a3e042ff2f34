// Settings that a test gives the backend `vault`, and what an error may say of them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "providers/vault/vault_settings.h"

namespace qarion::secrets::test {

// By their names. Whatever must not be shown has "fake" in its value.
using Given = std::map<std::string, std::string>;
// All that it cannot do without.
inline const Given kToken = {{"VAULT_TOKEN", "fake-token"}};

// `given` outlives what it returns.
inline vault::SettingLookup LookUpIn(const Given& given) {
  return [&given](const std::string& name) -> std::optional<std::string_view> {
    const auto found = given.find(name);
    if (found == given.end()) return std::nullopt;
    return found->second;
  };
}

inline Result<vault::VaultSettings> Load(const Given& given) {
  return vault::LoadVaultSettings(LookUpIn(given));
}

inline Given With(Given given, const Given& more) {
  for (const auto& [name, value] : more) given[name] = value;
  return given;
}

// BAO_X for VAULT_X.
inline std::string TwinOf(const std::string& name) {
  return "BAO_" + name.substr(std::string_view("VAULT_").size());
}

// Whether `text` has `name` in it, and not as a part of a longer name.
inline bool Names(std::string_view text, std::string_view name) {
  constexpr std::string_view kOfNames = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  for (std::size_t at = text.find(name); at != std::string_view::npos;
       at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    const bool begins = at == 0 || kOfNames.find(text[at - 1]) == std::string_view::npos;
    if (begins && (end == text.size() || kOfNames.find(text[end]) == std::string_view::npos)) {
      return true;
    }
  }
  return false;
}

inline std::string TextOf(const Error& error) {
  std::string text = error.reason() + "\n" + error.cure();
  for (const auto& [key, value] : error.context()) text += "\n" + key + "=" + value;
  return text;
}

// The error of settings that cannot be used: it names `setting`, says what to do, and shows nothing
// that must not be shown.
inline void ExpectRefused(const Given& given, const std::string& setting) {
  const auto settings = Load(given);
  ASSERT_FALSE(settings) << setting << " is taken";
  const Error& error = settings.error();
  EXPECT_EQ(error.code(), ErrorCode::kConfiguration) << error.reason();
  EXPECT_TRUE(Names(error.reason(), setting)) << setting << " is not in: " << error.reason();
  EXPECT_THAT(error.context(), testing::Contains(testing::Pair("setting", setting)));
  EXPECT_NE(error.cure(), "");
  for (const auto& [name, value] : given) {
    if (value.find("fake") == std::string::npos) continue;
    EXPECT_EQ(TextOf(error).find(value), std::string::npos) << name << " is shown";
  }
}

// The same also where the setting has the name of the other server, which the error then gives.
inline void ExpectRefusedUnderBothNames(Given given, const std::string& setting) {
  ExpectRefused(given, setting);
  auto node = given.extract(setting);
  ASSERT_TRUE(node) << setting << " is not set";
  node.key() = TwinOf(setting);
  given.insert(std::move(node));
  ExpectRefused(given, TwinOf(setting));
}

}  // namespace qarion::secrets::test
