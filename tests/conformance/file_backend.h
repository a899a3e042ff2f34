// Stores that are files in a directory of their own.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "core/environment.h"
#include "core/provider_factory.h"
#include "core/settings.h"
#include "provider_conformance.h"
#include "runtime/provider_registry.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::conformance {

class FileBackend : public Backend {
 public:
  void Remove() override { std::filesystem::remove_all(path()); }

 protected:
  // What SECRETS_ENV_FILE or its like names: a file, or for some stores a directory.
  std::string path() const { return directory_.Path("secret"); }

  // Replaces the file by another one, as a careful operator does.
  void Write(const std::string& text) {
    const std::string fresh = directory_.Write("secret.new", text);
    Stamp(fresh);
    std::filesystem::rename(fresh, path());
  }

  // Makes it a second younger than the last: the kernel's stamps have a resolution of milliseconds
  // only.
  void Stamp(const std::string& changed) {
    const struct timespec stamp{.tv_sec = ++changed_at_seconds_, .tv_nsec = 0};
    const struct timespec stamps[] = {stamp, stamp};
    utimensat(AT_FDCWD, changed.c_str(), stamps, 0);
  }

  Result<std::unique_ptr<SecretProvider>> OpenNamed(std::string_view backend,
                                                    std::map<std::string, std::string> options) {
    auto settings = core::Settings::Load(environment_, std::move(options));
    if (!settings) return std::move(settings).error();
    // Settings outlive the providers that were made with them.
    settings_.push_back(std::make_unique<core::Settings>(std::move(*settings)));
    return runtime::OpenProvider(
        backend, {.settings = *settings_.back(), .clock = *clock_, .log = [](std::string_view) {}});
  }

 private:
  test::TemporaryDirectory directory_;
  time_t changed_at_seconds_ = 1'767'225'600;  // 2026
  core::MapEnvironment environment_;
  std::shared_ptr<Clock> clock_ = Clock::System();
  std::vector<std::unique_ptr<core::Settings>> settings_;
};

}  // namespace qarion::secrets::conformance
