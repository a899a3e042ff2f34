// Any bytes as the value of each kind of setting.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/settings.h"
#include "require.h"

namespace core = qarion::secrets::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const core::MapEnvironment environment({{"SECRETS_ENV_FILE", "/dev/null"}, {"X", text}});
  const auto settings = core::Settings::Load(environment, {});
  Require(settings.has_value());

  constexpr std::chrono::seconds kMaximum(86'400);
  if (const auto seconds = settings->Seconds("X", std::chrono::seconds(1), kMaximum)) {
    Require(seconds->count() >= 0 && *seconds <= kMaximum);
    Require(text.find_first_not_of("0123456789") == std::string::npos);
  }
  if (const auto value = settings->Text("X", "")) Require(*value == text && !text.empty());
  if (const auto items = settings->List("X")) {
    for (const std::string& item : *items) {
      Require(!item.empty() && item.find(',') == std::string::npos);
    }
  }
  return 0;
}
