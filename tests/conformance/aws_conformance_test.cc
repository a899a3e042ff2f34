#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "core/json_writer.h"
#include "crypto/base64.h"
#include "named_backend.h"
#include "store_server.h"

namespace qarion::secrets::conformance {
namespace {

// Who may do everything, and whose signature the server does not check. No provider asks as that.
constexpr char kAdministrator[] =
    "AWS4-HMAC-SHA256 Credential=fakerootkey/20260101/us-east-1/secretsmanager/aws4_request, "
    "SignedHeaders=host, Signature=fake";

// A server that checks signatures and policies, for all tests of this process.
class AwsServer : public StoreServer {
 public:
  static AwsServer& The() {
    static AwsServer server;
    return server;
  }

  const std::string& key_id() const { return key_id_; }
  const std::string& secret_key() const { return secret_key_; }

  void Call(const std::string& action, Secret body) {
    net::HttpRequest request{.method = "POST", .url = address() + "/"};
    request.headers.push_back({"Authorization", Secret::CopyOf(kAdministrator)});
    request.headers.push_back({"Content-Type", Secret::CopyOf("application/x-amz-json-1.1")});
    request.headers.push_back({"X-Amz-Target", Secret::CopyOf("secretsmanager." + action)});
    request.body = std::move(body);
    Send(request);
  }

 private:
  AwsServer() : StoreServer(QARION_AWS_SERVER) {}

  const std::string key_id_ = NextLine();
  const std::string secret_key_ = NextLine();
};

// `aws_sm` against a real server, each test with a secret of its own.
class AwsBackend : public NamedBackend {
 public:
  AwsBackend() : name_("conformance-" + std::to_string(++count_)) {
    setenv("QARION_SECRETS_MODULE_DIR", AWS_MODULE_DIRECTORY, 1);
  }
  ~AwsBackend() override { unsetenv("QARION_SECRETS_MODULE_DIR"); }

  void Store(const Fields& fields) override {
    core::JsonWriter json;
    json.BeginObject();
    for (const auto& [name, value] : fields) json.Key(name).Text(value);
    json.EndObject();
    Write(std::move(json).Take());
  }
  void Corrupt(const std::string& value) override {
    Write(Secret::CopyOf("{\"SECRET_KEY\": \"" + value));
  }
  void Remove() override {
    core::JsonWriter json;
    json.BeginObject().Key("SecretId").Text(name_);
    json.Key("ForceDeleteWithoutRecovery").Bool(true).EndObject();
    AwsServer::The().Call("DeleteSecret", std::move(json).Take());
  }
  Result<std::unique_ptr<SecretProvider>> Open() override {
    return OpenNamed("aws_sm", {{"SECRETS_ENV_FILE", "/dev/null"},
                                {"HOME", "/nonexistent"},
                                {"AWS_ENDPOINT_URL", AwsServer::The().address()},
                                {"AWS_REGION", "us-east-1"},
                                {"AWS_ACCESS_KEY_ID", AwsServer::The().key_id()},
                                {"AWS_SECRET_ACCESS_KEY", AwsServer::The().secret_key()},
                                {"AWS_SECRET_ARN", name_}});
  }
  bool holds_any_byte() const override { return false; }  // JSON is UTF-8

 protected:
  virtual void AddValue(const Secret& text, core::JsonWriter& json) const {
    json.Key("SecretString").Text(text.Reveal());
  }

 private:
  void Write(const Secret& text) {
    core::JsonWriter json;
    json.BeginObject().Key(is_there_ ? "SecretId" : "Name").Text(name_);
    AddValue(text, json);
    json.EndObject();
    AwsServer::The().Call(is_there_ ? "PutSecretValue" : "CreateSecret", std::move(json).Take());
    is_there_ = true;
  }

  static inline int count_ = 0;
  const std::string name_;
  bool is_there_ = false;
};

class AwsBinaryBackend final : public AwsBackend {
  void AddValue(const Secret& text, core::JsonWriter& json) const override {
    json.Key("SecretBinary").Text(crypto::EncodeBase64(text.Reveal()).Reveal());
  }
};

INSTANTIATE_TEST_SUITE_P(AwsSm, ProviderConformance,
                         testing::Values(Case{"text", Make<AwsBackend>},
                                         Case{"binary", Make<AwsBinaryBackend>}),
                         NameOf);

}  // namespace
}  // namespace qarion::secrets::conformance
