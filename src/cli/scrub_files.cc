#include "cli/scrub_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "cli/ordered_work.h"
#include "cli/output.h"
#include "cli/scrub_find.h"
#include "cli/scrub_in_place.h"
#include "cli/scrub_paths.h"
#include "cli/scrub_progress.h"
#include "cli/scrub_tally.h"
#include "cli/scrub_values.h"
#include "core/files.h"
#include "core/printable.h"

namespace qarion::secrets::cli {
namespace {

constexpr int kFound = 1;

// A file that is named twice, or named and found, is to be rewritten once.
void RemoveRepeated(std::vector<FileToScrub>& files) {
  std::set<std::pair<dev_t, ino_t>> known;
  std::erase_if(files, [&](const FileToScrub& file) {
    struct stat status{};
    if (stat(file.path.c_str(), &status) != 0 || status.st_nlink > 1) return false;
    return !known.emplace(status.st_dev, status.st_ino).second;
  });
}

Error HoldsTheValues(const FileToScrub& file, const ScrubOptions& options) {
  const std::string what =
      options.secrets_json.empty() ? "the .env file" : "the file that --secrets-json names";
  return Error(ErrorCode::kIo, "'" + core::ShownPath(file.path) + "' is " + what +
                                   ", and the values would be lost from it")
      .Cure("leave it out; it was left as it is");
}

// Under whatever name. Where it was only found, somebody wants the others masked.
void LeaveOutValues(FilesToScrub& found, const ScrubOptions& options) {
  const auto values = FileOfValues(options);
  if (!values) return;
  std::erase_if(found.files, [&](const FileToScrub& file) {
    const auto status = core::FileStatus(file.path);
    if (!status || status->st_dev != values->st_dev || status->st_ino != values->st_ino) {
      return false;
    }
    Error error = HoldsTheValues(file, options);
    if (file.was_found) {
      std::fprintf(stderr, "qsecrets: warning: %s: it was left as it is\n",
                   core::Printable(error.reason()).c_str());
    } else {
      found.errors.push_back(std::move(error));
    }
    return true;
  });
}

std::size_t Threads(std::size_t wanted) {
  constexpr std::size_t kMostByDefault = 16;
  if (wanted != 0) return wanted;
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMostByDefault);
}

// Takes the outcomes up, one by one.
class Summary {
 public:
  explicit Summary(ScrubProgress& progress) : progress_(progress) {}

  // Whether to go on.
  bool Write(std::string_view output) {
    progress_.Clear();
    const Status written = WriteOutput(output);
    if (!written) Note(written.error());
    return written.has_value();
  }

  void Take(const ScrubOutcome& outcome) {
    tally_.Add(outcome.tally);
    holds_values_ |= outcome.holds_values;
    if (outcome.error) Note(*outcome.error);
  }

  void Note(const Error& error) {
    progress_.Clear();
    const int status = Report(error);
    if (failure_ == 0) failure_ = status;
  }

  int failure() const noexcept { return failure_; }
  bool holds_values() const noexcept { return holds_values_; }
  const ScrubTally& tally() const noexcept { return tally_; }

 private:
  ScrubProgress& progress_;
  ScrubTally tally_;
  bool holds_values_ = false;
  int failure_ = 0;
};

FilesToScrub FilesOf(const ScrubOptions& options, const Scrubber& scrubber) {
  if (options.paths.empty()) return {.files = {{.path = "-"}}, .errors = {}};
  FilesToScrub found = FindFiles(options.paths);
  if (options.in_place) {
    if (scrubber.size() != 0) LeaveOutValues(found, options);
    RemoveRepeated(found.files);
  }
  return found;
}

}  // namespace

int ScrubFiles(const ScrubOptions& options, const Scrubber& scrubber, const std::stop_token& stop) {
  const FilesToScrub found = FilesOf(options, scrubber);
  std::uint64_t all_bytes = 0;
  for (const FileToScrub& file : found.files) all_bytes += file.bytes;
  ScrubProgress progress(found.files.size(), all_bytes);
  std::atomic<std::uint64_t> bytes_done{0};
  Summary summary(progress);
  for (const Error& error : found.errors) summary.Note(error);
  WorkInOrder(found.files.size(), Threads(options.jobs),
              {.work =
                   [&](std::size_t number, const PassOutput& pass) {
                     const FileToScrub& file = found.files[number];
                     return options.find
                                ? FindValues(file, scrubber, options.format, pass, bytes_done)
                                : ScrubInPlace(file, scrubber, stop, bytes_done);
                   },
               .write = [&](std::string_view output) { return summary.Write(output); },
               .take =
                   [&](const ScrubOutcome& outcome) {
                     summary.Take(outcome);
                     return !stop.stop_requested();
                   },
               .meanwhile = [&](std::size_t done) { progress.Show(done, bytes_done); }});
  progress.Clear();
  if (options.stats) summary.tally().Report(options.format, options.find ? "FOUND" : "MASKED");
  if (summary.failure() != 0) return summary.failure();
  return options.find && summary.holds_values() ? kFound : 0;
}

}  // namespace qarion::secrets::cli
