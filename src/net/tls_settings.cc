#include "net/tls_settings.h"

#include <sys/stat.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "core/files.h"

namespace qarion::secrets::net {
namespace {

constexpr std::size_t kMostAuthorityFiles = 1000;
constexpr std::size_t kMostAuthorityBytes = std::size_t{8} * 1024 * 1024;
constexpr std::string_view kCertificateBegin = "-----BEGIN CERTIFICATE-----";

}  // namespace

TlsSettings TlsSettings::Share() const {
  return {.ca_file = ca_file,
          .ca_text = ca_text,
          .certificate_file = certificate_file,
          .key_file = key_file,
          .certificate_text = certificate_text,
          .key_text = key_text.Share(),
          .server_name = server_name,
          .is_verified = is_verified,
          .authority_setting = authority_setting,
          .certificate_setting = certificate_setting};
}

Status TlsSettings::CheckFiles() const {
  for (const auto& [file, setting] :
       {std::pair(&ca_file, &authority_setting), std::pair(&certificate_file, &certificate_setting),
        std::pair(&key_file, &certificate_setting)}) {
    struct stat status{};
    if (file->empty()) continue;
    if (stat(file->c_str(), &status) != 0) {
      // libcurl would quote it.
      const std::string shown = core::ShownPath(*file);
      if (shown == *file) continue;
      return Error(ErrorCode::kConfiguration, *setting + " is " + shown)
          .With("setting", *setting)
          .Cure("write it into a file, in PEM, and name the path of that");
    }
    if (S_ISREG(status.st_mode)) continue;
    return Error(ErrorCode::kConfiguration, *setting + ": " + *file + " is not a file")
        .With("setting", *setting)
        .With("file", *file)
        .Cure("name a file in PEM");
  }
  return {};
}

std::string TlsSettings::FilesStamp() const {
  std::string stamp;
  for (const std::string* file : {&ca_file, &certificate_file, &key_file}) {
    struct stat status{};
    if (!file->empty() && stat(file->c_str(), &status) == 0) {
      stamp += std::to_string(status.st_dev) + " " + std::to_string(status.st_ino) + " " +
               std::to_string(status.st_size) + " " + std::to_string(status.st_mtim.tv_sec) + "." +
               std::to_string(status.st_mtim.tv_nsec);
    }
    stamp += "\n";
  }
  return stamp;
}

Result<std::string> ReadAuthorities(const std::string& directory, const std::string& setting) {
  const auto wrong = [&](const std::string& problem, const char* cure) {
    return Error(ErrorCode::kConfiguration, setting + ": " + directory + " " + problem)
        .With("setting", setting)
        .Cure(cure);
  };
  std::string authorities;
  std::size_t files = 0;
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(directory, error);
  for (; !error && entry != std::filesystem::end(entry); entry.increment(error)) {
    std::error_code is_unreadable;  // such as a link that leads nowhere
    if (!entry->is_regular_file(is_unreadable) || is_unreadable) continue;
    if (++files > kMostAuthorityFiles) break;
    auto contents = core::ReadFile(entry->path().string(), setting, core::PipesAllowed::kNo);
    if (!contents) return std::move(contents).error();
    const std::string_view text = contents->bytes.Reveal();
    if (text.find(kCertificateBegin) == std::string_view::npos) continue;
    authorities.append(text).append("\n");
    if (authorities.size() > kMostAuthorityBytes) break;
  }
  if (error) {
    return wrong("cannot be read: " + error.message(),
                 "name a directory with certificates of authorities in PEM");
  }
  if (files > kMostAuthorityFiles || authorities.size() > kMostAuthorityBytes) {
    return wrong("holds more than 1,000 files or 8 MiB", "name one with the authorities alone");
  }
  if (authorities.empty()) {
    return wrong("holds no certificate", "put certificates of authorities there, in PEM");
  }
  return authorities;
}

}  // namespace qarion::secrets::net
