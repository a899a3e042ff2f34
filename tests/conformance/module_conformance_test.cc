#include <cstdlib>

#include "file_backend.h"

namespace qarion::secrets::conformance {
namespace {

// The example module, through the C interface.
class ExampleBackend final : public FileBackend {
 public:
  ExampleBackend() { setenv("QARION_SECRETS_MODULE_DIR", MODULE_DIRECTORY, 1); }
  ~ExampleBackend() override { unsetenv("QARION_SECRETS_MODULE_DIR"); }

  void Store(const Fields& fields) override {
    std::string text = "{";
    for (const auto& [name, value] : fields) {
      text += (text.size() == 1 ? "" : ",") + Quoted(name) + ":" + Quoted(value);
    }
    Write(text + "}");
  }
  void Corrupt(const std::string& value) override { Write("{\"SECRET_KEY\":\"" + value); }
  Result<std::unique_ptr<SecretProvider>> Open() override {
    return OpenNamed("example", {{"SECRETS_ENV_FILE", "/dev/null"}, {"EXAMPLE_FILE", path()}});
  }
  bool holds_any_byte() const override { return false; }  // JSON is UTF-8

 private:
  static std::string Quoted(const std::string& text) {
    std::string quoted = "\"";
    for (const char c : text) {
      switch (c) {
        case '"': quoted += "\\\""; break;
        case '\\': quoted += "\\\\"; break;
        case '\t': quoted += "\\t"; break;
        case '\r': quoted += "\\r"; break;
        case '\n': quoted += "\\n"; break;
        default: quoted += c;
      }
    }
    return quoted + "\"";
  }
};

INSTANTIATE_TEST_SUITE_P(Module, ProviderConformance,
                         testing::Values(Case{"example", Make<ExampleBackend>}), NameOf);

}  // namespace
}  // namespace qarion::secrets::conformance
