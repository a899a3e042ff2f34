#include "net/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "core/descriptor.h"
#include "net/server_text.h"

namespace qarion::secrets::net {
namespace {

// How soon the end of the time or of the caller's patience is noticed.
constexpr int kGlanceMilliseconds = 5;

using core::Descriptor;

bool IsInForeground() {
  const Descriptor terminal(open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC));
  return terminal.get() >= 0 && tcgetpgrp(terminal.get()) == getpgrp();
}

// How the new process differs from this one.
class SpawnPlan {
 public:
  SpawnPlan(int output, bool has_own_group) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);

    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    const int group = has_own_group ? POSIX_SPAWN_SETPGROUP : 0;
    posix_spawnattr_setflags(
        &attributes_, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | group));
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  // The errno of what went wrong, or 0.
  int Start(Command command, pid_t& child) {
    std::vector<char*> arguments;
    for (std::string& word : command.words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::vector<std::string> added;
    for (const auto& [name, value] : command.variables) added.push_back(name + "=" + value);
    std::vector<char*> variables;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
      const std::string_view name(*entry, std::strcspn(*entry, "="));
      if (!command.variables.contains(std::string(name))) variables.push_back(*entry);
    }
    for (std::string& entry : added) variables.push_back(entry.data());
    variables.push_back(nullptr);
    return posix_spawnp(&child, arguments[0], &actions_, &attributes_, arguments.data(),
                        variables.data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// A process that was started. Whatever happens, it is waited for.
class Child {
 public:
  Child(pid_t pid, bool has_own_group) noexcept : pid_(pid), has_own_group_(has_own_group) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (HasEnded()) return;
    if (has_own_group_) kill(-pid_, SIGKILL);
    kill(pid_, SIGKILL);  // it may have gone to another group
    Wait(0);
  }

  bool HasEnded() {
    if (!has_ended_) Wait(WNOHANG);
    return has_ended_;
  }

  // Nothing where somebody else took the status: a program that ignores SIGCHLD, or waits for all.
  std::optional<int> status() const noexcept { return status_; }

 private:
  void Wait(int options) {
    int status = 0;
    pid_t got = 0;
    do got = waitpid(pid_, &status, options);
    while (got < 0 && errno == EINTR);
    has_ended_ = got != 0;
    if (got > 0) status_ = status;
  }

  const pid_t pid_;
  const bool has_own_group_;
  bool has_ended_ = false;
  std::optional<int> status_;
};

// What is in the pipe, up to `limit` bytes and one more. Whether its end was reached.
bool ReadAvailable(int pipe, std::size_t limit, SecretBuffer& output) {
  while (output.size() <= limit) {
    const std::size_t want = std::min<std::size_t>(4096, limit + 1 - output.size());
    const ssize_t got = read(pipe, output.Spare(want), want);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0 || errno != EAGAIN;
    output.Grow(static_cast<std::size_t>(got));
  }
  return false;
}

void Glance(int pipe, int end) {
  struct pollfd waiting[] = {{.fd = pipe, .events = POLLIN, .revents = 0},
                             {.fd = end, .events = POLLIN, .revents = 0}};
  poll(waiting, std::size(waiting), kGlanceMilliseconds);
}

std::string Ending(int status) {
  if (WIFEXITED(status)) return "ended with status " + std::to_string(WEXITSTATUS(status));
  return "was ended by signal " + std::to_string(WTERMSIG(status));
}

}  // namespace

Result<Secret> OutputOf(const Command& command, const std::string& what, std::size_t limit,
                        const Clock& clock, const Call& call) {
  const auto wrong = [&](ErrorCode code, const std::string& problem, std::string cure) {
    return Error(code, what + ": '" + OneLine(command.words.front(), {}, 200) + "' " + problem)
        .Cure(std::move(cure));
  };
  const std::string by_hand = "run the command by hand to see what it says";
  const auto cannot_start = [&](int error) {
    const bool passes = error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE;
    return wrong(passes ? ErrorCode::kUnavailable : ErrorCode::kConfiguration,
                 std::string("cannot be started: ") + std::strerror(error),
                 passes ? "see this machine's memory and the limits of this process (ulimit)"
                        : "name a program that exists, with its path where it is not in PATH");
  };
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return cannot_start(errno);
  const Descriptor read_end(ends[0]);
  Descriptor low_write_end(ends[1]);
  // Above the three that the new process gets, should this one have closed some of its own.
  Descriptor write_end(fcntl(low_write_end.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  // Without one the program would print to where this process does.
  if (write_end.get() < 0) return cannot_start(errno);
  fcntl(read_end.get(), F_SETFL, O_NONBLOCK);
  pid_t pid = 0;
  const bool has_own_group = !IsInForeground();
  const int error = SpawnPlan(write_end.get(), has_own_group).Start(command, pid);
  if (error != 0) return cannot_start(error);
  low_write_end.Close();
  write_end.Close();

  Child child(pid, has_own_group);
  // Readable once it ended. Where there is no such descriptor, that is noticed at the next glance.
  // glibc's pidfd_open is not declared for C++ in Debian 12.
  const Descriptor end(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  SecretBuffer output;
  for (bool is_all = false;;) {
    // In this order: what came before the end is in the pipe by then, even if others hold it open.
    const bool has_ended = child.HasEnded();
    if (!is_all) is_all = ReadAvailable(read_end.get(), limit, output);
    if (output.size() > limit) {
      return wrong(ErrorCode::kBadData,
                   "prints more than the limit of " + std::to_string(limit) + " bytes", by_hand);
    }
    if (has_ended) break;
    if (call.stop.stop_requested()) {
      return wrong(ErrorCode::kUnavailable, "was ended, because nobody waits for it any more",
                   "try again");
    }
    if (clock.SteadyNow() >= call.deadline) {
      return wrong(ErrorCode::kUnavailable, "did not end in time", by_hand);
    }
    Glance(is_all ? -1 : read_end.get(), end.get());
  }
  if (child.status().value_or(0) != 0) {
    return wrong(ErrorCode::kUnavailable, Ending(*child.status()), by_hand);
  }
  return std::move(output).Seal();
}

}  // namespace qarion::secrets::net
