#include "cli/gathered_output.h"

#include <cstddef>

#include "core/descriptor_io.h"

namespace qarion::secrets::cli {
namespace {

constexpr std::size_t kMostKept = std::size_t{64} * 1024;
// From this size on copying a piece costs more than another entry in a vectored write.
constexpr std::size_t kLarge = std::size_t{4} * 1024;

}  // namespace

GatheredOutput::GatheredOutput(int descriptor) : descriptor_(descriptor) {
  kept_.reserve(kMostKept);
}

void GatheredOutput::Pass(std::string_view text) {
  if (text.size() >= kLarge) return Write(text);
  if (kept_.size() + text.size() > kMostKept) Flush();
  kept_ += text;
}

void GatheredOutput::Flush() {
  if (!kept_.empty()) Write({});
}

void GatheredOutput::Write(std::string_view text) {
  if (error_ == 0) error_ = core::WriteAll(descriptor_, kept_, text);
  kept_.clear();
}

}  // namespace qarion::secrets::cli
