#include "cli/scrub_stream.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "cli/gathered_output.h"
#include "cli/input_pieces.h"
#include "cli/output.h"
#include "cli/scrub_tally.h"
#include "cli/unique_fd.h"
#include "core/files.h"

namespace qarion::secrets::cli {
namespace {

// What is written to a file would be read from it again, without end. One with nothing left to read
// does no harm.
bool IsOutput(int input) {
  struct stat in{};
  struct stat out{};
  return fstat(input, &in) == 0 && S_ISREG(in.st_mode) && fstat(STDOUT_FILENO, &out) == 0 &&
         in.st_dev == out.st_dev && in.st_ino == out.st_ino &&
         lseek(input, 0, SEEK_CUR) < in.st_size;
}

Error IsOutputToo(const std::string& what) {
  return Error(ErrorCode::kIo, what + " is the output too")
      .Cure("write to another file, or mask it where it is with --in-place");
}

class Filter {
 public:
  Filter(const Scrubber& scrubber, bool line_buffered, ScrubTally* tally)
      : line_buffered_(line_buffered),
        stream_(
            scrubber, [this](std::string_view text) { output_.Pass(text); },
            tally == nullptr
                ? StreamScrubber::Listener()
                : [tally](const StreamScrubber::Occurrence& found) { tally->Count(found.name); }) {
    WidenPipe(STDOUT_FILENO);
  }

  // Reports what ended the reading too early. Nothing is read any more once the output is broken.
  // Returns the exit status.
  int Read(int descriptor, const std::string& what) {
    if (IsOutput(descriptor)) return Report(IsOutputToo(what));
    WidenPipe(descriptor);
    const int error = ReadPieces(descriptor, [this](std::string_view piece) {
      line_buffered_ ? WriteLines(piece) : WritePiece(piece);
      return output_.error() == 0;
    });
    return error == 0 ? 0 : Report(CannotRead(what, error));
  }

  void Finish() {
    stream_.Finish();
    output_.Flush();
  }

  int output_error() const noexcept { return output_.error(); }

 private:
  void WritePiece(std::string_view piece) {
    stream_.Write(piece);
    output_.Flush();
  }

  void WriteLines(std::string_view piece) {
    while (!piece.empty()) {
      const std::size_t newline = piece.find('\n');
      const std::size_t size = newline == piece.npos ? piece.size() : newline + 1;
      WritePiece(piece.substr(0, size));
      piece.remove_prefix(size);
    }
  }

  const bool line_buffered_;
  GatheredOutput output_{STDOUT_FILENO};
  StreamScrubber stream_;
};

int ReadFile(Filter& filter, const std::string& path) {
  if (path == "-") return filter.Read(STDIN_FILENO, "standard input");
  const std::string shown = "'" + core::ShownPath(path) + "'";
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_NOCTTY | O_CLOEXEC));
  return file ? filter.Read(file.get(), shown) : Report(CannotRead(shown, errno));
}

}  // namespace

int ScrubStream(const ScrubOptions& options, const Scrubber& scrubber) {
  ScrubTally tally;
  Filter filter(scrubber, options.line_buffered, options.stats ? &tally : nullptr);
  int status = 0;
  if (options.paths.empty()) {
    status = ReadFile(filter, "-");
  }
  for (const std::string& path : options.paths) {
    if (filter.output_error() != 0) break;
    if (const int failed = ReadFile(filter, path); failed != 0) status = failed;
  }
  filter.Finish();
  if (filter.output_error() != 0) return Report(CannotWriteOutput(filter.output_error()));
  if (options.stats) tally.Report(options.format, "MASKED");
  return status;
}

}  // namespace qarion::secrets::cli
