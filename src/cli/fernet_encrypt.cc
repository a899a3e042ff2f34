#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/fernet.h"
#include "cli/fernet_keys.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/token_arguments.h"

namespace qarion::secrets::cli {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30;

struct EncryptOptions {
  std::vector<std::string> key_files;
  std::optional<std::int64_t> now;
};

int RunEncrypt(const EncryptOptions& options) {
  const auto keys = ReadKeys(options.key_files);
  if (!keys) return Report(keys.error());
  const NamedKey& first = keys->front();
  if (Status fit = RefuseUnfitKey(first.key, first.name); !fit) return Report(fit.error());
  const auto fernet = MakeFernet(*keys);
  if (!fernet) return Report(fernet.error());
  const auto plaintext = ReadStandardInput(kMostBytes);
  if (!plaintext) return Report(plaintext.error());
  const auto token =
      options.now ? fernet->EncryptAt(plaintext->Reveal(), std::chrono::system_clock::time_point(
                                                               std::chrono::seconds(*options.now)))
                  : fernet->Encrypt(plaintext->Reveal());
  if (!token) return Report(token.error());
  const int status = Print(*token);
  return status == 0 && OutputIsTerminal() ? Print("\n") : status;
}

}  // namespace

void AddFernetEncrypt(CLI::App& fernet, Command& command) {
  auto options = std::make_shared<EncryptOptions>();
  CLI::App* encrypt = fernet.add_subcommand("encrypt", "Encrypt standard input");
  AddKeyFileOption(*encrypt, options->key_files);
  AddSecondsOption(*encrypt, "--now", options->now,
                   "Date the token so many seconds after 1970 in place of now");
  encrypt->footer(
      "All of standard input is encrypted, a line break at its end too. The token is written as it "
      "is;\n"
      "a line break follows only on a terminal.\n\n"
      "Examples:\n"
      "  printf %s \"$DATABASE_URL\" | qsecrets fernet encrypt\n"
      "  qsecrets fernet encrypt --key-file instance.key < value > token");
  encrypt->callback([options, &command] { command = [options] { return RunEncrypt(*options); }; });
}

}  // namespace qarion::secrets::cli
