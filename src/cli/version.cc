#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/output.h"
#include "core/build_info.h"
#include "core/json_writer.h"
#include "core/provider_factory.h"
#include "qarion/secrets/provider_abi.h"
#include "runtime/module_file.h"

namespace qarion::secrets::cli {
namespace {

struct Build {
  std::vector<std::string> compiled_in;
  std::string module_directory;
  std::vector<std::string> modules;
};

Build Describe() {
  Build build;
  for (const core::ProviderFactory& provider : core::CompiledInProviders()) {
    build.compiled_in.emplace_back(provider.name);
  }
  if (auto directory = runtime::ModuleDirectory()) {
    build.module_directory = std::move(*directory);
    build.modules = runtime::BackendsIn(build.module_directory);
  }
  return build;
}

std::string Text(const Build& build) {
  const auto listed = [](const std::vector<std::string>& names) {
    return names.empty() ? "none" : CLI::detail::join(names, ", ");
  };
  return "qsecrets " + std::string(core::kVersion) + "\n" +  //
         "build             " + core::kBuildType + ", " + core::kCompiler + "\n" +
         "module ABI        " + std::to_string(QARION_SECRETS_ABI_VERSION) + "\n" +
         "compiled in       " + listed(build.compiled_in) + "\n" + "module directory  " +
         build.module_directory + "\n" + "modules           " + listed(build.modules) + "\n";
}

Secret Json(const Build& build) {
  core::JsonWriter json;
  json.BeginObject();
  json.Key("version").Text(core::kVersion);
  json.Key("build_type").Text(core::kBuildType);
  json.Key("compiler").Text(core::kCompiler);
  json.Key("module_abi").Number(QARION_SECRETS_ABI_VERSION);
  json.Key("compiled_in").BeginArray();
  for (const std::string& name : build.compiled_in) json.Text(name);
  json.EndArray();
  json.Key("module_directory").Text(build.module_directory);
  json.Key("modules").BeginArray();
  for (const std::string& name : build.modules) json.Text(name);
  json.EndArray().EndObject();
  return std::move(json).Take();
}

}  // namespace

void AddVersion(CLI::App& app, Command& command) {
  auto format = std::make_shared<std::string>();
  CLI::App* version =
      app.add_subcommand("version", "Show version, build, and the backends there are");
  AddOutputOption(*version, *format, {"text", "json"});
  version->callback([format, &command] {
    command = [format] {
      const Build build = Describe();
      return *format == "json" ? Print(Json(build).Reveal()) : Print(Text(build));
    };
  });
}

}  // namespace qarion::secrets::cli
