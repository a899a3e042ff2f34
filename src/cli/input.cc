#include "cli/input.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace qarion::secrets::cli {

Result<SecretBuffer> ReadStandardInput(std::size_t limit) {
  constexpr std::size_t kPieceBytes = std::size_t{64} * 1024;
  SecretBuffer input;
  for (;;) {
    const ssize_t got = read(STDIN_FILENO, input.Spare(kPieceBytes), kPieceBytes);
    if (got == 0) return input;
    if (got < 0) {
      if (errno == EINTR) continue;
      return Error(ErrorCode::kIo,
                   std::string("cannot read standard input: ") + std::strerror(errno))
          .Cure("see that what it comes from can be read");
    }
    input.Grow(static_cast<std::size_t>(got));
    if (input.size() > limit) {
      return Error(ErrorCode::kBadData, "standard input has more than the " +
                                            std::to_string(limit) + " bytes that can be worked on")
          .Cure("give less at once");
    }
  }
}

}  // namespace qarion::secrets::cli
