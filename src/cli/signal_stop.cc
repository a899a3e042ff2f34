#include "cli/signal_stop.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

namespace qarion::secrets::cli {
namespace {

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&signals, signal);
  return signals;
}

// Until the first signal, or until something is written to `end`.
void Watch(int signals, int end, std::stop_source& source, std::atomic<int>& received) {
  std::array<pollfd, 2> descriptors = {pollfd{.fd = signals, .events = POLLIN, .revents = 0},
                                       pollfd{.fd = end, .events = POLLIN, .revents = 0}};
  while (poll(descriptors.data(), descriptors.size(), -1) < 0 && errno == EINTR) {
  }
  signalfd_siginfo signal{};
  if (descriptors[0].revents != 0 && read(signals, &signal, sizeof signal) == sizeof signal) {
    received = static_cast<int>(signal.ssi_signo);
    source.request_stop();
  }
}

}  // namespace

Result<SignalStop> SignalStop::Create() {
  const sigset_t signals = StopSignals();
  UniqueFd signal_fd(signalfd(-1, &signals, SFD_CLOEXEC));
  UniqueFd end(eventfd(0, EFD_CLOEXEC));
  if (!signal_fd || !end) {
    return Error(ErrorCode::kInternal,
                 std::string("signals cannot be watched: ") + std::strerror(errno))
        .Cure("raise the number of descriptors that this process may open (ulimit -n)");
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return SignalStop(std::move(signal_fd), std::move(end));
}

SignalStop::SignalStop(UniqueFd signals, UniqueFd end)
    : signals_(std::move(signals)),
      end_(std::move(end)),
      received_(std::make_shared<std::atomic<int>>(0)) {
  watcher_ =
      std::jthread([signals = signals_.get(), end = end_.get(), source = source_,
                    received = received_]() mutable { Watch(signals, end, source, *received); });
}

SignalStop::~SignalStop() {
  if (!end_) return;  // moved from
  const std::uint64_t one = 1;
  static_cast<void>(!write(end_.get(), &one, sizeof one));
  watcher_.join();
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

void SignalStop::PassOn() {
  const int signal = received_->load();
  if (signal == 0) return;
  const sigset_t signals = StopSignals();
  std::signal(signal, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  raise(signal);
}

}  // namespace qarion::secrets::cli
