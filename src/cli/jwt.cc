#include "cli/jwt.h"

namespace qarion::secrets::cli {

void AddJwt(CLI::App& app, Command& command) {
  CLI::App* jwt = app.add_subcommand("jwt", kJwtDescription);
  jwt->require_subcommand(1);
  AddJwtKeygen(*jwt, command);
  AddJwtSign(*jwt, command);
  AddJwtVerify(*jwt, command);
  AddJwtInspect(*jwt, command);
  AddJwtRotation(*jwt, command);
  AddJwtDrill(*jwt, command);
  jwt->footer(
      "Keys are the backend's, SECRET_KEY, which signs, SECRET_KEY_PREVIOUS and SECRET_KEY_NEXT, "
      "or\n"
      "those of files. Each subcommand has a --help of its own.\n\n"
      "Examples:\n"
      "  qsecrets jwt keygen --out jwt.key\n"
      "  qsecrets jwt sign --subject alice | qsecrets jwt verify");
}

}  // namespace qarion::secrets::cli
