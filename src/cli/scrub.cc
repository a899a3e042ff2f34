#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "cli/command.h"
#include "cli/output.h"
#include "core/files.h"
#include "core/json_fields.h"

namespace qarion::secrets::cli {
namespace {

constexpr std::size_t kPiece = 256 * 1024;

struct ScrubOptions {
  std::string secrets_json;
};

Result<Scrubber> FromFile(const std::string& path) {
  if (path == "-" || path == "/dev/stdin" || path == "/dev/fd/0" || path == "/proc/self/fd/0") {
    return Error(ErrorCode::kUsage, "--secrets-json: standard input is the text to be scrubbed")
        .Cure("name a file, or write --secrets-json <(command) in bash");
  }
  auto file = core::ReadFile(path, "--secrets-json", core::PipesAllowed::kYes);
  if (!file) return std::move(file).error();
  auto values = core::StringsFromJson(file->bytes.Reveal(), "--secrets-json: '" + path + "'");
  if (!values) return std::move(values).error();
  if (values->empty()) {
    std::fprintf(stderr, "qsecrets: warning: --secrets-json: '%s' is empty, nothing is masked\n",
                 path.c_str());
  }
  Scrubber scrubber;
  for (const Secret& value : *values) scrubber.Add(value);
  return scrubber;
}

Result<Scrubber> FromBackend() {
  // Every key, managed or not: what the store holds must not be seen.
  auto runtime = OpenRuntime(true);
  if (!runtime) return std::move(runtime).error();
  return runtime->scrubber();
}

// Passes standard input on. What is read before an error is passed on before it is reported.
Status Pump(const Scrubber& scrubber) {
  std::optional<Error> failure;
  StreamScrubber stream(scrubber, [&](std::string_view bytes) {
    if (failure) return;
    if (Status written = WriteOutput(bytes); !written) failure = std::move(written).error();
  });
  SecretBuffer piece(kPiece);
  while (!failure) {
    const ssize_t got = read(STDIN_FILENO, piece.Spare(kPiece), kPiece);
    if (got > 0) {
      piece.Grow(static_cast<std::size_t>(got));
      stream.Write(piece.Reveal());
      piece.Clear();
    } else if (got == 0) {
      stream.Finish();
      break;
    } else if (errno != EINTR) {
      const int error = errno;
      stream.Finish();
      return Error(ErrorCode::kIo,
                   std::string("cannot read standard input: ") + std::strerror(error))
          .Cure("see that what it comes from can be read");
    }
  }
  if (failure) return *std::move(failure);
  return {};
}

int RunScrub(const ScrubOptions& options) {
  auto scrubber = options.secrets_json.empty() ? FromBackend() : FromFile(options.secrets_json);
  if (!scrubber) return Report(scrubber.error());
  const Status pumped = Pump(*scrubber);
  return pumped ? 0 : Report(pumped.error());
}

}  // namespace

void AddScrub(CLI::App& app, Command& command) {
  auto options = std::make_shared<ScrubOptions>();
  CLI::App* scrub =
      app.add_subcommand("scrub", "Copy standard input to standard output, every value masked");
  scrub
      ->add_option("--secrets-json", options->secrets_json,
                   "Mask the strings of this JSON array instead of the store's values")
      ->type_name("FILE");
  scrub->footer(
      "Bytes are passed on as they come, in order and unchanged but for the masks (***).\n\n"
      "Examples:\n"
      "  ./service 2>&1 | qsecrets scrub\n"
      "  qsecrets scrub --secrets-json <(vault-export) < old.log > clean.log");
  scrub->callback([options, &command] { command = [options] { return RunScrub(*options); }; });
}

}  // namespace qarion::secrets::cli
