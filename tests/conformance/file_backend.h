// A store that is one file in a directory of its own.
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "core/environment.h"
#include "core/provider_factory.h"
#include "core/settings.h"
#include "provider_conformance.h"
#include "runtime/provider_registry.h"

namespace qarion::secrets::conformance {

class FileBackend : public Backend {
 public:
  FileBackend() {
    std::string name = testing::TempDir() + "qarion-conformance-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  ~FileBackend() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  void Remove() override { std::filesystem::remove(path()); }

 protected:
  std::string path() const { return directory_ + "/secret"; }

  // Replaces the file by another one, as a careful operator does. Each is a second younger than the
  // last: the kernel's stamps have a resolution of milliseconds only.
  void Write(const std::string& text) {
    const std::string fresh = path() + ".new";
    std::ofstream(fresh, std::ios::binary) << text;
    chmod(fresh.c_str(), 0600);
    const struct timespec stamp{.tv_sec = ++changed_at_seconds_, .tv_nsec = 0};
    const struct timespec stamps[] = {stamp, stamp};
    utimensat(AT_FDCWD, fresh.c_str(), stamps, 0);
    std::filesystem::rename(fresh, path());
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
  std::string directory_;
  time_t changed_at_seconds_ = 1'767'225'600;  // 2026
  core::MapEnvironment environment_;
  std::shared_ptr<Clock> clock_ = Clock::System();
  std::vector<std::unique_ptr<core::Settings>> settings_;
};

}  // namespace qarion::secrets::conformance
