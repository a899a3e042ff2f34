#include "rotate/store_module.h"

#include <dlfcn.h>

#include <string>
#include <utility>

#include "core/ascii.h"
#include "runtime/module_file.h"
#include "runtime/module_text.h"

namespace qarion::secrets::rotate {
namespace {

constexpr std::string_view kSqliteScheme = "sqlite:";

Error Refused(const std::string& path, const std::string& problem, std::string cure) {
  return Error(ErrorCode::kConfiguration, path + " " + problem)
      .With("file", path)
      .Cure(std::move(cure));
}

}  // namespace

Result<std::unique_ptr<Store>> OpenStore(const StoreAddress& address) {
  // What is meant for SQLite must not become the name of a database of PostgreSQL's.
  const std::string_view scheme = std::string_view(address.text).substr(0, address.text.find(':'));
  for (const std::string_view other : {"sqlite3", "file", "sqlite"}) {
    if (scheme.size() < address.text.size() && core::EqualsIgnoringCase(scheme, other) &&
        scheme != "sqlite") {
      return Error(ErrorCode::kConfiguration, "the address of the database begins with '" +
                                                  std::string(scheme) + ":', which names no kind")
          .Cure("write sqlite:PATH for a file of SQLite");
    }
  }
  const std::string database = address.text.starts_with(kSqliteScheme) ? "sqlite" : "postgres";
  const auto directory = runtime::ModuleDirectory();
  if (!directory) return directory.error();
  const auto path = runtime::FindTrustedFile(*directory, "qarion_rotation_" + database + ".so",
                                             "the module of that database");
  if (!path) return path.error();
  // RTLD_LOCAL: what it brings along is not seen by others. Never closed: libraries it stands on
  // may have threads and exit handlers.
  void* library = dlopen(path->c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Refused(*path, "cannot be loaded: " + runtime::SafeText(dlerror(), "no reason is known"),
                   "install what it needs (ldd " + *path + ")");
  }
  void* symbol = dlsym(library, kStoreSymbol);
  if (symbol == nullptr) {
    return Refused(*path,
                   std::string("is not a module of a database: it does not export ") + kStoreSymbol,
                   "install the module that came with this version");
  }
  return reinterpret_cast<OpenStoreFunction>(symbol)(kStoreBuild, address);
}

}  // namespace qarion::secrets::rotate
