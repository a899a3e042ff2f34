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

// Those that this process was not told to ignore, as nohup(1) does.
sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    struct sigaction present{};
    sigaction(signal, nullptr, &present);
    if (present.sa_handler != SIG_IGN) sigaddset(&signals, signal);
  }
  return signals;
}

// Does to the process what the signal usually does.
void Die(int signal) {
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, signal);
  std::signal(signal, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  raise(signal);
}

// Until something is written to `end`. The first signal stops the work, the second one the process.
void Watch(int signals, int end, std::stop_source& source, std::atomic<int>& received) {
  std::array<pollfd, 2> descriptors = {pollfd{.fd = signals, .events = POLLIN, .revents = 0},
                                       pollfd{.fd = end, .events = POLLIN, .revents = 0}};
  while (true) {
    if (poll(descriptors.data(), descriptors.size(), -1) < 0 && errno == EINTR) continue;
    if (descriptors[1].revents != 0) return;
    signalfd_siginfo signal{};
    if (read(signals, &signal, sizeof signal) != sizeof signal) return;
    const int number = static_cast<int>(signal.ssi_signo);
    if (received.exchange(number) != 0) Die(number);
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
  if (const int signal = received_->load(); signal != 0) Die(signal);
}

}  // namespace qarion::secrets::cli
