#include "cli/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

namespace qarion::secrets::cli {

void HoldClosedStandardStreams() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(number, F_GETFD) < 0 && errno == EBADF) {
      // The lowest free number is taken, and those below are open. Open the wrong way round, so
      // that using the stream still fails.
      const int wrong_way = number == STDIN_FILENO ? O_WRONLY : O_RDONLY;
      static_cast<void>(open("/dev/null", wrong_way | O_CLOEXEC));
    }
  }
}

}  // namespace qarion::secrets::cli
