// What the tests of modules share.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/environment.h"
#include "core/fake_clock.h"
#include "core/provider_factory.h"
#include "core/settings.h"

namespace qarion::secrets::runtime {

// A directory of its own, which only its owner can change, and settings.
class ModuleFixture : public testing::Test {
 protected:
  ModuleFixture() {
    std::string name = testing::TempDir() + "qarion-modules-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    Set({});
  }
  ~ModuleFixture() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  void Set(std::map<std::string, std::string> options) {
    options.emplace("SECRETS_ENV_FILE", "/dev/null");
    auto settings = core::Settings::Load(environment_, std::move(options));
    ASSERT_TRUE(settings);
    settings_ = std::move(*settings);
  }

  core::ProviderContext Context() {
    return {.settings = settings_, .clock = clock_, .log = [this](std::string_view line) {
              lines_.emplace_back(line);
            }};
  }

  std::string Path(const std::string& name) const { return directory_ + "/" + name; }

  // Copies a module of this directory's build; returns its path.
  std::string Install(const std::string& backend) const {
    return InstallFile(MODULE_DIRECTORY "/qarion_secrets_" + backend + ".so");
  }
  std::string InstallFile(const std::string& from) const {
    const std::string path = Path(std::filesystem::path(from).filename());
    std::filesystem::copy_file(from, path, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::permissions(path, std::filesystem::perms(0755));
    return path;
  }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name)) << text;
  }

  std::string directory_;
  core::MapEnvironment environment_;
  core::Settings settings_;
  core::FakeClock clock_;
  std::vector<std::string> lines_;
};

}  // namespace qarion::secrets::runtime
