#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/format.h"
#include "cli/output.h"

namespace qarion::secrets::cli {
namespace {

struct GetOptions {
  std::string name;
  std::string format;
};

int RunGet(const GetOptions& options) {
  auto runtime = OpenRuntime();
  if (!runtime) return Report(runtime.error());
  auto value = runtime->Get(options.name);
  if (!value) return Report(value.error());

  const Format format = ParseFormat(options.format);
  if (format == Format::kText) {
    const int status = Print(value->Reveal());
    return status == 0 && OutputIsTerminal() ? Print("\n") : status;
  }
  auto name = CanonicalFieldName(options.name);
  if (!name) return Report(name.error());
  const NamedValue field{*name, value->Reveal()};
  auto text = FormatValues(format, {&field, 1});
  if (!text) return Report(text.error());
  return Print(text->Reveal());
}

}  // namespace

void AddGet(CLI::App& app, Command& command) {
  auto options = std::make_shared<GetOptions>();
  CLI::App* get = app.add_subcommand("get", "Print the value of one field");
  get->add_option("NAME", options->name, "The field, or a path: llm_api_key/control_plane")
      ->required()
      ->type_name("");
  AddOutputOption(*get, options->format, {"text", "json", "env", "dotenv", "yaml", "shell"});
  get->footer(
      "The bytes are written as they are; a newline follows only on a terminal.\n\n"
      "Examples:\n"
      "  qsecrets get POSTGRES_PASSWORD\n"
      "  qsecrets get STORAGE_GCS_CREDENTIALS_JSON > key.json\n"
      "  eval \"$(qsecrets get SECRET_KEY --output shell)\"");
  get->callback([options, &command] { command = [options] { return RunGet(*options); }; });
}

}  // namespace qarion::secrets::cli
