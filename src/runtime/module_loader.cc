#include "runtime/module_loader.h"

#include <dlfcn.h>

#include <cstddef>
#include <cstring>
#include <utility>

#include "qarion/secrets/provider_abi.h"
#include "runtime/module_file.h"
#include "runtime/module_probe.h"
#include "runtime/module_provider.h"
#include "runtime/module_text.h"

namespace qarion::secrets::runtime {
namespace {

using Table = qarion_secrets_provider_table;

// As far as version 1 of the interface goes; later versions append.
constexpr std::size_t kTableSize = offsetof(Table, source) + sizeof(Table::source);
constexpr std::size_t kVersionedSize = offsetof(Table, abi_version) + sizeof(Table::abi_version);

Error UnusableModule(const std::string& path, const std::string& problem, std::string cure) {
  return Error(ErrorCode::kConfiguration, path + " " + problem)
      .With("file", path)
      .Cure(std::move(cure));
}

// Code from elsewhere: the interface forbids exceptions, and nothing here relies on that.
const Table* CallModule(qarion_secrets_provider_function function) {
  try {
    return function();
  } catch (...) {
    return nullptr;
  }
}

Status CheckTable(const Table& table, const std::string& backend, const std::string& path) {
  const std::string rebuild = "install the module that was built for this version of the library";
  if (table.size < kVersionedSize) {
    return UnusableModule(path,
                          "describes itself in " + std::to_string(table.size) +
                              " bytes; at least " + std::to_string(kTableSize) + " are needed",
                          rebuild);
  }
  if (table.abi_version != QARION_SECRETS_ABI_VERSION) {
    return UnusableModule(path,
                          "has version " + std::to_string(table.abi_version) +
                              " of the module interface; this library has version " +
                              std::to_string(QARION_SECRETS_ABI_VERSION),
                          rebuild);
  }
  if (table.size < kTableSize) {
    return UnusableModule(path,
                          "describes itself in " + std::to_string(table.size) +
                              " bytes; at least " + std::to_string(kTableSize) + " are needed",
                          rebuild);
  }
  if (table.name == nullptr || backend != table.name) {
    return UnusableModule(
        path,
        "says that it is the backend '" + SafeText(table.name, "") + "', not '" + backend + "'",
        "install each module under the name it was built with");
  }
  if (table.create == nullptr || table.destroy == nullptr || table.fetch == nullptr ||
      table.source == nullptr) {
    return UnusableModule(path, "lacks a function of the module interface",
                          "report it to whoever provides the module");
  }
  return {};
}

Result<const Table*> LoadTable(const std::string& backend, const std::string& path,
                               bool is_foreign) {
  // RTLD_NOW: a missing function is an error here and not a crash later. It binds every function of
  // every library that the module stands on, which takes milliseconds; our own modules are linked
  // so that they alone are bound at once. RTLD_LOCAL: what a module brings along is not seen by
  // others. Never closed: its threads and exit handlers may outlive us.
  void* library = dlopen(path.c_str(), (is_foreign ? RTLD_NOW : RTLD_LAZY) | RTLD_LOCAL);
  if (library == nullptr) {
    return UnusableModule(path, "cannot be loaded: " + SafeText(dlerror(), "no reason is known"),
                          "install what it needs (ldd " + path + "), or a module for this machine");
  }
  void* symbol = dlsym(library, QARION_SECRETS_PROVIDER_SYMBOL);
  if (symbol == nullptr) {
    return UnusableModule(path,
                          "is not a module of this library: it does not export " +
                              std::string(QARION_SECRETS_PROVIDER_SYMBOL),
                          "install the backend's module there");
  }
  const Table* table = CallModule(reinterpret_cast<qarion_secrets_provider_function>(symbol));
  if (table == nullptr) {
    return UnusableModule(path, "does not describe itself",
                          "report it to whoever provides the module");
  }
  if (Status checked = CheckTable(*table, backend, path); !checked) {
    return std::move(checked).error();
  }
  return table;
}

Result<std::unique_ptr<SecretProvider>> LoadAndCreate(const std::string& backend,
                                                      const std::string& path, bool is_foreign,
                                                      const core::ProviderContext& context) {
  auto table = LoadTable(backend, path, is_foreign);
  if (!table) return std::move(table).error();
  return CreateModuleProvider(**table, context);
}

// What the child finds wrong in good order, the parent will find again and report.
Status Probe(const std::string& backend, const std::string& path, const ModuleOptions& options,
             const core::ProviderContext& context) {
  const core::ProviderContext quiet{
      .settings = context.settings, .clock = context.clock, .log = [](std::string_view) {}};
  const auto death = TryInChild(
      [&] {
        auto created = LoadAndCreate(backend, path, options.is_probed, quiet);
        // Not destroyed: the child ends at once, and destroy() has nothing to prove.
        // NOLINTNEXTLINE(bugprone-unused-return-value)
        if (created) static_cast<void>(created->release());
      },
      options.probe_timeout);
  if (!death) return {};
  return UnusableModule(path, *death + " when it was tried in a process of its own",
                        "report it to whoever provides the module, or take it away");
}

}  // namespace

Result<std::unique_ptr<SecretProvider>> OpenModule(const std::string& backend,
                                                   const ModuleOptions& options,
                                                   const core::ProviderContext& context) {
  const auto path = FindTrustedModule(options.directory, backend);
  if (!path) return path.error();
  if (options.is_probed) {
    if (Status survived = Probe(backend, *path, options, context); !survived) {
      return std::move(survived).error();
    }
  }
  return LoadAndCreate(backend, *path, options.is_probed, context);
}

}  // namespace qarion::secrets::runtime
