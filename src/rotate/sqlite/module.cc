// What the module of SQLite exports.
#include <string>

#include "rotate/sqlite/sqlite_store.h"
#include "rotate/store.h"

namespace qarion::secrets::rotate {

// Named for the loader by hand: what it returns is of C++, which `extern "C"` would be a lie about.
__attribute__((visibility("default"))) Result<std::unique_ptr<Store>> OpenStoreOfModule(
    std::string_view build, const StoreAddress& address) __asm__("qarion_secrets_open_store");

Result<std::unique_ptr<Store>> OpenStoreOfModule(std::string_view build,
                                                 const StoreAddress& address) {
  if (build != kStoreBuild) return OtherBuild(build);
  return sqlite::SqliteStore::Open(address);
}

}  // namespace qarion::secrets::rotate
