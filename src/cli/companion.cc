#include "cli/companion.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "runtime/module_file.h"

namespace qarion::secrets::cli {

Error BecomeCompanion(char** argv) {
  auto directory = runtime::ModuleDirectory();
  if (!directory) return std::move(directory).error();
  auto path =
      runtime::FindTrustedFile(*directory, kCompanion, "the program " + std::string(kCompanion));
  if (!path) return std::move(path).error();
  execv(path->c_str(), argv);
  return Error(ErrorCode::kIo, "cannot run " + *path + ": " + std::strerror(errno))
      .With("file", *path)
      .Cure("install it anew, for this machine, with the right to execute it");
}

}  // namespace qarion::secrets::cli
