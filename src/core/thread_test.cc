#include "core/thread.h"

#include <gtest/gtest.h>

#include <csignal>

namespace qarion::secrets::core {
namespace {

sigset_t Mask() {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return mask;
}

// A program that blocks a signal and waits for it would lose it to such a thread.
TEST(Thread, ReceivesNoSignalOfTheProgram) {
  sigset_t there{};
  StartThread([&] { there = Mask(); }).join();
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD}) {
    EXPECT_TRUE(sigismember(&there, signal)) << signal;
  }
}

TEST(Thread, LeavesTheSignalsOfItsCreatorAsTheyWere) {
  sigset_t only_one;
  sigemptyset(&only_one);
  sigaddset(&only_one, SIGUSR2);
  const sigset_t before = Mask();
  pthread_sigmask(SIG_SETMASK, &only_one, nullptr);
  StartThread([] {}).join();
  const sigset_t after = Mask();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_TRUE(sigismember(&after, SIGUSR2));
  EXPECT_FALSE(sigismember(&after, SIGTERM));
}

}  // namespace
}  // namespace qarion::secrets::core
