#include "core/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "core/ascii.h"
#include "core/descriptor.h"

namespace qarion::secrets::core {
namespace {

// The N of /dev/fd/N. A process that has made itself undumpable may not open that path, which is a
// link into /proc, but it may duplicate the descriptor.
std::optional<int> OwnDescriptor(std::string_view path) {
  if (path == "/dev/stdin") return STDIN_FILENO;
  for (const std::string_view prefix : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!path.starts_with(prefix)) continue;
    int number = -1;
    const char* end = path.data() + path.size();
    const auto parsed = std::from_chars(path.data() + prefix.size(), end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end && number >= 0) return number;
  }
  return std::nullopt;
}

int Open(const std::string& path) {
  if (const auto own = OwnDescriptor(path)) return fcntl(*own, F_DUPFD_CLOEXEC, 3);
  // O_NONBLOCK: opening a FIFO without a writer must not hang; reads of regular files ignore it.
  return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

std::string_view KindOf(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode)) return "a character device";
  if (S_ISBLK(mode)) return "a block device";
  return "not a regular file";
}

// What cannot be looked at is there, or a directory above it is.
bool IsThere(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 || errno == EACCES;
}

// Whether it, or the directory that it would be in, is there. The root and the working directory
// say nothing: any text would be in one of them.
bool IsKnownPlace(const std::string& path) {
  if (IsThere(path)) return true;
  const std::size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "" : path.substr(0, slash);
  return parent.find_first_not_of('/') != std::string::npos && IsThere(parent);
}

// Keys and tokens in base64 of both alphabets, in hexadecimal digits, as UUIDs: letters and digits
// mixed, longer than words are.
bool LooksRandom(std::string_view text, bool needs_both_cases) {
  constexpr std::size_t kShortest = 32;
  if (text.size() < kShortest) return false;
  bool has_upper = false;
  bool has_lower = false;
  bool has_digit = false;
  bool has_dash = false;
  bool is_hexadecimal = true;
  for (const char c : text) {
    const bool is_upper = c >= 'A' && c <= 'Z';
    const bool is_lower = c >= 'a' && c <= 'z';
    const bool is_dash = c == '-' || c == '_';
    if (!IsLetterOrDigit(c) && !is_dash && c != '+' && c != '=') return false;
    has_upper |= is_upper;
    has_lower |= is_lower;
    has_digit |= IsDigit(c);
    has_dash |= is_dash;
    is_hexadecimal &= IsDigit(c) || c == '-' || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  }
  if (!has_digit) return false;
  return (has_upper && has_lower) || (!needs_both_cases && (is_hexadecimal || !has_dash));
}

bool LooksLikeAToken(std::string_view text) {
  constexpr std::size_t kShortest = 16;
  // JSON Web Tokens; those of Vault, Google, AWS and of what runs builds.
  constexpr std::string_view kBeginnings[] = {"eyJ",  "hvs.",    "hvb.",        "hvr.",  "ya29.",
                                              "AIza", "GOCSPX-", "AKIA",        "ASIA",  "IQoJ",
                                              "FwoG", "ghp_",    "github_pat_", "glpat-"};
  if (text.size() >= kShortest && std::ranges::any_of(kBeginnings, [&](std::string_view beginning) {
        return text.starts_with(beginning);
      })) {
    return true;
  }
  // Of servers older than Vault 1.10, and of OpenBao's: "s." and 24 letters and digits.
  constexpr std::size_t kShortestOfVault = 26;
  return text.size() >= kShortestOfVault && (text.starts_with("s.") || text.starts_with("b.")) &&
         std::ranges::all_of(text.substr(2), IsLetterOrDigit);
}

// Of a text that names nothing that is there.
bool MayBeASecret(std::string_view text) {
  constexpr std::size_t kLongest = 255;  // NAME_MAX
  constexpr std::string_view kOfPem[] = {"-----BEGIN", "PRIVATE KEY", "\\n"};
  if (text.size() > kLongest || text.find_first_of("{}\"") != std::string_view::npos ||
      text.starts_with("1//") ||  // what Google renews logins by
      std::ranges::any_of(kOfPem, [&](std::string_view part) { return text.contains(part); })) {
    return true;
  }
  std::string joined;  // base64 has slashes in it too
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find_first_of("/ \t"));
    if (LooksLikeAToken(part) || LooksRandom(part, /*needs_both_cases=*/false)) return true;
    joined += part;
    if (LooksRandom(joined, /*needs_both_cases=*/true)) return true;
    text.remove_prefix(std::min(text.size(), part.size() + 1));
  }
  return false;
}

Error Unreadable(const std::string& given, const std::string& what, int error) {
  const std::string path = ShownPath(given);
  if (path != given) {
    return Error(ErrorCode::kConfiguration, what + " is " + path)
        .With("setting", what)
        .Cure("write its content into a file that nobody else may read, and name the path of that");
  }
  std::string reason = what + ": cannot read '" + path + "': " + std::strerror(error);
  std::string cure;
  ErrorCode code = ErrorCode::kConfiguration;
  switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ESTALE:  // a file system over the network that lost the file's directory for a moment
      code = ErrorCode::kUnavailable;
      cure = "see this machine's memory and the limits of this process (ulimit)";
      break;
    case ENOENT:
    case ENOTDIR: cure = "correct the path, or create the file"; break;
    case EACCES:
    case EPERM:
      cure = "let user id " + std::to_string(geteuid()) + " read it (chmod, chown)";
      break;
    default: cure = "see that the path names a file that can be read"; break;
  }
  return Error(code, std::move(reason))
      .With("setting", what)
      .With("file", path)
      .Cure(std::move(cure));
}

Error TooLarge(const std::string& path, const std::string& what, std::size_t limit,
               ErrorCode code) {
  return Error(code, what + ": '" + path + "' is larger than the limit of " +
                         std::to_string(limit) + " bytes")
      .With("setting", what)
      .With("file", path)
      .Cure("see that it is the file that is meant, and leave out of it what nobody needs");
}

}  // namespace

std::string ShownPath(const std::string& path) {
  const bool is_shown = path.find_first_of("\r\n") == std::string::npos &&
                        (IsKnownPlace(path) || !MayBeASecret(path));
  return is_shown ? path : "a text of " + std::to_string(path.size()) + " bytes, not a path";
}

std::optional<struct stat> FileStatus(const std::string& path) {
  struct stat status{};
  const auto own = OwnDescriptor(path);
  const int failed = own ? fstat(*own, &status) : stat(path.c_str(), &status);
  return failed == 0 ? std::optional(status) : std::nullopt;
}

Result<FileContents> ReadFile(const std::string& path, const std::string& what, PipesAllowed pipes,
                              std::size_t limit, ErrorCode too_large) {
  if (path.find('\0') != std::string::npos) {
    return Error(ErrorCode::kConfiguration, what + ": the path contains a zero byte")
        .Cure("correct the path");
  }
  const Descriptor file(Open(path));
  if (file.get() < 0) return Unreadable(path, what, errno);
  FileContents contents;
  if (fstat(file.get(), &contents.status) != 0) return Unreadable(path, what, errno);
  const mode_t mode = contents.status.st_mode;
  const bool pipe = S_ISFIFO(mode) || S_ISSOCK(mode);
  if (!S_ISREG(mode) && !(pipe && pipes == PipesAllowed::kYes)) {
    return Error(ErrorCode::kConfiguration,
                 what + ": '" + path + "' is " + std::string(KindOf(mode)) + ", not a file")
        .With("setting", what)
        .With("file", path)
        .Cure("name a regular file");
  }
  if (S_ISREG(mode) && static_cast<std::size_t>(contents.status.st_size) > limit) {
    return TooLarge(path, what, limit, too_large);
  }
  if (pipe) {
    const int flags = fcntl(file.get(), F_GETFL);
    if (flags >= 0) fcntl(file.get(), F_SETFL, flags & ~O_NONBLOCK);
  }

  SecretBuffer buffer(S_ISREG(mode) ? static_cast<std::size_t>(contents.status.st_size) + 1 : 4096);
  for (;;) {
    constexpr std::size_t kChunk = 4096;
    const std::size_t want = std::min(kChunk, limit + 1 - buffer.size());
    const ssize_t got = read(file.get(), buffer.Spare(want), want);
    if (got < 0) {
      if (errno == EINTR) continue;
      return Error(ErrorCode::kIo,
                   what + ": reading '" + path + "' failed: " + std::strerror(errno))
          .With("setting", what)
          .With("file", path)
          .Cure("see that the file system it lies on works");
    }
    if (got == 0) break;
    buffer.Grow(static_cast<std::size_t>(got));
    if (buffer.size() > limit) return TooLarge(path, what, limit, too_large);
  }
  contents.bytes = std::move(buffer).Seal();
  return contents;
}

}  // namespace qarion::secrets::core
