#include "runtime/module_text.h"

#include <cstring>

#include "core/printable.h"

namespace qarion::secrets::runtime {
namespace {

constexpr std::size_t kLongest = 500;
constexpr std::string_view kCut = "...";

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

std::string SafeText(const char* text, std::string_view fallback) {
  if (text == nullptr) return std::string(fallback);
  std::size_t size = strnlen(text, kLongest + 1);
  const bool cut = size > kLongest;
  if (cut) {
    size = kLongest - kCut.size();
    while (size > 0 && IsContinuation(text[size])) --size;
  }
  std::string safe = core::Printable(std::string(text, size));
  if (safe.find_first_not_of(' ') == std::string::npos) return std::string(fallback);
  if (cut) safe += kCut;
  return safe;
}

}  // namespace qarion::secrets::runtime
