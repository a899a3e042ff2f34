// Tries code in a child process first.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace qarion::secrets::runtime {

// Runs `trial` in a forked child and returns nothing if it came back; otherwise how it ended: "was
// ended by signal 11 (Segmentation fault)", "did not come back within 5000 ms". The child has no
// standard streams and dumps no core. It is gone when this returns.
std::optional<std::string> TryInChild(const std::function<void()>& trial,
                                      std::chrono::milliseconds timeout);

}  // namespace qarion::secrets::runtime
