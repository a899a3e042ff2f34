// Counts what a test program takes from the heap. Linking it replaces operator new.
#pragma once

#include <cstddef>

namespace qarion::secrets::test {

// Calls of operator new since the program began, all threads together.
std::size_t AllocationCount() noexcept;

}  // namespace qarion::secrets::test
