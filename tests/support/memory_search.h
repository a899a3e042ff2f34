// Where the bytes of a secret are in this process outside of secret memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace qarion::secrets::test {

// A copy to search for that is not what is searched for.
class MaskedBytes {
 public:
  explicit MaskedBytes(std::string_view bytes) {
    for (const char c : bytes) masked_ += static_cast<char>(c ^ kMask);
  }
  bool StandsAt(const volatile char* memory) const {
    for (std::size_t i = 0; i < masked_.size(); ++i) {
      if ((memory[i] ^ kMask) != masked_[i]) return false;
    }
    return true;
  }
  std::size_t size() const { return masked_.size(); }

 private:
  static constexpr char kMask = 0x5a;
  std::string masked_;
};

// How often the bytes stand in memory that can be written to and that a core dump would contain:
// heap, stacks, static objects. Not for programs with sanitizers, whose memory is not their own.
inline int OccurrencesInDumpedMemory(const MaskedBytes& wanted) {
  std::ifstream maps("/proc/self/smaps");
  std::string line;
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  bool is_writable = false;
  int count = 0;
  while (std::getline(maps, line)) {
    std::istringstream words(line);
    char dash = 0;
    std::string rights;
    if (std::uintptr_t from = 0, to = 0;
        words >> std::hex >> from >> dash >> to >> rights && dash == '-' && rights.size() == 4) {
      begin = from;
      end = to;
      is_writable = rights.starts_with("rw");
      continue;
    }
    // "dd" is what MADV_DONTDUMP leaves.
    if (!is_writable || !line.starts_with("VmFlags:") || line.find(" dd") != std::string::npos) {
      continue;
    }
    const auto* const memory = reinterpret_cast<const volatile char*>(begin);
    for (std::size_t i = 0; i + wanted.size() <= end - begin; ++i) {
      if (wanted.StandsAt(memory + i)) ++count;
    }
  }
  return count;
}

}  // namespace qarion::secrets::test
