#include <cstdlib>
#include <memory>
#include <string>

#include "core/json_writer.h"
#include "named_backend.h"
#include "store_server.h"
#include "tests/support/temporary_directory.h"

namespace qarion::secrets::conformance {
namespace {

// Google offers no emulator: the fake that its own libraries work against, for all tests of this
// process.
class GcpServer : public StoreServer {
 public:
  static GcpServer& The() {
    static GcpServer server;
    return server;
  }

  // The key of a service account that may read every secret of the project.
  const std::string& key_file() const { return key_file_; }

  // What the fake alone offers; see services.py.
  void Arrange(const std::string& method, const std::string& path, Secret body) {
    net::HttpRequest request{.method = method, .url = address() + "/fake/secrets/" + path};
    request.body = std::move(body);
    Send(request);
  }

 private:
  GcpServer() : StoreServer(QARION_GCP_SERVER) {}

  const test::TemporaryDirectory directory_;
  const std::string key_file_ = directory_.Write("key.json", NextLine());
};

// `gcp_sm`, each test with a secret of its own.
class GcpBackend : public NamedBackend {
 public:
  explicit GcpBackend(std::string location = "")
      : name_("conformance-" + std::to_string(++count_)), location_(std::move(location)) {
    setenv("QARION_SECRETS_MODULE_DIR", GCP_MODULE_DIRECTORY, 1);
  }
  ~GcpBackend() override { unsetenv("QARION_SECRETS_MODULE_DIR"); }

  void Store(const Fields& fields) override {
    core::JsonWriter json;
    json.BeginObject();
    for (const auto& [name, value] : fields) json.Key(name).Text(value);
    json.EndObject();
    GcpServer::The().Arrange("POST", Path(), std::move(json).Take());
  }
  void Corrupt(const std::string& value) override {
    GcpServer::The().Arrange("POST", Path(), Secret::CopyOf("{\"SECRET_KEY\": \"" + value));
  }
  void Remove() override { GcpServer::The().Arrange("DELETE", Path(), {}); }
  Result<std::unique_ptr<SecretProvider>> Open() override {
    return OpenNamed("gcp_sm", {{"SECRETS_ENV_FILE", "/dev/null"},
                                {"HOME", "/nonexistent"},
                                {"GOOGLE_APPLICATION_CREDENTIALS", GcpServer::The().key_file()},
                                {"GCP_SECRET_ENDPOINT", GcpServer::The().address()},
                                {"GCP_SECRET_LOCATION", location_},
                                {"GCP_SECRET_NAME", name_}});
  }
  bool holds_any_byte() const override { return false; }  // JSON is UTF-8
  std::size_t longest_value() const override {            // Secret Manager keeps 64 KiB
    return std::size_t{60} * 1024;
  }

 private:
  std::string Path() const { return location_.empty() ? name_ : location_ + "/" + name_; }

  static inline int count_ = 0;
  const std::string name_;
  const std::string location_;
};

class GcpRegionalBackend final : public GcpBackend {
 public:
  GcpRegionalBackend() : GcpBackend("europe-west3") {}
};

INSTANTIATE_TEST_SUITE_P(GcpSm, ProviderConformance,
                         testing::Values(Case{"global", Make<GcpBackend>},
                                         Case{"regional", Make<GcpRegionalBackend>}),
                         NameOf);

}  // namespace
}  // namespace qarion::secrets::conformance
