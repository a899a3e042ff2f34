// How often the value of each field was masked or found.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace qarion::secrets::cli {

class ScrubTally {
 public:
  void Count(std::string_view name);
  void Add(const ScrubTally& other);

  // A table, or a JSON array ("json"), to standard error. `what`: the heading of the counts.
  void Report(std::string_view format, std::string_view what) const;

 private:
  std::map<std::string, std::uint64_t, std::less<>> counts_;
};

}  // namespace qarion::secrets::cli
