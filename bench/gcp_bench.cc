// Gets a token of Secret Manager where the environment says, once, and prints how many milliseconds
// that took: settings and file read, a token signed, or whoever hands them out asked.
// bench/gcp_python.py does the same.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "core/system_clock.h"
#include "gcp/session.h"

namespace secrets = qarion::secrets;
namespace gcp = qarion::secrets::gcp;

int main() {
  const auto begin = std::chrono::steady_clock::now();
  const auto settings = gcp::SessionSettings::Load([](const std::string& name) {
    const char* text = std::getenv(name.c_str());
    return text == nullptr ? std::nullopt : std::optional<std::string_view>(text);
  });
  if (!settings) return secrets::Report(settings.error());
  secrets::core::SystemClock clock;
  gcp::Session session(
      *settings, {.audience = "https://secretmanager.googleapis.com/", .scope = {}}, clock,
      [](std::string_view) {}, false);
  const auto token = session.Token({.deadline = clock.SteadyNow() + std::chrono::seconds(30)});
  if (!token) return secrets::Report(token.error());
  const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;
  std::printf("%.3f\n", taken.count());
  return 0;
}
