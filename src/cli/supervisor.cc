#include "cli/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>

#include "cli/input_pieces.h"
#include "cli/stream_pump.h"
#include "cli/unique_fd.h"

namespace qarion::secrets::cli {
namespace {

constexpr int kWriteErrorStatus = 74;  // sysexits.h: EX_IOERR
constexpr int kSignalStatusBase = 128;
// How long a stop is put off so that what the command said before it is seen first.
constexpr std::chrono::milliseconds kStopDelayLimit{100};

Error SystemFailure(std::string_view what) {
  return Error(ErrorCode::kInternal, std::string(what) + ": " + std::strerror(errno))
      .Cure("raise the limits on processes and open files, or use --no-scrub");
}

std::vector<char*> Arguments(const ChildProgram& program) {
  std::vector<char*> arguments;
  for (const std::string& argument : program.command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  return arguments;
}

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

Result<Pipe> OpenPipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return SystemFailure("no pipe for the command");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// What the command must find as we found it.
class InheritedSignals {
 public:
  // Blocks what can be waited for. Signals that mean a fault of our own stay as they are.
  void TakeOver() {
    sigset_t blocked;
    sigfillset(&blocked);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) {
      sigdelset(&blocked, fault);
    }
    pthread_sigmask(SIG_SETMASK, &blocked, &mask_);
    // Where the ends of children are ignored, the kernel would keep the command's status from us.
    struct sigaction child_default{};
    child_default.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &child_default, &child_action_);
  }

  void Restore() const {
    sigaction(SIGCHLD, &child_action_, nullptr);
    pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  }

  static sigset_t Awaited() {
    sigset_t all;
    sigfillset(&all);
    return all;
  }

 private:
  sigset_t mask_{};
  struct sigaction child_action_{};
};

bool IsIgnored(int signal_number) {
  struct sigaction action{};
  return sigaction(signal_number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

class Supervisor {
 public:
  Supervisor(const ChildProgram& program, const Scrubber& scrubber)
      : program_(program), scrubber_(scrubber) {}

  Result<Outcome> Run(const std::function<void()>& started) {
    signals_.TakeOver();
    Result<Outcome> outcome = RunBlocked(started);
    signals_.Restore();
    return outcome;
  }

 private:
  struct Stream {
    int number;
    UniqueFd write_end;
    std::unique_ptr<StreamPump> pump;
    bool is_closed = false;
  };

  Result<Outcome> RunBlocked(const std::function<void()>& started);
  Status Prepare();
  Status AddStream(int number, std::string_view name);
  Result<int> StartChild();
  [[noreturn]] void BecomeCommand(char* const* arguments, int report, pid_t supervisor);
  void CloseWriteEnds();

  void AwaitChild();
  void AwaitStreams();
  void WaitForEvents();
  void CloseFinishedStreams();
  void TakeSignals();
  void TakeSignal(const signalfd_siginfo& signal);
  bool ShouldForward(const signalfd_siginfo& signal) const;
  void ReapChildren();
  void NoteChild(int status);
  void StopWithChild();
  void EndBySignal(int signal_number) const;

  const ChildProgram& program_;
  const Scrubber& scrubber_;
  InheritedSignals signals_;
  UniqueFd signal_events_;
  UniqueFd finished_streams_;
  std::vector<Stream> streams_;
  std::uint64_t streams_running_ = 0;

  pid_t child_ = -1;
  bool child_ended_ = false;
  bool child_stopped_ = false;
  bool continued_ = false;  // SIGCONT came with the signals just taken
  int exit_status_ = 0;
};

Result<Outcome> Supervisor::RunBlocked(const std::function<void()>& started) {
  Status prepared = Prepare();
  Result<int> start_errno = prepared ? StartChild() : Result<int>(std::move(prepared).error());
  CloseWriteEnds();
  if (!start_errno || *start_errno != 0) {
    for (Stream& stream : streams_) stream.pump->Join();
    if (!start_errno) return std::move(start_errno).error();
    return Outcome{.start_errno = *start_errno};
  }
  started();
  AwaitChild();
  AwaitStreams();
  bool write_failed = false;
  for (Stream& stream : streams_) {
    stream.pump->Join();
    write_failed = write_failed || stream.pump->write_error().has_value();
  }
  if (exit_status_ == 0 && write_failed) exit_status_ = kWriteErrorStatus;
  return Outcome{.exit_status = exit_status_};
}

Status Supervisor::Prepare() {
  const sigset_t awaited = InheritedSignals::Awaited();
  signal_events_.Reset(signalfd(-1, &awaited, SFD_CLOEXEC | SFD_NONBLOCK));
  finished_streams_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!signal_events_ || !finished_streams_) return SystemFailure("no descriptor for signals");
  if (Status added = AddStream(STDOUT_FILENO, "standard output"); !added) return added;
  return AddStream(STDERR_FILENO, "standard error");
}

Status Supervisor::AddStream(int number, std::string_view name) {
  // A stream that is closed for us, or held (HoldClosedStandardStreams), is closed for the command.
  const int flags = fcntl(number, F_GETFD);
  if (flags < 0 || (flags & FD_CLOEXEC) != 0) return {};
  Result<Pipe> pipe = OpenPipe();
  if (!pipe) return std::move(pipe).error();
  WidenPipe(pipe->write_end.get());
  auto pump = std::make_unique<StreamPump>(std::move(pipe->read_end), number, name, scrubber_,
                                           finished_streams_.get());
  if (Status running = pump->Start(); !running) return running;
  streams_.push_back({number, std::move(pipe->write_end), std::move(pump)});
  ++streams_running_;
  return {};
}

// Returns the errno of a failed execve(2), 0 where the command runs.
Result<int> Supervisor::StartChild() {
  Result<Pipe> report = OpenPipe();
  if (!report) return std::move(report).error();
  const std::vector<char*> arguments = Arguments(program_);
  const pid_t supervisor = getpid();
  // A fork(2) would copy our memory, secrets and all, for nothing, and posix_spawn(3) cannot ask
  // for PR_SET_PDEATHSIG.
  // NOLINTBEGIN(clang-analyzer-*,*unsafe-functions,cert-msc*)
  const pid_t child = vfork();
  if (child == 0) BecomeCommand(arguments.data(), report->write_end.get(), supervisor);
  // NOLINTEND(clang-analyzer-*,*unsafe-functions,cert-msc*)
  if (child < 0) return SystemFailure("no process for the command");
  child_ = child;
  report->write_end.Reset();
  int start_errno = 0;
  // Nothing arrives where execve(2) succeeds: it closes the pipe.
  while (read(report->read_end.get(), &start_errno, sizeof(start_errno)) < 0 && errno == EINTR) {
  }
  if (start_errno != 0) waitpid(child_, nullptr, 0);
  return start_errno;
}

// In the child, which runs in our memory and on this thread's stack until execve(2): nothing here
// may allocate, take a lock or change what is ours.
void Supervisor::BecomeCommand(char* const* arguments, int report, pid_t supervisor) {
  for (const Stream& stream : streams_) dup2(stream.write_end.get(), stream.number);
  // A supervisor that was killed can neither pass signals on nor scrub, and a command without one
  // would die at its next line of output; so it is asked to end.
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != supervisor) _exit(kSignalStatusBase + SIGTERM);
  signals_.Restore();
  execvpe(arguments[0], arguments, program_.environment);
  const int error = errno;
  static_cast<void>(!write(report, &error, sizeof(error)));
  _exit(127);
}

void Supervisor::CloseWriteEnds() {
  for (Stream& stream : streams_) stream.write_end.Reset();
}

void Supervisor::AwaitChild() {
  while (!child_ended_) WaitForEvents();
  for (Stream& stream : streams_) stream.pump->ChildEnded();
}

void Supervisor::AwaitStreams() {
  while (streams_running_ > 0) WaitForEvents();
}

void Supervisor::WaitForEvents() {
  std::array<pollfd, 2> waiting = {{
      {signal_events_.get(), POLLIN, 0},
      {finished_streams_.get(), POLLIN, 0},
  }};
  poll(waiting.data(), waiting.size(), -1);
  if (waiting[0].revents != 0) TakeSignals();
  std::uint64_t count = 0;
  if (waiting[1].revents != 0 && read(finished_streams_.get(), &count, sizeof(count)) > 0) {
    streams_running_ -= count;
    if (!child_ended_) CloseFinishedStreams();
  }
}

// Whoever reads a stream sees its end when the command ends it, not when we do.
void Supervisor::CloseFinishedStreams() {
  for (Stream& stream : streams_) {
    if (stream.is_closed || !stream.pump->has_finished()) continue;
    // What goes wrong with standard output is said on standard error.
    if (stream.number == STDERR_FILENO && streams_running_ > 0) continue;
    stream.is_closed = true;
    // The number stays taken, so that nothing else is written to by mistake.
    const UniqueFd null(open("/dev/null", O_WRONLY | O_CLOEXEC));
    if (null) dup3(null.get(), stream.number, O_CLOEXEC);
  }
}

void Supervisor::TakeSignals() {
  bool reap = false;
  continued_ = false;
  signalfd_siginfo signal{};
  while (read(signal_events_.get(), &signal, sizeof(signal)) == sizeof(signal)) {
    if (signal.ssi_signo == SIGCHLD) {
      reap = true;
    } else if (signal.ssi_signo == SIGCONT) {
      continued_ = true;
    } else {
      TakeSignal(signal);
    }
  }
  if (reap || continued_) ReapChildren();
  // Whoever continued us may have continued the command too; only a stopped one is told.
  if (continued_ && child_stopped_ && !child_ended_) kill(child_, SIGCONT);
}

void Supervisor::TakeSignal(const signalfd_siginfo& signal) {
  const int number = static_cast<int>(signal.ssi_signo);
  if (child_ended_) {
    EndBySignal(number);
  } else if (ShouldForward(signal)) {
    kill(child_, number);
  }
}

bool Supervisor::ShouldForward(const signalfd_siginfo& signal) const {
  const bool from_kernel = signal.ssi_code == SI_KERNEL;
  switch (signal.ssi_signo) {
    case SIGHUP:
      // A terminal that hangs up tells the leader of its session alone.
      return !from_kernel || getsid(0) == getpid();
    case SIGINT:
    case SIGQUIT:
    case SIGWINCH:
      // The terminal told the whole foreground group, the command included.
      return !from_kernel;
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
      // A command that stops its own group has taken care of itself.
      return !from_kernel && signal.ssi_pid != static_cast<std::uint32_t>(child_);
    case SIGPIPE:
    case SIGXCPU:
    case SIGXFSZ:
      // From the kernel they are about what we did ourselves.
      return !from_kernel;
    default: return true;
  }
}

void Supervisor::ReapChildren() {
  // As the first process of a container we inherit orphans: all are reaped, one counts.
  int status = 0;
  while (true) {
    const pid_t pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED);
    if (pid < 0 && errno == EINTR) continue;
    if (pid <= 0) return;
    if (pid == child_ && !child_ended_) NoteChild(status);
  }
}

void Supervisor::NoteChild(int status) {
  if (WIFEXITED(status)) {
    child_ended_ = true;
    exit_status_ = WEXITSTATUS(status);
  } else if (WIFSIGNALED(status)) {
    child_ended_ = true;
    exit_status_ = kSignalStatusBase + WTERMSIG(status);
  } else if (WIFCONTINUED(status)) {
    child_stopped_ = false;
  } else if (WIFSTOPPED(status)) {
    child_stopped_ = true;
    const int reason = WSTOPSIG(status);
    // Were we continued meanwhile, stopping now would leave the job stopped in the foreground.
    const bool by_job_control = reason == SIGTSTP || reason == SIGTTIN || reason == SIGTTOU;
    if (by_job_control && !continued_) StopWithChild();
  }
}

void Supervisor::StopWithChild() {
  const auto limit = std::chrono::steady_clock::now() + kStopDelayLimit;
  for (const Stream& stream : streams_) {
    while (!stream.pump->IsIdle() && std::chrono::steady_clock::now() < limit) {
      // Nothing tells when a pipe runs empty.
      std::this_thread::sleep_for(std::chrono::milliseconds(1));  // allowed: a real clock
    }
  }
  raise(SIGSTOP);
}

// The command has ended and others hold us up: its output goes nowhere, or a child of its own
// writes on.
void Supervisor::EndBySignal(int signal_number) const {
  switch (signal_number) {
    case SIGHUP:
    case SIGINT:
    case SIGQUIT:
    case SIGTERM:
      // The threads may sit in a write that never ends, so nothing is waited for.
      if (!IsIgnored(signal_number)) std::_Exit(kSignalStatusBase + signal_number);
      break;
    default: break;
  }
}

}  // namespace

int ReplaceProcess(const ChildProgram& program) {
  const std::vector<char*> arguments = Arguments(program);
  execvpe(arguments[0], arguments.data(), program.environment);
  return errno;
}

Result<Outcome> Supervise(const ChildProgram& program, const Scrubber& scrubber,
                          const std::function<void()>& started) {
  return Supervisor(program, scrubber).Run(started);
}

}  // namespace qarion::secrets::cli
