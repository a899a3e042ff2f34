// pipe_ends produce FILE TIMES: writes the file to standard output again and again, from memory.
// pipe_ends consume: reads standard input to its end; prints bytes and seconds since the first.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

using std::chrono::steady_clock;

constexpr std::size_t kBlock = 256 * 1024;

int Produce(const char* path, long times) {
  std::ifstream file(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  if (text.empty()) return EXIT_FAILURE;
  for (; times > 0; --times) {
    for (std::string_view rest = text; !rest.empty();) {
      const ssize_t wrote = write(STDOUT_FILENO, rest.data(), std::min(rest.size(), kBlock));
      if (wrote < 0) return EXIT_FAILURE;
      rest.remove_prefix(static_cast<std::size_t>(wrote));
    }
  }
  return EXIT_SUCCESS;
}

int Consume() {
  std::vector<char> block(kBlock);
  unsigned long long bytes = 0;
  ssize_t got = read(STDIN_FILENO, block.data(), block.size());
  const auto begin = steady_clock::now();
  for (; got > 0; got = read(STDIN_FILENO, block.data(), block.size())) {
    bytes += static_cast<unsigned long long>(got);
  }
  std::printf("%llu %.6f\n", bytes,
              std::chrono::duration<double>(steady_clock::now() - begin).count());
  return got == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view end = argc > 1 ? argv[1] : "";
  if (end == "produce" && argc == 4) return Produce(argv[2], std::strtol(argv[3], nullptr, 10));
  if (end == "consume" && argc == 2) return Consume();
  std::fprintf(stderr, "usage: pipe_ends produce FILE TIMES | pipe_ends consume\n");
  return 64;
}
