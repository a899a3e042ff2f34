// Starts fault_server.py beside a test; each line it prints is a request that it read, as JSON.
#pragma once

#include <poll.h>

#include <string>
#include <vector>

#include "tests/fakes/python_server.h"

namespace qarion::secrets::test {

class FaultServer : public PythonServer {
 public:
  // `arguments` of fault_server.py: options and steps.
  explicit FaultServer(const std::vector<std::string>& arguments)
      : PythonServer(QARION_FAULT_SERVER, arguments) {}

  // How many requests it read that nobody took yet; waits a moment for late ones.
  int CountRequests() {
    int count = 0;
    pollfd readable{.fd = output(), .events = POLLIN, .revents = 0};
    while (poll(&readable, 1, 100) == 1 && !NextLine().empty()) ++count;
    return count;
  }
};

}  // namespace qarion::secrets::test
