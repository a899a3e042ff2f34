#include <memory>
#include <string>

#include "cli/fernet.h"
#include "cli/output.h"
#include "fernet/key_file.h"
#include "qarion/secrets/fernet.h"

namespace qarion::secrets::cli {
namespace {

int RunKeygen(const std::string& path) {
  const auto key = FernetKey::Generate();
  if (!key) return Report(key.error());
  if (path.empty()) {
    const int status = Print(key->Encode().Reveal());
    return status == 0 && OutputIsTerminal() ? Print("\n") : status;
  }
  const std::string place = "key " + key->fingerprint() + " is in " + path;
  const std::string line = place + "\n";
  if (Status written = fernet::WriteNewKeyFile(path, *key, "--out"); !written) {
    return Report(written.error());
  }
  if (const Status said = WriteOutput(line); !said) {
    return Report(Error(ErrorCode::kIo, said.error().reason() + "; the " + place + " all the same")
                      .Cure("use that file: it is whole and on the disk"));
  }
  return 0;
}

}  // namespace

void AddFernetKeygen(CLI::App& fernet, Command& command) {
  auto path = std::make_shared<std::string>();
  CLI::App* keygen = fernet.add_subcommand("keygen", "Make a key");
  keygen
      ->add_option("--out", *path,
                   "Write it into a new file that nobody else may read, and show its fingerprint")
      ->check(RefuseNoName)
      ->type_name("FILE");
  keygen->footer(
      "The key is 44 characters; a line break follows only on a terminal. A file has none either,\n"
      "so that it can be handed to a store as it is. No file is overwritten.\n\n"
      "Examples:\n"
      "  qsecrets fernet keygen --out instance.key\n"
      "  qsecrets fernet keygen | some-command");
  keygen->callback([path, &command] { command = [path] { return RunKeygen(*path); }; });
}

}  // namespace qarion::secrets::cli
