#include "cli/scrub_in_place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "cli/file_attributes.h"
#include "cli/gathered_output.h"
#include "cli/input_pieces.h"
#include "cli/new_neighbour.h"
#include "cli/scrub_progress.h"
#include "cli/unique_fd.h"
#include "core/files.h"

namespace qarion::secrets::cli {
namespace {

bool IsSame(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
         a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

std::string Quoted(const std::string& path) { return "'" + core::ShownPath(path) + "'"; }

class Rewriting {
 public:
  Rewriting(const FileToScrub& file, const Scrubber& scrubber, const std::stop_token& stop,
            std::atomic<std::uint64_t>& bytes_done)
      : path_(file.path),
        follows_(!file.was_found),
        scrubber_(scrubber),
        stop_(stop),
        progress_(file.bytes, bytes_done) {}

  Status Run(ScrubOutcome& outcome) {
    if (Status opened = Open(); !opened) return opened;
    auto holds_values = HoldsValues();
    if (!holds_values) return std::move(holds_values).error();
    outcome.holds_values = *holds_values;
    if (!outcome.holds_values) return {};
    if (Status allowed = MayReplace(); !allowed) return allowed;
    NewNeighbour written(directory_.get(), name_);
    if (written.error() != 0) return CannotWrite(written.error());
    if (Status done = WriteScrubbed(written.descriptor(), outcome.tally); !done) return done;
    if (const int error = CopyAttributes(file_.get(), status_, written.descriptor()); error != 0) {
      return CannotKeepAttributes(error);
    }
    if (fsync(written.descriptor()) != 0) return CannotWrite(errno);
    if (stop_.stop_requested()) return Stopped();
    if (!IsUnchanged()) return Changed("was changed meanwhile");
    if (!written.Replace(name_)) return CannotWrite(errno);
    return {};
  }

 private:
  Error CannotWrite(int error) const {
    return Error(ErrorCode::kIo,
                 "cannot write a new " + Quoted(path_) + ": " + std::strerror(error))
        .Cure("see that its directory may be written and has room for it; it was left as it is");
  }
  Error CannotKeepAttributes(int error) const {
    const bool is_denied = error == EPERM || error == EACCES;
    return Error(is_denied ? ErrorCode::kNotPermitted : ErrorCode::kIo,
                 Quoted(path_) + ": a new file cannot be given its owner, mode and attributes: " +
                     std::strerror(error))
        .Cure("run it as the file's owner or as root; it was left as it is");
  }
  Error Changed(const std::string& how) const {
    return Error(ErrorCode::kTryAgain, Quoted(path_) + " " + how + " and was left as it is")
        .Cure("stop what writes it, or let it go on in another file, and try again");
  }
  Error Stopped() const {
    return Error(ErrorCode::kTryAgain, Quoted(path_) + " was left as it is: a signal came")
        .Cure("run it again");
  }

  Status Open() {
    std::string path = path_;
    if (follows_) {
      const std::unique_ptr<char, decltype(&std::free)> resolved(realpath(path_.c_str(), nullptr),
                                                                 &std::free);
      if (resolved == nullptr) return CannotRead(Quoted(path_), errno);
      path = resolved.get();
    }
    const std::size_t slash = path.rfind('/');
    name_ = slash == path.npos ? path : path.substr(slash + 1);
    const std::string directory = slash == path.npos ? "." : path.substr(0, slash + 1);
    directory_.Reset(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory_) return CannotRead(Quoted(path_), errno);
    file_.Reset(openat(directory_.get(), name_.c_str(),
                       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file_ || fstat(file_.get(), &status_) != 0) return CannotRead(Quoted(path_), errno);
    if (!S_ISREG(status_.st_mode)) {
      return Error(ErrorCode::kIo, Quoted(path_) + " is not a regular file")
          .Cure("name regular files and directories");
    }
    return {};
  }

  // Whether it can be replaced without a loss.
  Status MayReplace() {
    if (status_.st_nlink > 1) {
      return Error(ErrorCode::kIo, Quoted(path_) + " has " + std::to_string(status_.st_nlink) +
                                       " names (hard links): the others would keep the values")
          .Cure("copy it, remove all its names, and scrub the copy");
    }
    // Not every file system knows leases, and only the owner and root may take them.
    leased_ = fcntl(file_.get(), F_SETLEASE, F_RDLCK) == 0;
    if (!leased_ && errno == EAGAIN) return Changed("is open for writing");
    return {};
  }

  // Reads all of it, or until `take` returns false.
  Status Read(const std::function<bool(std::string_view)>& take) {
    std::uint64_t offset = 0;
    const int error = ReadPieces(file_.get(), [&](std::string_view piece) {
      progress_.Reach(offset += piece.size());
      return !stop_.stop_requested() && take(piece);
    });
    if (error != 0) return CannotRead(Quoted(path_), error);
    if (stop_.stop_requested()) return Stopped();
    return {};
  }

  Result<bool> HoldsValues() {
    bool found = false;
    StreamScrubber stream(
        scrubber_, [](std::string_view) {},
        [&](const StreamScrubber::Occurrence&) { found = true; });
    Status read = Read([&](std::string_view piece) {
      stream.Write(piece);
      return !found;
    });
    if (!read) return std::move(read).error();
    if (!found) stream.Finish();
    return found;
  }

  Status WriteScrubbed(int descriptor, ScrubTally& tally) {
    if (lseek(file_.get(), 0, SEEK_SET) != 0) return CannotRead(Quoted(path_), errno);
    GatheredOutput output(descriptor);
    StreamScrubber stream(
        scrubber_, [&](std::string_view text) { output.Pass(text); },
        [&](const StreamScrubber::Occurrence& found) { tally.Count(found.name); });
    bool is_wanted = false;
    Status read = Read([&](std::string_view piece) {
      is_wanted = IsWantedByWriter();  // who is not to wait until all is done
      if (!is_wanted) stream.Write(piece);
      return !is_wanted && output.error() == 0;
    });
    if (!read) return read;
    if (is_wanted) return Changed("was opened for writing");
    stream.Finish();
    output.Flush();
    if (output.error() != 0) return CannotWrite(output.error());
    return {};
  }

  // Whether somebody waits for the lease to be given back.
  bool IsWantedByWriter() const { return leased_ && fcntl(file_.get(), F_GETLEASE) != F_RDLCK; }

  bool IsUnchanged() const {
    struct stat now{};
    return fstatat(directory_.get(), name_.c_str(), &now, AT_SYMLINK_NOFOLLOW) == 0 &&
           IsSame(now, status_) && !IsWantedByWriter();
  }

  const std::string& path_;
  const bool follows_;
  const Scrubber& scrubber_;
  const std::stop_token& stop_;
  FileProgress progress_;
  UniqueFd directory_;
  std::string name_;
  UniqueFd file_;
  struct stat status_{};
  bool leased_ = false;
};

}  // namespace

ScrubOutcome ScrubInPlace(const FileToScrub& file, const Scrubber& scrubber,
                          const std::stop_token& stop, std::atomic<std::uint64_t>& bytes_done) {
  ScrubOutcome outcome;
  Status done = Rewriting(file, scrubber, stop, bytes_done).Run(outcome);
  if (!done) {
    outcome.tally = {};
    outcome.error = std::move(done).error();
  }
  return outcome;
}

}  // namespace qarion::secrets::cli
