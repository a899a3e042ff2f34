// JSON that a test has written, or seen.
#pragma once

#include <gtest/gtest.h>

#include <string_view>
#include <utility>

#include "core/json_document.h"

namespace qarion::secrets::test {

inline core::JsonDocument ParsedJson(std::string_view text) {
  auto json = core::JsonDocument::Parse(text, "test");
  EXPECT_TRUE(json) << text;
  return std::move(*json);
}

}  // namespace qarion::secrets::test
