#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "cli/command.h"
#include "cli/kernels_warning.h"
#include "cli/scrub_files.h"
#include "cli/scrub_options.h"
#include "cli/scrub_stream.h"
#include "cli/scrub_values.h"
#include "cli/signal_stop.h"
#include "runtime/scrub_settings.h"

namespace qarion::secrets::cli {
namespace {

constexpr std::size_t kMostJobs = 256;
constexpr int kMessagesLost = 74;  // sysexits.h: EX_IOERR

int ScrubInPlace(const ScrubOptions& options) {
  // A limit on the size of files is then an error like any other, and leaves nothing behind.
  std::signal(SIGXFSZ, SIG_IGN);
  // Sent where somebody wants to write a file that is being read.
  std::signal(SIGIO, SIG_IGN);
  // Whoever read the messages is gone: that is no reason to stop half-way.
  std::signal(SIGPIPE, SIG_IGN);
  auto signals = SignalStop::Create();
  if (!signals) return Report(signals.error());
  const auto scrubber = OpenScrubber(options);
  const int status =
      scrubber ? ScrubFiles(options, *scrubber, signals->token()) : Report(scrubber.error());
  signals->PassOn();
  return status == 0 && std::ferror(stderr) != 0 ? kMessagesLost : status;
}

int RunScrub(const ScrubOptions& options) {
  if (Status checked = CheckScrubOptions(options); !checked) return Report(checked.error());
  WarnOfUnknownKernels();
  if (options.in_place) return ScrubInPlace(options);
  const auto scrubber = OpenScrubber(options);
  if (!scrubber) return Report(scrubber.error());
  return options.find ? ScrubFiles(options, *scrubber, {}) : ScrubStream(options, *scrubber);
}

// Takes decimal digits alone, as the settings do: CLI11 would read 010 as 8, and 0x10.
CLI::Validator WholeNumber(std::size_t least, std::size_t most) {
  const std::string range = std::to_string(least) + " to " + std::to_string(most);
  return CLI::Validator(
      [=](std::string& text) -> std::string {
        std::size_t number = 0;
        const char* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, number);
        if (error != std::errc() || stop != end || number < least || number > most) {
          return "the value is not a whole number from " + range + ", in decimal digits";
        }
        text = std::to_string(number);
        return {};
      },
      range);
}

void AddWhat(CLI::App& scrub, ScrubOptions& options) {
  scrub
      .add_option("--secrets-json", options.secrets_json,
                  "Mask the values of this JSON, an array of strings or an object of names and "
                  "values, of 1 MiB at most, instead of the store's")
      ->type_name("FILE")
      ->check(RefuseNoName);
  scrub
      .add_option("--forms", options.forms,
                  "Ways of writing a value that are masked: all (default), or some of raw, lines, "
                  "parts, base64, hex, percent, json, shell, xml, c, utf16")
      ->type_name("LIST");
  scrub
      .add_option("--min-length", options.min_length,
                  "Let through values, lines and parts of them of fewer bytes; 1 masks even single "
                  "bytes (default: less than 4 only as whole words)")
      ->type_name("BYTES")
      ->transform(WholeNumber(1, runtime::kMaxMinLength));
  scrub.add_option("--mask", options.mask, "What stands in a value's place (default: ***)")
      ->type_name("TEXT");
}

void AddHow(CLI::App& scrub, ScrubOptions& options) {
  scrub.add_flag("--find", options.find,
                 "Change nothing and say where values are; ends with 1 where there is one");
  scrub.add_flag("--in-place", options.in_place, "Replace files that hold values by masked ones");
  scrub.add_option("--jobs", options.jobs, "Files at once with --find and --in-place (processors)")
      ->type_name("COUNT")
      ->transform(WholeNumber(1, kMostJobs));
  scrub.add_flag("--stats", options.stats,
                 "At the end, count on standard error what was masked or found");
  scrub.add_flag("--line-buffered", options.line_buffered,
                 "Write each line by itself, though more is waiting");
  AddOutputOption(scrub, options.format, {"text", "json"});
}

}  // namespace

void AddScrub(CLI::App& app, Command& command) {
  auto options = std::make_shared<ScrubOptions>();
  CLI::App* scrub = app.add_subcommand(
      "scrub", "Copy files or standard input to standard output, every value masked");
  scrub
      ->add_option(
          "FILE", options->paths,
          "What to copy, - for standard input; with --find and --in-place also directories")
      ->type_name("");
  AddWhat(*scrub, *options);
  AddHow(*scrub, *options);
  scrub->footer(
      "Bytes are passed on as they come, in order and unchanged but for the masks. One waits only "
      "while it may be the beginning of a value, and no clock lets it go. --output is about --find "
      "and --stats.\n\n"
      "In directories, symbolic links, pipes, sockets and devices are left out.\n\n"
      "Exit status: 0; 1 where --find finds a value; 64 usage; 74 where a file cannot be read or "
      "written, after the others; 75 where one is written meanwhile; 77 where its owner cannot be "
      "kept.\n\n"
      "Examples:\n"
      "  ./service 2>&1 | qsecrets scrub\n"
      "  qsecrets scrub --secrets-json <(vault-export) < old.log > clean.log\n"
      "  qsecrets scrub --find --forms raw old.log                in CI\n"
      "  qsecrets scrub --in-place --stats old.log");
  scrub->callback([options, &command] { command = [options] { return RunScrub(*options); }; });
}

}  // namespace qarion::secrets::cli
