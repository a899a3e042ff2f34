#include "cli/token_arguments.h"

#include <chrono>
#include <cstddef>
#include <string_view>
#include <utility>

#include "cli/command.h"
#include "cli/input.h"

namespace qarion::secrets::cli {
namespace {

// Larger than any that can be made, with room for line breaks within.
constexpr std::size_t kMostTokenBytes = std::size_t{3} << 29;

// The clock ends in the year 2262.
constexpr std::int64_t kMostSeconds =
    std::chrono::duration_cast<std::chrono::seconds>(std::chrono::nanoseconds::max()).count();

}  // namespace

void AddTokenArgument(CLI::App& app, std::string& token) {
  app.add_option("TOKEN", token, "The token; standard input has it where it is - or left out")
      ->type_name("");
}

Result<std::string> ReadToken(const std::string& argument) {
  if (!argument.empty() && argument != "-") return argument;
  auto input = ReadStandardInput(kMostTokenBytes);
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
  return app.add_option(name, seconds, description)
      ->check([](const std::string& given) {
        const bool is_number = !given.empty() && given.size() <= 10 &&
                               given.find_first_not_of("0123456789") == std::string::npos;
        if (!is_number) return std::string("is a whole number of seconds");
        return std::stoll(given) <= kMostSeconds ? ""
                                                 : "is at most " + std::to_string(kMostSeconds);
      })
      ->type_name("SECONDS");
}

CLI::Option* AddTextOption(CLI::App& app, const std::string& name, std::string& text,
                           const std::string& description) {
  return app.add_option(name, text, description)->check(RefuseNoName)->type_name("TEXT");
}

}  // namespace qarion::secrets::cli
