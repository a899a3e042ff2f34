#include "runtime/provider_registry.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/spelling.h"
#include "runtime/module_file.h"
#include "runtime/module_loader.h"

namespace qarion::secrets::runtime {
namespace {

// The backends this project ships as modules of their own.
constexpr std::array<std::string_view, 3> kOwnModules = {"aws_sm", "gcp_sm", "vault"};

bool IsOwnModule(std::string_view name) {
  return std::find(kOwnModules.begin(), kOwnModules.end(), name) != kOwnModules.end();
}

const core::ProviderFactory* FindCompiledIn(std::string_view name) {
  const auto factories = core::CompiledInProviders();
  const auto found =
      std::find_if(factories.begin(), factories.end(),
                   [&](const core::ProviderFactory& factory) { return factory.name == name; });
  return found == factories.end() ? nullptr : &*found;
}

struct KnownBackends {
  std::vector<std::string> usable;         // compiled in, or with a module in the directory
  std::vector<std::string> not_installed;  // the project's own without a module
};

KnownBackends ListBackends(const std::string& directory) {
  KnownBackends known;
  for (const core::ProviderFactory& factory : core::CompiledInProviders()) {
    known.usable.emplace_back(factory.name);
  }
  const auto knows = [&](std::string_view name) {
    return std::find(known.usable.begin(), known.usable.end(), name) != known.usable.end();
  };
  for (std::string& name : BackendsIn(directory)) {
    if (!knows(name)) known.usable.push_back(std::move(name));
  }
  for (const std::string_view name : kOwnModules) {
    if (!knows(name)) known.not_installed.emplace_back(name);
  }
  return known;
}

std::string Join(const std::vector<std::string>& names, std::string_view remark) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ", ";
    text += name;
    text += remark;
  }
  return text;
}

// What stands in the setting is repeated only if it looks like a name.
std::string Shown(std::string_view name) {
  return IsBackendName(name) ? "the unknown backend '" + std::string(name) + "'"
                             : "a text that is no backend's name";
}

Error UnknownBackend(std::string_view name, const KnownBackends& known) {
  std::vector<std::string> candidates = known.usable;
  candidates.insert(candidates.end(), known.not_installed.begin(), known.not_installed.end());
  std::string list = Join(known.usable, "");
  if (!known.not_installed.empty()) list += ", " + Join(known.not_installed, " (not installed)");

  const auto nearest = core::Nearest(name, candidates);
  return Error(ErrorCode::kConfiguration,
               "SECRETS_BACKEND names " + Shown(name) + "; known are " + list)
      .With("setting", "SECRETS_BACKEND")
      .Cure(nearest ? "did you mean " + std::string(*nearest) + "?"
                    : std::string("set it to one of them"));
}

Error NotInstalled(std::string_view name, const std::string& directory,
                   const KnownBackends& known) {
  return Error(ErrorCode::kConfiguration,
               "SECRETS_BACKEND names the backend '" + std::string(name) +
                   "', which is not installed: " + ModulePath(directory, name) + " does not exist")
      .With("setting", "SECRETS_BACKEND")
      .Cure("install its module, or set SECRETS_BACKEND to one that is: " + Join(known.usable, ""));
}

}  // namespace

Result<std::unique_ptr<SecretProvider>> OpenProvider(std::string_view name,
                                                     const core::ProviderContext& context) {
  if (const core::ProviderFactory* factory = FindCompiledIn(name)) return factory->create(context);

  auto directory = ModuleDirectory();
  if (!directory) return std::move(directory).error();
  const KnownBackends known = ListBackends(*directory);
  if (std::find(known.usable.begin(), known.usable.end(), name) == known.usable.end()) {
    return IsOwnModule(name) ? NotInstalled(name, *directory, known) : UnknownBackend(name, known);
  }
  return OpenModule(std::string(name),
                    ModuleOptions{.directory = *directory, .is_probed = !IsOwnModule(name)},
                    context);
}

}  // namespace qarion::secrets::runtime
