#include "cli/scrub_tally.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "core/json_writer.h"

namespace qarion::secrets::cli {
namespace {

constexpr std::string_view kHeading = "FIELD";

}  // namespace

void ScrubTally::Count(std::string_view name) {
  const auto known = counts_.find(name);
  ++(known == counts_.end() ? counts_.emplace(name, 0).first : known)->second;
}

void ScrubTally::Add(const ScrubTally& other) {
  for (const auto& [name, count] : other.counts_) counts_[name] += count;
}

void ScrubTally::Report(std::string_view format, std::string_view what) const {
  if (format == "json") {
    core::JsonWriter json;
    json.BeginArray();
    for (const auto& [name, count] : counts_) {
      json.BeginObject().Key("field").Text(name).Key("count").UnsignedNumber(count).EndObject();
    }
    json.EndArray();
    const Secret text = std::move(json).Take();
    std::fwrite(text.Reveal().data(), 1, text.size(), stderr);
    return;
  }
  std::size_t width = kHeading.size();
  for (const auto& [name, count] : counts_) width = std::max(width, name.size());
  const int count_width = static_cast<int>(what.size());
  std::fprintf(stderr, "%-*s  %.*s\n", static_cast<int>(width), kHeading.data(), count_width,
               what.data());
  for (const auto& [name, count] : counts_) {
    std::fprintf(stderr, "%-*s  %*llu\n", static_cast<int>(width), name.c_str(), count_width,
                 static_cast<unsigned long long>(count));
  }
}

}  // namespace qarion::secrets::cli
