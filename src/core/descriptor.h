// A file descriptor that somebody owns.
#pragma once

#include <unistd.h>

#include <utility>

namespace qarion::secrets::core {

// Closes it at the end; a negative one is none.
class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { Close(); }

  int get() const noexcept { return fd_; }
  int Release() noexcept { return std::exchange(fd_, -1); }
  void Close() noexcept {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

}  // namespace qarion::secrets::core
