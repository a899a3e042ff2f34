// A network of a test's own, in which nothing can be reached but itself.
#pragma once

#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace qarion::secrets::test {

// Moves the calling process, which must have one thread, into a network namespace with a loopback
// interface and no other. Returns false where the machine does not permit that.
inline bool EnterEmptyNetwork() {
  if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
  const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq loopback{};
  std::strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP;
  const bool is_up = ioctl(control, SIOCSIFFLAGS, &loopback) == 0;
  close(control);
  return is_up;
}

}  // namespace qarion::secrets::test
