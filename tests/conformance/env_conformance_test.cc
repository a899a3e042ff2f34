#include <filesystem>
#include <fstream>

#include "core/files.h"
#include "file_backend.h"

namespace qarion::secrets::conformance {
namespace {

// `env` with its values in a `.env` file.
class EnvFileBackend final : public FileBackend {
 public:
  void Store(const Fields& fields) override {
    std::string text;
    for (const auto& [name, value] : fields) text += name + "=" + Quoted(value) + "\n";
    Write(text);
  }
  void Corrupt(const std::string& value) override { Write("SECRET_KEY='" + value); }
  Result<std::unique_ptr<SecretProvider>> Open() override {
    return OpenNamed("env", {{"SECRETS_ENV_FILE", path()}});
  }
  bool holds_any_byte() const override { return false; }

 private:
  // Between double quotes the escapes of python-dotenv apply; `${` is taken apart by its own
  // default: `${X:-$}{HOME}` is `${HOME}`, as X is never set.
  static std::string Quoted(const std::string& value) {
    std::string quoted = "\"";
    for (const char c : value) {
      switch (c) {
        case '"': quoted += "\\\""; break;
        case '\\': quoted += "\\\\"; break;
        case '\r': quoted += "\\r"; break;
        case '\n': quoted += "\\n"; break;
        case '$': quoted += "${NEVER_SET_ANYWHERE:-$}"; break;
        default: quoted += c;
      }
    }
    return quoted + "\"";
  }
};

// `env` with its values in a directory, one file per key.
class EnvDirectoryBackend final : public FileBackend {
 public:
  void Store(const Fields& fields) override {
    std::filesystem::remove_all(path());
    std::filesystem::create_directory(path());
    for (const auto& [name, value] : fields) WriteKey(name, value + "\n");
    Stamp(path());
  }
  void Corrupt(const std::string& value) override {
    WriteKey("SECRET_KEY", value + std::string(2 * core::kMaxFileBytes, 'x'));
  }
  Result<std::unique_ptr<SecretProvider>> Open() override {
    std::filesystem::create_directory(path());
    return OpenNamed("env", {{"SECRETS_ENV_FILE", "/dev/null"}, {"SECRETS_DIR", path()}});
  }
  bool holds_any_byte() const override { return true; }

 private:
  void WriteKey(const std::string& name, const std::string& bytes) {
    std::ofstream(path() + "/" + name, std::ios::binary) << bytes;
  }
};

INSTANTIATE_TEST_SUITE_P(Env, ProviderConformance,
                         testing::Values(Case{"env_file", Make<EnvFileBackend>},
                                         Case{"env_directory", Make<EnvDirectoryBackend>}),
                         NameOf);

}  // namespace
}  // namespace qarion::secrets::conformance
