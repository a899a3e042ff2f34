// State that a forked child must not share with its parent.
#pragma once

#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

namespace qarion::secrets::core {

// Holds an object with connections, locks and threads. A forked child gets another one at its first
// use: the copy of its parent's has locks that nobody may release and threads that are not there,
// so it is left alone, and not even destroyed.
//
// Thread-safety: Get() from several threads.
template <typename T>
class PerProcess {
 public:
  explicit PerProcess(std::function<std::unique_ptr<T>()> make)
      : make_(std::move(make)), held_(new Held{make_()}) {}
  ~PerProcess() {
    const Held* held = held_.load();
    if (held->process == getpid()) delete held;
  }
  PerProcess(const PerProcess&) = delete;
  PerProcess& operator=(const PerProcess&) = delete;

  T& Get() const {
    Held* held = held_.load();
    if (held->process == getpid()) return *held->object;
    auto own = std::make_unique<Held>(Held{make_()});
    // Where another thread of the child was faster, `held` becomes what it made.
    if (held_.compare_exchange_strong(held, own.get())) held = own.release();
    return *held->object;
  }

 private:
  struct Held {
    std::unique_ptr<T> object;
    pid_t process = getpid();
  };

  const std::function<std::unique_ptr<T>()> make_;
  mutable std::atomic<Held*> held_;
};

}  // namespace qarion::secrets::core
