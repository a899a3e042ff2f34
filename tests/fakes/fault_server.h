// Starts fault_server.py beside a test.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace qarion::secrets::test {

// Runs until the object goes.
class FaultServer {
 public:
  // `arguments` of fault_server.py: options and steps.
  explicit FaultServer(const std::vector<std::string>& arguments) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0) Fail("pipe2", errno);
    std::vector<std::string> words = {QARION_TEST_PYTHON, QARION_FAULT_SERVER};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    if (const int error = posix_spawn(&child_, argv[0], &actions, nullptr, argv.data(), environ)) {
      Fail(argv[0], error);
    }
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    input_ = in[1];
    output_ = out[0];
    port_ = NextLine();
  }
  ~FaultServer() {
    close(input_);
    close(output_);
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  FaultServer(const FaultServer&) = delete;
  FaultServer& operator=(const FaultServer&) = delete;

  const std::string& port() const { return port_; }
  std::string Url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + port_ + path;
  }

  // The next request that the server read, as JSON; waits for it.
  std::string NextLine() {
    std::string line;
    char byte = 0;
    while (read(output_, &byte, 1) == 1 && byte != '\n') line += byte;
    return line;
  }

  // How many requests it read that nobody took yet; waits a moment for late ones.
  int CountRequests() {
    int count = 0;
    pollfd readable{.fd = output_, .events = POLLIN, .revents = 0};
    while (poll(&readable, 1, 100) == 1 && !NextLine().empty()) ++count;
    return count;
  }

 private:
  [[noreturn]] static void Fail(const char* what, int error) {
    std::fprintf(stderr, "fault server: '%s': %s\n", what, std::strerror(error));
    std::abort();
  }

  pid_t child_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::string port_;
};

}  // namespace qarion::secrets::test
