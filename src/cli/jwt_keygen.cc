#include <memory>
#include <string>

#include "cli/jwt.h"
#include "cli/jwt_keys.h"
#include "cli/new_key.h"
#include "core/new_file.h"
#include "qarion/secrets/jwt_keys.h"

namespace qarion::secrets::cli {
namespace {

struct KeygenOptions {
  std::string path;
  jwt::Algorithm algorithm = jwt::Algorithm::kHs256;
};

int RunKeygen(const KeygenOptions& options) {
  if (LooksLikeKey(options.path)) return Report(core::IsAKey(kOutOption));
  const auto key = jwt::GenerateKey(options.algorithm);
  if (!key) return Report(key.error());
  return HandOverKey(*key, jwt::KeyId(*key), options.path,
                     [&] { return core::WriteNewKeyFile(options.path, *key, kOutOption); });
}

}  // namespace

void AddJwtKeygen(CLI::App& jwt, Command& command) {
  auto options = std::make_shared<KeygenOptions>();
  CLI::App* keygen = jwt.add_subcommand("keygen", "Make a key");
  AddOutOption(*keygen, options->path);
  AddAlgorithmOption(*keygen, options->algorithm);
  keygen->footer(
      "The key is 43, 64 or 86 characters, as long as the hash of the algorithm; a line break "
      "follows\n"
      "only on a terminal. A file has none either, so that it can be handed to a store as it is. "
      "No\n"
      "file is overwritten.\n\n"
      "Examples:\n"
      "  qsecrets jwt keygen --out jwt-512.key --algorithm HS512\n"
      "  qsecrets jwt keygen | some-command");
  keygen->callback([options, &command] { command = [options] { return RunKeygen(*options); }; });
}

}  // namespace qarion::secrets::cli
