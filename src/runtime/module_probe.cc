#include "runtime/module_probe.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "core/descriptor.h"

namespace qarion::secrets::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

using core::Descriptor;

// A crash must be a plain death by signal: no handler of the host's reports it as the host's own,
// no core is written, nothing is printed.
void BecomeProbe() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_DUMPABLE, 0);
  const struct rlimit none{};
  setrlimit(RLIMIT_CORE, &none);
  for (int number = 1; number < NSIG; ++number) static_cast<void>(std::signal(number, SIG_DFL));
  sigset_t nothing;
  sigemptyset(&nothing);
  sigprocmask(SIG_SETMASK, &nothing, nullptr);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, stream);
}

[[noreturn]] void RunProbe(const std::function<void()>& trial, int report) {
  BecomeProbe();
  try {
    trial();
  } catch (...) {
    _exit(1);
  }
  const char came_back = 1;
  // _exit: the host's exit handlers and buffers are not the child's business.
  _exit(write(report, &came_back, 1) == 1 ? 0 : 1);
}

enum class Heard { kSuccess, kDeath, kNothing };

// Waits for the child's byte or, when it dies, for the end of the pipe.
Heard Listen(int report, milliseconds timeout) {
  const auto deadline = steady_clock::now() + timeout;
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    struct pollfd waiting{.fd = report, .events = POLLIN, .revents = 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::max<long>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return Heard::kNothing;
    char byte = 0;
    const ssize_t count = read(report, &byte, 1);
    if (count < 0 && errno == EINTR) continue;
    return count == 1 ? Heard::kSuccess : Heard::kDeath;
  }
}

// How the child ended; nothing where someone else has waited for it (a host that ignores SIGCHLD).
std::optional<int> Reap(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return std::nullopt;
  }
  return status;
}

std::string DescribeDeath(std::optional<int> status) {
  if (status && WIFSIGNALED(*status)) {
    const int number = WTERMSIG(*status);
    const char* description = sigdescr_np(number);
    return "was ended by signal " + std::to_string(number) + " (" +
           (description != nullptr ? description : "unknown") + ")";
  }
  if (status && WIFEXITED(*status)) {
    return "ended the process with status " + std::to_string(WEXITSTATUS(*status));
  }
  return "ended the process";
}

}  // namespace

std::optional<std::string> TryInChild(const std::function<void()>& trial,
                                      std::chrono::milliseconds timeout) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return std::string("could not be tried: ") + std::strerror(errno);
  }
  const Descriptor report(ends[0]);
  Descriptor childs_end(ends[1]);
  const pid_t child = fork();
  if (child < 0) return std::string("could not be tried: ") + std::strerror(errno);
  if (child == 0) RunProbe(trial, childs_end.get());

  childs_end.Close();
  const Heard heard = Listen(report.get(), timeout);
  if (heard == Heard::kNothing) kill(child, SIGKILL);
  const std::optional<int> status = Reap(child);
  switch (heard) {
    case Heard::kSuccess: return std::nullopt;
    case Heard::kDeath: return DescribeDeath(status);
    case Heard::kNothing: break;
  }
  return "did not come back within " + std::to_string(timeout.count()) + " ms";
}

}  // namespace qarion::secrets::runtime
