// Signals that ask a command to give up, as something that work can look at.
#pragma once

#include <atomic>
#include <csignal>
#include <memory>
#include <stop_token>
#include <thread>

#include "cli/unique_fd.h"
#include "qarion/secrets/result.h"

namespace qarion::secrets::cli {

// From its construction to its end the first of SIGINT, SIGTERM, SIGHUP and SIGQUIT stops the work
// instead of the process; a second one ends the process. Those that were ignored stay so. To be
// made before any thread is started, which inherits that.
class SignalStop {
 public:
  // kInternal: the kernel refuses a descriptor.
  static Result<SignalStop> Create();
  SignalStop(SignalStop&&) noexcept = default;
  SignalStop& operator=(SignalStop&&) = delete;
  ~SignalStop();

  std::stop_token token() const noexcept { return source_.get_token(); }

  // Lets the signal that came, where one came, do to the process what it usually does; returns
  // where none did.
  void PassOn();

 private:
  SignalStop(UniqueFd signals, UniqueFd end);

  UniqueFd signals_;
  UniqueFd end_;
  std::stop_source source_;
  std::shared_ptr<std::atomic<int>> received_;
  std::jthread watcher_;
};

}  // namespace qarion::secrets::cli
