// Threads of the library inside somebody else's process.
#pragma once

#include <csignal>
#include <thread>
#include <utility>

namespace qarion::secrets::core {

// Starts a thread that receives no signals: those belong to the program, which may block one of
// them later and wait for it.
template <typename Function>
std::jthread StartThread(Function&& function) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  struct Restore {
    const sigset_t& mask;
    ~Restore() { pthread_sigmask(SIG_SETMASK, &mask, nullptr); }
  };
  const Restore restore{before};
  return std::jthread(std::forward<Function>(function));
}

}  // namespace qarion::secrets::core
