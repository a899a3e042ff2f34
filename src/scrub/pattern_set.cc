#include "scrub/pattern_set.h"

#include <utility>
#include <vector>

#include "core/secret_memory.h"

namespace qarion::secrets::internal {

void PatternSet::Add(const Secret& value) {
  if (value.empty()) return;
  const std::lock_guard lock(mutex_);
  if (values_.insert(value.Share()).second) generation_.fetch_add(1, std::memory_order_release);
}

void PatternSet::Add(std::string_view value) { Add(Secret::CopyOf(value)); }

std::size_t PatternSet::size() const {
  const std::lock_guard lock(mutex_);
  return values_.size();
}

CompiledPatterns PatternSet::Compiled() {
  const auto up_to_date = [this](CompiledPatterns& result) {
    const std::lock_guard lock(mutex_);
    result = compiled_;
    return result.matcher != nullptr && result.generation == generation();
  };
  CompiledPatterns result;
  if (up_to_date(result)) return result;
  const std::lock_guard compiling(compiling_);
  if (up_to_date(result)) return result;  // by whoever compiled while this thread waited
  CompiledPatterns compiled = Compile();
  core::WipeTraces();
  const std::lock_guard lock(mutex_);
  result = std::exchange(compiled_, compiled);  // the old matcher is wiped after the lock is gone
  return compiled;
}

CompiledPatterns PatternSet::Compile() const {
  std::vector<Secret> values;
  CompiledPatterns compiled;
  {
    const std::lock_guard lock(mutex_);
    compiled.generation = generation();
    values.reserve(values_.size());
    for (const Secret& value : values_) values.push_back(value.Share());
  }
  std::vector<std::string_view> patterns;
  patterns.reserve(values.size());
  for (const Secret& value : values) patterns.push_back(value.Reveal());
  compiled.matcher = scrub::CompileMatcher(patterns);
  return compiled;
}

}  // namespace qarion::secrets::internal
