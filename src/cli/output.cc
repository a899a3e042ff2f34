#include "cli/output.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "core/environment.h"

namespace qarion::secrets::cli {

Status WriteOutput(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {  // somebody made our end of it non-blocking
      pollfd ready{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
      poll(&ready, 1, -1);
      continue;
    }
    return Error(ErrorCode::kIo,
                 std::string("cannot write to standard output: ") + std::strerror(errno))
        .Cure(errno == EBADF ? "open it: it was closed when qsecrets began"
                             : "see that what it leads to takes output");
  }
  return {};
}

int Print(std::string_view bytes) {
  const Status written = WriteOutput(bytes);
  return written ? 0 : Report(written.error());
}

bool OutputIsTerminal() noexcept { return isatty(STDOUT_FILENO) == 1; }

bool OutputIsColoured() {
  const auto no_color = core::ProcessEnvironment().Find("NO_COLOR");
  return OutputIsTerminal() && (!no_color || no_color->empty());
}

}  // namespace qarion::secrets::cli
