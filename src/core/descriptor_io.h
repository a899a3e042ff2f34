// Writing to descriptors, and what waits in pipes.
#pragma once

#include <cstddef>
#include <string_view>

namespace qarion::secrets::core {

// Writes both texts, one behind the other, and waits where the descriptor takes nothing for now.
// Returns 0, or the errno of the write that failed.
int WriteAll(int descriptor, std::string_view first, std::string_view second = {}) noexcept;

// Number of bytes in a pipe; 0 where that cannot be told.
std::size_t BytesWaiting(int pipe) noexcept;

}  // namespace qarion::secrets::core
