#include <memory>
#include <string>

#include "cli/fernet.h"
#include "cli/new_key.h"
#include "fernet/key_file.h"
#include "qarion/secrets/fernet.h"

namespace qarion::secrets::cli {
namespace {

int RunKeygen(const std::string& path) {
  const auto key = FernetKey::Generate();
  if (!key) return Report(key.error());
  return HandOverKey(key->Encode(), key->fingerprint(), path,
                     [&] { return fernet::WriteNewKeyFile(path, *key, kOutOption); });
}

}  // namespace

void AddFernetKeygen(CLI::App& fernet, Command& command) {
  auto path = std::make_shared<std::string>();
  CLI::App* keygen = fernet.add_subcommand("keygen", "Make a key");
  AddOutOption(*keygen, *path);
  keygen->footer(
      "The key is 44 characters; a line break follows only on a terminal. A file has none either,\n"
      "so that it can be handed to a store as it is. No file is overwritten.\n\n"
      "Examples:\n"
      "  qsecrets fernet keygen --out instance.key\n"
      "  qsecrets fernet keygen | some-command");
  keygen->callback([path, &command] { command = [path] { return RunKeygen(*path); }; });
}

}  // namespace qarion::secrets::cli
