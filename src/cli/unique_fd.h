// A file descriptor that closes itself.
#pragma once

#include <unistd.h>

#include <utility>

namespace qarion::secrets::cli {

class UniqueFd {
 public:
  UniqueFd() noexcept = default;
  explicit UniqueFd(int descriptor) noexcept : descriptor_(descriptor) {}
  UniqueFd(UniqueFd&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    Reset(std::exchange(other.descriptor_, -1));
    return *this;
  }
  ~UniqueFd() { Reset(); }

  int get() const noexcept { return descriptor_; }
  explicit operator bool() const noexcept { return descriptor_ >= 0; }

  void Reset(int descriptor = -1) noexcept {
    if (const int old = std::exchange(descriptor_, descriptor); old >= 0) close(old);
  }

 private:
  int descriptor_ = -1;
};

}  // namespace qarion::secrets::cli
