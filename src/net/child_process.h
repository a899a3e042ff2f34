// Runs a program for what it prints.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "net/call.h"
#include "qarion/secrets/clock.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::net {

struct Command {
  std::vector<std::string> words;
  // What it finds in its environment beside, or in place of, what this process has there.
  std::map<std::string, std::string> variables;
};

// Runs `command`, found by PATH, without a shell: with the environment of this process, nothing on
// standard input, no other descriptors, signals as a new process has them. It has a process group
// of its own, except where this process is in the foreground of a terminal: there it may ask, and
// ^C is for it too. Standard error is thrown away: nobody can tell whether a secret is in it.
// Returns what it printed when it ended with status 0; what it leaves running may go on.
//
// At the deadline, when nobody waits any more or when more than `limit` bytes came, it is killed,
// with its own group. No zombie stays behind. `what` begins errors; they name the first word alone.
// kConfiguration: cannot be started. kUnavailable: failed, took too long, or there is no memory,
// descriptor or process left for it. kBadData: too long.
Result<Secret> OutputOf(const Command& command, const std::string& what, std::size_t limit,
                        const Clock& clock, const Call& call);

}  // namespace qarion::secrets::net
