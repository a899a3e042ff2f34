// Published cases, which lie outside of the project.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qarion::secrets::test {

// Said where a test is skipped for want of them.
inline constexpr char kNoVectors[] = "not found in ../shared/vectors; set QARION_VECTORS";

// The path of a file or directory among the vectors, or nothing where there is none.
// The test is compiled with QARION_SOURCE_DIR.
inline std::optional<std::string> FindVectors(const std::string& name) {
  std::vector<std::string> directories = {"../shared/vectors",
                                          QARION_SOURCE_DIR "/../shared/vectors"};
  if (const char* named = std::getenv("QARION_VECTORS"); named != nullptr) directories = {named};
  for (const std::string& directory : directories) {
    std::string path = directory + "/" + name;
    if (std::filesystem::exists(path)) return path;
  }
  return std::nullopt;
}

inline std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace qarion::secrets::test
