#include "cli/input_pieces.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "core/secret_memory.h"

namespace qarion::secrets::cli {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{256} * 1024;
constexpr int kPipeBytes = 1024 * 1024;

}  // namespace

int ReadPieces(int descriptor, const std::function<bool(std::string_view)>& take) {
  core::SecretVector<char> piece(kPieceBytes);
  for (;;) {
    const ssize_t got = read(descriptor, piece.data(), piece.size());
    if (got == 0) return 0;
    if (got > 0) {
      if (!take({piece.data(), static_cast<std::size_t>(got)})) return 0;
    } else if (errno == EAGAIN) {  // somebody made our end of it non-blocking
      pollfd ready{.fd = descriptor, .events = POLLIN, .revents = 0};
      poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
}

Error CannotRead(const std::string& what, int error) {
  return Error(ErrorCode::kIo, "cannot read " + what + ": " + std::strerror(error))
      .Cure(what == "standard input" ? "see that what it comes from can be read"
                                     : "name a file that this user may read");
}

void WidenPipe(int descriptor) {
  const int size = fcntl(descriptor, F_GETPIPE_SZ);
  if (size > 0 && size < kPipeBytes) fcntl(descriptor, F_SETPIPE_SZ, kPipeBytes);
}

}  // namespace qarion::secrets::cli
