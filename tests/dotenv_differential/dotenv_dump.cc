// Reads files from standard input, each as a four-byte little-endian length and its bytes; prints
// for each "OK key=vVALUE key=- ..." (hexadecimal; `-`: unset) or "ERR". The variable AMB is in the
// environment.
#include <cstdint>
#include <cstdio>
#include <string>

#include "core/dotenv.h"

namespace core = qarion::secrets::core;

namespace {

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

std::optional<std::string_view> Ambient(std::string_view name) {
  if (name == "AMB") return "env";
  return std::nullopt;
}

std::string Describe(std::string_view text) {
  const auto parsed = core::ParseDotenv(text, "file");
  if (!parsed) return "ERR";
  const auto resolved = core::ResolveDotenv(*parsed, Ambient, "file");
  if (!resolved) return "ERR";
  std::string line = "OK";
  for (const core::DotenvVariable& variable : resolved->variables) {
    line += " " + Hex(variable.key) + "=" +
            (variable.value ? "v" + Hex(variable.value->Reveal()) : std::string("-"));
  }
  return line;
}

}  // namespace

int main() {
  for (std::uint8_t length[4]; std::fread(length, 4, 1, stdin) == 1;) {
    const std::size_t size = length[0] + length[1] * 256u + length[2] * 65536u;
    std::string text(size, '\0');
    if (std::fread(text.data(), 1, size, stdin) != size) return 1;
    std::puts(Describe(text).c_str());
  }
}
