#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/fernet.h"
#include "cli/fernet_keys.h"
#include "cli/output.h"
#include "cli/token_arguments.h"

namespace qarion::secrets::cli {
namespace {

struct DecryptOptions {
  std::vector<std::string> key_files;
  std::optional<std::string> token;
  std::optional<std::int64_t> ttl;
  std::optional<std::int64_t> now;
  bool is_lenient = false;
};

FernetDecryptOptions OptionsOf(const DecryptOptions& options) {
  FernetDecryptOptions decrypt{.is_lenient = options.is_lenient};
  if (options.ttl) decrypt.ttl = std::chrono::seconds(*options.ttl);
  if (options.now) {
    decrypt.now = std::chrono::system_clock::time_point(std::chrono::seconds(*options.now));
  }
  return decrypt;
}

int RunDecrypt(const DecryptOptions& options) {
  const auto keys = ReadKeys(options.key_files);
  if (!keys) return Report(keys.error());
  const auto fernet = MakeFernet(*keys);
  if (!fernet) return Report(fernet.error());
  const auto token = ReadToken(options.token, kMostFernetTokenBytes);
  if (!token) return Report(token.error());
  const auto message = fernet->Decrypt(*token, OptionsOf(options));
  if (!message) {
    const Error& error = message.error();
    return error.code() == ErrorCode::kBadData ? ReportBadToken(error.reason()) : Report(error);
  }
  const int status = Print(message->plaintext.Reveal());
  return status == 0 && OutputIsTerminal() ? Print("\n") : status;
}

}  // namespace

void AddFernetDecrypt(CLI::App& fernet, Command& command) {
  auto options = std::make_shared<DecryptOptions>();
  CLI::App* decrypt = fernet.add_subcommand("decrypt", "Decrypt a token");
  AddTokenArgument(*decrypt, options->token);
  AddKeyFileOption(*decrypt, options->key_files);
  AddSecondsOption(*decrypt, "--ttl", options->ttl, "Refuse a token that is older");
  AddSecondsOption(*decrypt, "--now", options->now,
                   "Judge its age so many seconds after 1970 in place of now");
  decrypt->add_flag(
      "--lenient", options->is_lenient,
      "Also read base64 that older libraries wrote or altered: line breaks, the other "
      "alphabet, padding that is missing or too long");
  decrypt->footer(
      "The bytes are written as they were encrypted; a line break follows only on a terminal. "
      "Exit\n"
      "status 65 and one line where the token is not valid.\n\n"
      "Examples:\n"
      "  qsecrets fernet decrypt --key-file instance.key < token\n"
      "  qsecrets fernet decrypt --key-file instance.key --ttl 3600 \"$(cat token)\"");
  decrypt->callback([options, &command] { command = [options] { return RunDecrypt(*options); }; });
}

}  // namespace qarion::secrets::cli
