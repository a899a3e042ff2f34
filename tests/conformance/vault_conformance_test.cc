#include <cstdlib>
#include <memory>
#include <string>

#include "core/json_writer.h"
#include "named_backend.h"
#include "store_server.h"

namespace qarion::secrets::conformance {
namespace {

// A server in development mode, for all tests of this process.
class VaultServer : public StoreServer {
 public:
  static VaultServer& The() {
    static VaultServer server;
    return server;
  }

  void Call(const std::string& method, const std::string& path, Secret body) {
    net::HttpRequest request{.method = method, .url = address() + "/v1/" + path};
    request.headers.push_back({"X-Vault-Token", Secret::CopyOf("root")});
    request.body = std::move(body);
    Send(request);
  }

 private:
  VaultServer() : StoreServer(QARION_BAO_SERVER) {}
};

// `vault` against a real server, each test with a secret of its own.
class VaultBackend final : public NamedBackend {
 public:
  VaultBackend() : name_("conformance-" + std::to_string(++count_)) {
    setenv("QARION_SECRETS_MODULE_DIR", VAULT_MODULE_DIRECTORY, 1);
  }
  ~VaultBackend() override { unsetenv("QARION_SECRETS_MODULE_DIR"); }

  void Store(const Fields& fields) override {
    core::JsonWriter json;
    json.BeginObject().Key("data").BeginObject();
    for (const auto& [name, value] : fields) json.Key(name).Text(value);
    json.EndObject().EndObject();
    VaultServer::The().Call("POST", "secret/data/" + name_, std::move(json).Take());
  }
  void Corrupt(const std::string& value) override { Store({{"no/field", value}}); }
  void Remove() override { VaultServer::The().Call("DELETE", "secret/metadata/" + name_, {}); }
  Result<std::unique_ptr<SecretProvider>> Open() override {
    return OpenNamed("vault", {{"SECRETS_ENV_FILE", "/dev/null"},
                               {"VAULT_ADDR", VaultServer::The().address()},
                               {"VAULT_TOKEN", "root"},
                               {"VAULT_SECRET_PATH", "secret/data/" + name_}});
  }
  bool holds_any_byte() const override { return false; }  // JSON is UTF-8

 private:
  static inline int count_ = 0;
  const std::string name_;
};

INSTANTIATE_TEST_SUITE_P(Vault, ProviderConformance,
                         testing::Values(Case{"vault", Make<VaultBackend>}), NameOf);

}  // namespace
}  // namespace qarion::secrets::conformance
