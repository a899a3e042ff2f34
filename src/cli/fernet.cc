#include "cli/fernet.h"

namespace qarion::secrets::cli {

void AddFernet(CLI::App& app, Command& command) {
  CLI::App* fernet = app.add_subcommand("fernet", kFernetDescription);
  fernet->require_subcommand(1);
  AddFernetKeygen(*fernet, command);
  AddFernetEncrypt(*fernet, command);
  AddFernetDecrypt(*fernet, command);
  AddFernetInspect(*fernet, command);
  fernet->footer(
      "Keys are the backend's, INSTANCE_ENCRYPTION_KEY and INSTANCE_ENCRYPTION_KEY_PREVIOUS, or "
      "those\n"
      "of files. Each subcommand has a --help of its own.\n\n"
      "Examples:\n"
      "  qsecrets fernet keygen --out new.key\n"
      "  printf %s \"$DATABASE_URL\" | qsecrets fernet encrypt --key-file new.key");
}

}  // namespace qarion::secrets::cli
