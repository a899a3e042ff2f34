#include "cli/output.h"

#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "core/environment.h"

namespace qarion::secrets::cli {

int WriteAll(int descriptor, std::string_view first, std::string_view second) {
  while (!first.empty() || !second.empty()) {
    // writev() only reads what the pointers lead to.
    const std::array<iovec, 2> texts = {
        {{.iov_base = const_cast<char*>(first.data()), .iov_len = first.size()},
         {.iov_base = const_cast<char*>(second.data()), .iov_len = second.size()}}};
    const ssize_t count = writev(descriptor, texts.data(), texts.size());
    if (count >= 0) {
      const auto written = static_cast<std::size_t>(count);
      const std::size_t of_first = std::min(written, first.size());
      first.remove_prefix(of_first);
      second.remove_prefix(written - of_first);
    } else if (errno == EAGAIN) {  // somebody made our end of it non-blocking
      pollfd ready{.fd = descriptor, .events = POLLOUT, .revents = 0};
      poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

Error CannotWriteOutput(int error) {
  return Error(ErrorCode::kIo,
               std::string("cannot write to standard output: ") + std::strerror(error))
      .Cure(error == EBADF ? "open it: it was closed when qsecrets began"
                           : "see that what it leads to takes output");
}

Status WriteOutput(std::string_view bytes) {
  if (const int error = WriteAll(STDOUT_FILENO, bytes); error != 0) return CannotWriteOutput(error);
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
