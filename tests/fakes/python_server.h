// Starts a server that is a Python program beside a test. The program prints its port first and
// ends with its input.
#pragma once

#include <fcntl.h>
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
class PythonServer {
 public:
  PythonServer(const char* program, const std::vector<std::string>& arguments) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0) Fail("pipe2", errno);
    std::vector<std::string> words = {QARION_TEST_PYTHON, program};
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
  ~PythonServer() {
    close(input_);
    close(output_);
    waitpid(child_, nullptr, 0);
  }
  PythonServer(const PythonServer&) = delete;
  PythonServer& operator=(const PythonServer&) = delete;

  const std::string& port() const { return port_; }
  std::string Url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + port_ + path;
  }

  // What it prints next; waits for it.
  std::string NextLine() {
    std::string line;
    char byte = 0;
    while (read(output_, &byte, 1) == 1 && byte != '\n') line += byte;
    return line;
  }

 protected:
  int output() const { return output_; }

 private:
  [[noreturn]] static void Fail(const char* what, int error) {
    std::fprintf(stderr, "server of a test: '%s': %s\n", what, std::strerror(error));
    std::abort();
  }

  pid_t child_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::string port_;
};

}  // namespace qarion::secrets::test
