// Any bytes as a `.env` file. What is read must be what the rules allow, and errors must be quiet.
#include <cstdint>
#include <string_view>

#include "core/dotenv.h"
#include "core/utf8.h"
#include "require.h"

namespace core = qarion::secrets::core;

namespace {

std::optional<std::string_view> Ambient(std::string_view name) {
  if (name == "AMB") return "env";
  return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = core::ParseDotenv(text, "file");
  if (!parsed) {
    Require(parsed.error().code() == qarion::secrets::ErrorCode::kBadData);
    // Its text is made of fixed words and numbers.
    Require(parsed.error().reason().starts_with("file:") && parsed.error().reason().size() < 200);
    return 0;
  }
  Require(!core::FindInvalidUtf8(text));
  std::size_t line = 0;
  for (const core::DotenvBinding& binding : parsed->bindings) {
    Require(!binding.key.empty() && binding.line >= line);
    line = binding.line;
    // Nothing but escapes shortens, nothing lengthens.
    Require(!binding.value || binding.value->size() <= size);
  }
  const auto resolved = core::ResolveDotenv(*parsed, Ambient, "file");
  if (!resolved) return 0;
  Require(resolved->variables.size() <= parsed->bindings.size());
  for (const core::DotenvVariable& variable : resolved->variables) {
    Require(resolved->Find(variable.key) == &variable);
  }
  return 0;
}
