#include "cli/output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/descriptor_io.h"
#include "core/environment.h"
#include "core/printable.h"

namespace qarion::secrets::cli {

Error CannotWriteOutput(int error) {
  return Error(ErrorCode::kIo,
               std::string("cannot write to standard output: ") + std::strerror(error))
      .Cure(error == EBADF ? "open it: it was closed when qsecrets began"
                           : "see that what it leads to takes output");
}

Status WriteOutput(std::string_view bytes) {
  if (const int error = core::WriteAll(STDOUT_FILENO, bytes); error != 0)
    return CannotWriteOutput(error);
  return {};
}

int Print(std::string_view bytes) {
  const Status written = WriteOutput(bytes);
  return written ? 0 : Report(written.error());
}

std::string NamedLine(std::string name, const std::string& text) {
  name.resize(std::max<std::size_t>(name.size() + 2, 12), ' ');
  return name + core::Printable(text) + "\n";
}

bool OutputIsTerminal() noexcept { return isatty(STDOUT_FILENO) == 1; }

bool OutputIsColoured() {
  const auto no_color = core::ProcessEnvironment().Find("NO_COLOR");
  return OutputIsTerminal() && (!no_color || no_color->empty());
}

}  // namespace qarion::secrets::cli
