#include "cli/command.h"

#include <cstdio>

namespace qarion::secrets::cli {

RuntimeOptions Options(bool all) {
  RuntimeOptions options;
  if (all) options.fields = {"*"};
  options.log = [](std::string_view line) {
    std::fprintf(stderr, "qsecrets: %.*s\n", static_cast<int>(line.size()), line.data());
  };
  return options;
}

Result<Runtime> OpenRuntime(bool all) { return Runtime::Create(Options(all)); }

void AddOutputOption(CLI::App& app, std::string& format, const std::vector<std::string>& formats) {
  format = "text";
  app.add_option("-o,--output", format, "How to write it: " + CLI::detail::join(formats, ", "))
      ->check([formats](const std::string& given) {
        if (std::find(formats.begin(), formats.end(), given) != formats.end()) return std::string();
        return "is one of " + CLI::detail::join(formats, ", ");
      })
      ->type_name("FORMAT");
}

std::string RefuseNoName(const std::string& given) {
  if (given.empty()) return "is empty";
  return given.starts_with("--") ? "has no value: what follows is an option" : std::string();
}

}  // namespace qarion::secrets::cli
