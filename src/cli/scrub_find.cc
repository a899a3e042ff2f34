#include "cli/scrub_find.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <utility>

#include "cli/input_pieces.h"
#include "cli/line_positions.h"
#include "cli/scrub_progress.h"
#include "cli/unique_fd.h"
#include "core/json_writer.h"
#include "core/printable.h"

namespace qarion::secrets::cli {
namespace {

constexpr std::size_t kManyLines = std::size_t{64} * 1024;  // bytes of them

// What is named may be a pipe; what was found was a regular file when it was found.
UniqueFd Open(const FileToScrub& file) {
  if (file.path == "-") return UniqueFd(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
  const int cautious = file.was_found ? O_NOFOLLOW | O_NONBLOCK : 0;
  return UniqueFd(open(file.path.c_str(), O_RDONLY | O_NOCTTY | O_CLOEXEC | cautious));
}

std::string TextLine(const std::string& path, LinePosition at, std::string_view field) {
  return path + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " +
         std::string(field) + "\n";
}

std::string JsonLine(const std::string& path, LinePosition at, std::string_view field) {
  core::JsonWriter json(core::JsonLayout::kCompact);
  json.BeginObject();
  json.Key("path").Text(path);
  json.Key("line").UnsignedNumber(at.line);
  json.Key("column").UnsignedNumber(at.column);
  json.Key("field").Text(field);
  json.EndObject();
  return std::string(std::move(json).Take().Reveal()) + "\n";
}

}  // namespace

ScrubOutcome FindValues(const FileToScrub& file, const Scrubber& scrubber,
                        const std::string& format, const PassOutput& pass,
                        std::atomic<std::uint64_t>& bytes_done) {
  ScrubOutcome outcome;
  const std::string shown = file.path == "-" ? "(standard input)" : core::Printable(file.path);
  LinePositions positions;
  std::string lines;
  bool is_wanted = true;
  const auto pass_lines = [&] {
    is_wanted = is_wanted && pass(lines);
    lines.clear();
  };
  StreamScrubber stream(
      scrubber, [](std::string_view) {},
      [&](const StreamScrubber::Occurrence& found) {
        const LinePosition at = positions.Of(found.begin);
        lines +=
            format == "json" ? JsonLine(shown, at, found.name) : TextLine(shown, at, found.name);
        if (lines.size() >= kManyLines) pass_lines();
        outcome.tally.Count(found.name);
        outcome.holds_values = true;
      });
  FileProgress progress(file.bytes, bytes_done);
  std::uint64_t offset = 0;
  const UniqueFd opened = Open(file);
  const int error = !opened ? errno : ReadPieces(opened.get(), [&](std::string_view piece) {
    positions.Add(piece);
    stream.Write(piece);
    progress.Reach(offset += piece.size());
    pass_lines();
    return is_wanted;
  });
  stream.Finish();
  pass_lines();
  if (error != 0) {
    outcome.error = CannotRead(file.path == "-" ? "standard input" : "'" + shown + "'", error);
  }
  return outcome;
}

}  // namespace qarion::secrets::cli
