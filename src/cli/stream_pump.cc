#include "cli/stream_pump.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

#include "cli/gathered_output.h"
#include "core/descriptor_io.h"
#include "core/secret_memory.h"

namespace qarion::secrets::cli {
namespace {

constexpr std::size_t kReadBytes = 128 * 1024;
constexpr std::size_t kStackBytes = 128 * 1024;
// How long others may go on writing after the child itself has ended.
constexpr std::chrono::milliseconds kGrace{250};

void Signal(int event) noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(!write(event, &one, sizeof(one)));
}

int MillisecondsUntil(std::chrono::steady_clock::time_point deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
}

}  // namespace

StreamPump::StreamPump(UniqueFd source, int sink, std::string_view name, Scrubber scrubber,
                       int finished)
    : source_(std::move(source)),
      source_number_(source_.get()),
      sink_(sink),
      name_(name),
      scrubber_(std::move(scrubber)),
      finished_(finished) {}

Status StreamPump::Start() {
  struct stat status{};
  sink_is_pipe_ = fstat(sink_, &status) == 0 && S_ISFIFO(status.st_mode);
  fcntl(source_.get(), F_SETFL, O_NONBLOCK);
  wake_.Reset(eventfd(0, EFD_CLOEXEC));
  int error = wake_ ? 0 : errno;
  if (error == 0) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, kStackBytes);
    error = pthread_create(&thread_, &attributes, &StreamPump::ThreadMain, this);
    pthread_attr_destroy(&attributes);
  }
  if (error == 0) return {};
  return Error(ErrorCode::kInternal,
               "no thread for the child's " + std::string(name_) + ": " + std::strerror(error))
      .Cure("raise the limits on processes and open files, or use --no-scrub");
}

void StreamPump::ChildEnded() noexcept {
  child_ended_at_ = Clock::now();
  child_ended_.store(true, std::memory_order_release);
  Signal(wake_.get());
}

bool StreamPump::IsIdle() const noexcept {
  // In this order: what has left the pipe since the thread last waited was passed on before it
  // waits again.
  return has_finished() ||
         (core::BytesWaiting(source_number_) == 0 && is_waiting_.load(std::memory_order_acquire));
}

void StreamPump::Join() { pthread_join(thread_, nullptr); }

void* StreamPump::ThreadMain(void* self) {
  // Writing to a terminal from the background stops the job, as it would stop the child.
  sigset_t background;
  sigemptyset(&background);
  sigaddset(&background, SIGTTOU);
  pthread_sigmask(SIG_UNBLOCK, &background, nullptr);
  static_cast<StreamPump*>(self)->Run();
  return nullptr;
}

void StreamPump::Run() {
  CarryOver();
  // The child must be told now, not when the supervisor gets to it.
  source_.Reset();
  has_finished_.store(true, std::memory_order_release);
  Signal(finished_);
}

void StreamPump::CarryOver() {
  // Many a command never uses one of its streams, so its buffers wait for the first byte.
  if (WaitForInput() == Wait::kLeave) return;
  core::SecretVector<char> buffer(kReadBytes);
  GatheredOutput output(sink_);
  StreamScrubber stream(scrubber_, [&](std::string_view text) { output.Pass(text); });
  while (!broken_) {
    NoteChildEnd();
    if (MayLeave()) break;
    const ssize_t count = read(source_.get(), buffer.data(), buffer.size());
    if (count > 0) {
      const auto size = static_cast<std::size_t>(count);
      owed_ -= std::min(owed_, size);
      stream.Write({buffer.data(), size});
      Flush(output);
    } else if (count == 0) {
      break;
    } else if (errno == EAGAIN) {
      owed_ = 0;
      if (WaitForInput() == Wait::kLeave) break;
    } else if (errno != EINTR) {
      break;
    }
  }
  if (broken_) return;
  stream.Finish();
  Flush(output);
}

void StreamPump::Flush(GatheredOutput& output) {
  output.Flush();
  if (output.error() != 0) Break(output.error());
}

void StreamPump::NoteChildEnd() {
  if (deadline_ || !child_ended_.load(std::memory_order_acquire)) return;
  deadline_ = child_ended_at_ + kGrace;
  owed_ = core::BytesWaiting(source_.get());
}

bool StreamPump::MayLeave() const { return deadline_ && owed_ == 0 && Clock::now() >= *deadline_; }

StreamPump::Wait StreamPump::WaitForInput() {
  // An entry with a negative descriptor is ignored.
  std::array<pollfd, 3> waiting = {{
      {source_.get(), POLLIN, 0},
      {deadline_ ? -1 : wake_.get(), POLLIN, 0},
      {sink_is_pipe_ ? sink_ : -1, 0, 0},
  }};
  const int timeout = deadline_ ? MillisecondsUntil(*deadline_) : -1;
  is_waiting_.store(true, std::memory_order_release);
  const int ready = poll(waiting.data(), waiting.size(), timeout);
  is_waiting_.store(false, std::memory_order_release);
  if (ready < 0) return Wait::kReadable;
  if ((waiting[2].revents & POLLERR) == 0) return Wait::kReadable;
  broken_ = true;  // the reader is gone: the child's next write must fail
  return Wait::kLeave;
}

void StreamPump::Break(int error) {
  broken_ = true;
  if (error == EPIPE) return;
  write_error_ = error;
  const std::string message = "qsecrets: error: cannot write to " + std::string(name_) + ": " +
                              std::strerror(error) +
                              "\n  to mend it: see that what it leads to takes output\n";
  static_cast<void>(!write(STDERR_FILENO, message.data(), message.size()));
}

}  // namespace qarion::secrets::cli
