#include "cli/new_key.h"

#include "cli/command.h"
#include "cli/output.h"

namespace qarion::secrets::cli {

void AddOutOption(CLI::App& app, std::string& path) {
  app.add_option(kOutOption, path,
                 "Write it into a new file that nobody else may read, and show its fingerprint")
      ->check(RefuseNoName)
      ->type_name("FILE");
}

int HandOverKey(const Secret& key, const std::string& fingerprint, const std::string& path,
                const std::function<Status()>& write) {
  if (path.empty()) {
    const int status = Print(key.Reveal());
    return status == 0 && OutputIsTerminal() ? Print("\n") : status;
  }
  const std::string place = "key " + fingerprint + " is in " + path;
  const std::string line = place + "\n";
  if (const Status written = write(); !written) return Report(written.error());
  if (const Status said = WriteOutput(line); !said) {
    return Report(Error(ErrorCode::kIo, said.error().reason() + "; the " + place + " all the same")
                      .Cure("use that file: it is whole and on the disk"));
  }
  return 0;
}

}  // namespace qarion::secrets::cli
