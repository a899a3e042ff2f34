// Carries what a child writes into a pipe to where it was meant to go, scrubbed on the way.
#pragma once

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include "cli/unique_fd.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/scrubber.h"

namespace qarion::secrets::cli {

class GatheredOutput;

// One stream, on a thread of its own. Bytes leave as soon as they may; a slow reader slows the
// child down, as it would without us. Where the reader is gone the pipe is closed, so that the
// child is told.
//
// Thread-safety: all members from the thread that made it. Must be joined before it is destroyed,
// unless the process ends.
class StreamPump {
 public:
  // `source`: the read end of a pipe. `sink`: an inherited descriptor, which stays open. `name`: of
  // the stream, for messages, a literal. `finished`: an eventfd that is signalled when the thread
  // is done.
  StreamPump(UniqueFd source, int sink, std::string_view name, Scrubber scrubber, int finished);
  StreamPump(const StreamPump&) = delete;
  StreamPump& operator=(const StreamPump&) = delete;
  ~StreamPump() = default;

  // kInternal: the kernel gives no thread or descriptor.
  Status Start();

  // The child has ended. Whatever is in the pipe now is still carried over, however long its reader
  // takes; what others write into it later, only for a short while.
  void ChildEnded() noexcept;

  // Whether the last byte has been passed on, or none can be any more.
  bool has_finished() const noexcept { return has_finished_.load(std::memory_order_acquire); }

  // Whether all that the child has written so far has been passed on.
  bool IsIdle() const noexcept;

  void Join();

  // After Join(): the errno of the write that failed; a reader who went away is not a failure.
  std::optional<int> write_error() const noexcept { return write_error_; }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Wait { kReadable, kLeave };

  static void* ThreadMain(void* self);
  void Run();
  void CarryOver();
  void NoteChildEnd();
  bool MayLeave() const;
  Wait WaitForInput();

  void Flush(GatheredOutput& output);
  void Break(int error);

  UniqueFd source_;
  const int source_number_;  // for IsIdle(), which must not race with the closing of source_
  const int sink_;
  const std::string_view name_;
  const Scrubber scrubber_;
  const int finished_;
  UniqueFd wake_;  // an eventfd, signalled when the child has ended
  bool sink_is_pipe_ = false;
  pthread_t thread_{};

  std::atomic<bool> has_finished_ = false;
  std::atomic<bool> is_waiting_ = false;  // for input
  std::atomic<bool> child_ended_ = false;
  Clock::time_point child_ended_at_;  // written before child_ended_

  // Of the thread alone, until it is joined.
  std::optional<Clock::time_point> deadline_;  // none while the child lives
  std::size_t owed_ = 0;                       // bytes in the pipe that may be the child's own
  bool broken_ = false;
  std::optional<int> write_error_;
};

}  // namespace qarion::secrets::cli
