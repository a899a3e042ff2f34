// Runs a command and stands between it and the world: passes signals on and scrubs what it says.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "qarion/secrets/result.h"
#include "qarion/secrets/scrubber.h"

namespace qarion::secrets::cli {

struct ChildProgram {
  std::vector<std::string> command;  // file and arguments; at least the file
  char* const* environment;          // as execve(2) takes it
};

// How it went: the status to exit with, or why the command was not started.
struct Outcome {
  int exit_status = 0;
  int start_errno = 0;  // of execve(2); 0 where the command ran
};

// Becomes the command. Returns only where that fails: the errno.
int ReplaceProcess(const ChildProgram& program);

// Runs the command with its standard output and standard error scrubbed and returns when it has
// ended and all it wrote has been passed on. `started` is called once the command runs; it no
// longer needs `program.environment` then.
//
// The calling thread must be the only one of the process. Signals that arrive are passed on,
// children that lost their parent are reaped, a stopped command stops the process. A signal that
// comes after the command's end ends the process from within. kInternal: the kernel gives no
// descriptor, thread or process.
Result<Outcome> Supervise(const ChildProgram& program, const Scrubber& scrubber,
                          const std::function<void()>& started);

}  // namespace qarion::secrets::cli
