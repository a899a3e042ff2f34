#include "cli/token_arguments.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string_view>
#include <utility>

#include "cli/command.h"
#include "cli/input.h"

namespace qarion::secrets::cli {
namespace {

// The clock ends in the year 2262.
constexpr std::int64_t kMostSeconds =
    std::chrono::duration_cast<std::chrono::seconds>(std::chrono::nanoseconds::max()).count();

}  // namespace

void AddTokenArgument(CLI::App& app, std::optional<std::string>& token) {
  app.add_option("TOKEN", token, "The token; standard input has it where it is - or left out")
      ->type_name("");
}

Result<std::string> ReadToken(const std::optional<std::string>& argument, std::size_t limit) {
  if (argument && argument->empty()) {
    return Error(ErrorCode::kUsage, "the argument TOKEN is empty")
        .Cure("give a token, or - for standard input; is a variable not set?");
  }
  if (argument && *argument != "-") return *argument;
  auto input = ReadStandardInput(limit);
  if (!input) return std::move(input).error();
  std::string_view token = input->Reveal();
  if (token.ends_with('\n')) {
    token.remove_suffix(1);
    if (token.ends_with('\r')) token.remove_suffix(1);
  }
  return std::string(token);
}

int ReportBadToken(std::string reason) {
  return Report(Error(ErrorCode::kBadData, std::move(reason)));
}

CLI::Option* AddSecondsOption(CLI::App& app, const std::string& name,
                              std::optional<std::int64_t>& seconds,
                              const std::string& description) {
  const CLI::Validator decimal(
      [](std::string& given) {
        if (given.empty() || given.find_first_not_of("0123456789") != std::string::npos) {
          return std::string("is a whole number of seconds");
        }
        // CLI11 would read 010 as an octal number.
        given.erase(0, std::min(given.find_first_not_of('0'), given.size() - 1));
        constexpr std::size_t kMostDigits = 10;
        return given.size() <= kMostDigits && std::stoll(given) <= kMostSeconds
                   ? ""
                   : "is at most " + std::to_string(kMostSeconds);
      },
      "");
  return app.add_option(name, seconds, description)->transform(decimal)->type_name("SECONDS");
}

CLI::Option* AddTextOption(CLI::App& app, const std::string& name, std::string& text,
                           const std::string& description) {
  return app.add_option(name, text, description)->check(RefuseNoName)->type_name("TEXT");
}

}  // namespace qarion::secrets::cli
