#include "core/per_process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

namespace qarion::secrets::core {
namespace {

int made = 0;
int destroyed = 0;

struct Counted {
  int number = ++made;
  Counted() = default;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { ++destroyed; }
};

TEST(PerProcess, HoldsOneObject) {
  made = destroyed = 0;
  {
    const PerProcess<Counted> held([] { return std::make_unique<Counted>(); });
    EXPECT_EQ(held.Get().number, 1);
    EXPECT_EQ(held.Get().number, 1);
  }
  EXPECT_EQ(destroyed, 1);
}

// In a forked child: another object, and the copy of the parent's is not destroyed.
TEST(PerProcess, GivesAForkedChildAnObjectOfItsOwn) {
  made = destroyed = 0;
  auto held = std::make_unique<PerProcess<Counted>>([] { return std::make_unique<Counted>(); });
  const pid_t child = fork();
  if (child == 0) {
    const bool is_own = held->Get().number == 2 && held->Get().number == 2;
    held.reset();
    _exit(is_own && destroyed == 1 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(held->Get().number, 1);
}

TEST(PerProcess, IsNotDestroyedInAChildThatDidNotUseIt) {
  made = destroyed = 0;
  auto held = std::make_unique<PerProcess<Counted>>([] { return std::make_unique<Counted>(); });
  const pid_t child = fork();
  if (child == 0) {
    held.reset();
    _exit(destroyed);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace qarion::secrets::core
