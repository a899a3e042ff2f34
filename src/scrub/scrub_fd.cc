#include "qarion/secrets/scrub_fd.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "core/descriptor.h"
#include "core/descriptor_io.h"
#include "core/secret_memory.h"
#include "core/thread.h"

namespace qarion::secrets {
namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;

std::string Described(int descriptor) { return "descriptor " + std::to_string(descriptor); }

Error FromKernel(int descriptor, const char* what, int error) {
  return Error(ErrorCode::kInternal, "no " + std::string(what) + " to scrub " +
                                         Described(descriptor) + ": " + std::strerror(error))
      .Cure("raise the limits on processes and open files");
}

// Lets `descriptor` lead to where `to` leads.
bool Replace(int descriptor, int to, bool closes_on_exec) noexcept {
  int replaced = -1;
  do {
    replaced = dup3(to, descriptor, closes_on_exec ? O_CLOEXEC : 0);
  } while (replaced < 0 && (errno == EINTR || errno == EBUSY));
  return replaced >= 0;
}

}  // namespace

class ScrubbedFd::Redirection {
 public:
  Redirection(int descriptor, bool closes_on_exec, int target, int source, int stop,
              const Scrubber& scrubber)
      : descriptor_(descriptor),
        closes_on_exec_(closes_on_exec),
        target_(target),
        source_(source),
        stop_(stop),
        stream_(scrubber,
                [this](std::string_view bytes) {
                  // After an error what follows is read and dropped, so that no writer blocks.
                  if (write_error_ == 0) write_error_ = core::WriteAll(target_.get(), bytes);
                }),
        thread_(core::StartThread([this] { CarryOver(); })) {}
  Redirection(const Redirection&) = delete;
  Redirection& operator=(const Redirection&) = delete;
  ~Redirection() { static_cast<void>(Close()); }

  Status Close() {
    if (getpid() != process_) {
      // A forked child has the descriptors, but not the thread.
      thread_.detach();
      return {};
    }
    if (thread_.joinable()) {
      std::fflush(nullptr);  // what stdio and the streams on it still have was written to the pipe
      std::cout.flush();     // allowed: prints nothing of its own
      std::cerr.flush();     // allowed: prints nothing of its own
      std::clog.flush();     // allowed: prints nothing of its own
      Replace(descriptor_, target_.get(), closes_on_exec_);
      const std::uint64_t one = 1;
      static_cast<void>(!write(stop_.get(), &one, sizeof(one)));
      thread_.join();
    }
    if (write_error_ == 0) return {};
    return Error(ErrorCode::kIo, "cannot write to what " + Described(descriptor_) +
                                     " leads to: " + std::strerror(write_error_))
        .Cure("see that what it leads to takes output");
  }

 private:
  // Ends when nobody can write any more, or when it was told to stop and the pipe is empty.
  void CarryOver() {
    core::SecretVector<char> piece(kPieceBytes);
    std::optional<std::size_t> owed;  // once told to stop: what was in the pipe then
    while (owed != 0) {
      const ssize_t count = read(source_.get(), piece.data(), piece.size());
      if (count > 0) {
        const auto size = static_cast<std::size_t>(count);
        stream_.Write({piece.data(), size});
        if (owed) *owed -= std::min(*owed, size);
      } else if (count == 0 || (errno == EAGAIN && owed)) {
        break;
      } else if (errno == EAGAIN) {
        std::array<pollfd, 2> waiting = {{{source_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
        poll(waiting.data(), waiting.size(), -1);
      } else if (errno != EINTR) {
        break;
      }
      if (!owed && IsTold()) owed = core::BytesWaiting(source_.get());
    }
    stream_.Finish();
    source_.Close();
  }

  bool IsTold() const {
    pollfd stop = {stop_.get(), POLLIN, 0};
    return poll(&stop, 1, 0) == 1;
  }

  const pid_t process_ = getpid();
  const int descriptor_;
  const bool closes_on_exec_;
  core::Descriptor target_;
  core::Descriptor source_;
  core::Descriptor stop_;
  int write_error_ = 0;  // of the thread until it is joined
  StreamScrubber stream_;
  std::jthread thread_;
};

ScrubbedFd::ScrubbedFd(std::unique_ptr<Redirection> redirection) noexcept
    : redirection_(std::move(redirection)) {}
ScrubbedFd::ScrubbedFd(ScrubbedFd&&) noexcept = default;
ScrubbedFd::~ScrubbedFd() = default;

Status ScrubbedFd::Close() {
  if (redirection_ == nullptr) return {};
  Status closed = redirection_->Close();
  redirection_.reset();
  return closed;
}

Result<ScrubbedFd> ScrubFd(int descriptor, const Scrubber& scrubber) {
  const int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
    return Error(ErrorCode::kUsage, Described(descriptor) + " is not open for writing")
        .Cure("open it first; 1 is standard output, 2 standard error");
  }
  core::Descriptor target(fcntl(descriptor, F_DUPFD_CLOEXEC, 3));
  if (target.get() < 0) return FromKernel(descriptor, "descriptor", errno);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return FromKernel(descriptor, "pipe", errno);
  core::Descriptor source(ends[0]);
  const core::Descriptor sink(ends[1]);
  core::Descriptor stop(eventfd(0, EFD_CLOEXEC));
  if (stop.get() < 0) return FromKernel(descriptor, "descriptor", errno);
  fcntl(source.get(), F_SETFL, O_NONBLOCK);  // of this end alone
  const bool closes_on_exec = (fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0;
  std::unique_ptr<ScrubbedFd::Redirection> redirection;
  try {
    redirection = std::make_unique<ScrubbedFd::Redirection>(
        descriptor, closes_on_exec, target.Release(), source.Release(), stop.Release(), scrubber);
  } catch (const std::system_error& error) {
    return FromKernel(descriptor, "thread", error.code().value());
  }
  if (!Replace(descriptor, sink.get(), closes_on_exec)) {
    return FromKernel(descriptor, "descriptor", errno);
  }
  return ScrubbedFd(std::move(redirection));
}

}  // namespace qarion::secrets
