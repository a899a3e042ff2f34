// Finds credentials where the environment says, once, and prints how many milliseconds that took:
// settings and profiles read, whoever hands out credentials asked. bench/aws_boto3.py does the
// same.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "aws/session.h"
#include "core/system_clock.h"

namespace secrets = qarion::secrets;
namespace aws = qarion::secrets::aws;

int main() {
  const auto begin = std::chrono::steady_clock::now();
  const auto settings = aws::SessionSettings::Load([](const std::string& name) {
    const char* text = std::getenv(name.c_str());
    return text == nullptr ? std::nullopt : std::optional<std::string_view>(text);
  });
  if (!settings) return secrets::Report(settings.error());
  secrets::core::SystemClock clock;
  aws::Session session(
      *settings, settings->client.region.text, clock, [](std::string_view) {}, false);
  const auto credentials =
      session.GetCredentials({.deadline = clock.SteadyNow() + std::chrono::seconds(30)});
  if (!credentials) return secrets::Report(credentials.error());
  const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;
  std::printf("%.3f\n", taken.count());
  return 0;
}
