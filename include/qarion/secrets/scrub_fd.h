// Scrubs everything that this process and its children write to a descriptor.
#pragma once

#include <memory>

#include <qarion/secrets/export.h>
#include <qarion/secrets/result.h>
#include <qarion/secrets/scrubber.h>

namespace qarion::secrets {

class ScrubbedFd;

// Puts a scrubbing pipe in the place of `descriptor`. kUsage: it is not open for writing.
// kInternal: the kernel gives no pipe or thread.
QARION_SECRETS_EXPORT Result<ScrubbedFd> ScrubFd(int descriptor, const Scrubber& scrubber);

// A descriptor whose place a pipe has taken: what is written to it, by C and C++ streams, libraries
// and children alike, goes through a thread that scrubs it and passes it on to where the descriptor
// led before. Bytes are passed on as they come.
//
//   auto scrubbed = secrets::ScrubFd(STDOUT_FILENO, runtime->scrubber());
//   if (!scrubbed) return secrets::Report(scrubbed.error());
//
// The descriptor is no terminal any more. A process that is killed or ends without destroying this
// (exit(), _exit()) loses what is still in the pipe; a program that must lose nothing even then
// runs under `qsecrets exec`. What children write after Close() or after the process has ended
// finds a pipe that nobody reads. Where the reader behind the descriptor goes away, what is written
// is dropped, without SIGPIPE; Close() tells. A forked child that destroys its copy changes
// nothing.
//
// Thread-safety: one thread at a time; writing to the descriptor is free to all.
class QARION_SECRETS_EXPORT ScrubbedFd {
 public:
  ScrubbedFd(ScrubbedFd&&) noexcept;
  // What is assigned to would give the descriptor back after what is assigned has taken it.
  ScrubbedFd& operator=(ScrubbedFd&&) = delete;
  ~ScrubbedFd();  // closes

  // Lets the descriptor lead again to where it led before, waits until everything written so far
  // has been passed on, and returns what went wrong meanwhile: kIo where the target took no more.
  Status Close();

 private:
  friend Result<ScrubbedFd> ScrubFd(int descriptor, const Scrubber& scrubber);
  class Redirection;
  explicit ScrubbedFd(std::unique_ptr<Redirection> redirection) noexcept;

  std::unique_ptr<Redirection> redirection_;
};

}  // namespace qarion::secrets
