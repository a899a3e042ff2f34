// Time as the library sees it, so that tests can turn the clock.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include <qarion/secrets/export.h>

namespace qarion::secrets {

// Thread-safety: every member may be called from several threads.
class QARION_SECRETS_EXPORT Clock {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;
  using SystemTime = std::chrono::system_clock::time_point;

  virtual ~Clock() = default;

  // For durations and deadlines: never set back. The system clock's is coarse, about 4 ms, because
  // a cached read asks for it each time.
  virtual SteadyTime SteadyNow() const noexcept = 0;

  // For moments that others know too, such as the expiry of a credential.
  virtual SystemTime SystemNow() const noexcept = 0;

  // Waits on `condition`, with `lock` held as usual, until `done()` or until SteadyNow() reaches
  // `deadline`. Returns done().
  virtual bool WaitUntil(std::unique_lock<std::mutex>& lock, std::condition_variable& condition,
                         SteadyTime deadline, const std::function<bool()>& done) = 0;

  // The machine's clocks.
  static std::shared_ptr<Clock> System();
};

}  // namespace qarion::secrets
