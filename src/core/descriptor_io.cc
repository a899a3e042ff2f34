#include "core/descriptor_io.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace qarion::secrets::core {

int WriteAll(int descriptor, std::string_view first, std::string_view second) noexcept {
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

std::size_t BytesWaiting(int pipe) noexcept {
  int count = 0;
  return ioctl(pipe, FIONREAD, &count) == 0 && count > 0 ? static_cast<std::size_t>(count) : 0;
}

}  // namespace qarion::secrets::core
