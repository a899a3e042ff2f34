// Sources that only have to look: variables and files.
#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "aws/credential_document.h"
#include "aws/credential_source.h"
#include "core/ascii.h"
#include "core/files.h"
#include "core/rfc3339.h"

namespace qarion::secrets::aws {
namespace {

class EnvironmentSource final : public CredentialSource {
 public:
  explicit EnvironmentSource(const SourceContext& context) : variables_(context.variables) {}

  std::string Name() const override { return "environment"; }

  Result<Offer> Get(const net::Call&) override {
    const KeyPart id = Part("AWS_ACCESS_KEY_ID");
    const KeyPart secret = Part("AWS_SECRET_ACCESS_KEY");
    if (id.text.empty()) {
      return Offer{.why_not = secret.text.empty()
                                  ? "AWS_ACCESS_KEY_ID is not set"
                                  : "AWS_SECRET_ACCESS_KEY is set, but not AWS_ACCESS_KEY_ID"};
    }
    KeyPart token = Part("AWS_SECURITY_TOKEN");  // first, as in boto3
    if (token.text.empty()) token = Part("AWS_SESSION_TOKEN");
    auto keys = KeysFrom(id, secret, token);
    if (!keys) return std::move(keys).error();
    const std::string expiration = variables_.Text("AWS_CREDENTIAL_EXPIRATION");
    const auto expires_at = core::ParseTime(expiration);
    if (!expiration.empty() && !expires_at) {
      return Error(ErrorCode::kConfiguration,
                   "AWS_CREDENTIAL_EXPIRATION is not a time such as 2026-01-31T12:00:00Z")
          .With("setting", "AWS_CREDENTIAL_EXPIRATION")
          .Cure("write it as RFC 3339 has it, or leave it out");
    }
    return Offer{.credentials = Credentials{.keys = std::move(*keys),
                                            .expires_at = expires_at,
                                            .account_id = variables_.Text("AWS_ACCOUNT_ID"),
                                            .origin = "environment"}};
  }

 private:
  KeyPart Part(std::string_view name) const {
    return {.text = variables_.Find(name).value_or(""), .where = std::string(name)};
  }

  const Variables& variables_;
};

// What a section of a file has, as boto3 looks for it. Nothing where it has no key id.
Result<std::optional<Credentials>> KeysIn(const Profile& section, std::string origin) {
  const auto id = section.Find("aws_access_key_id");
  if (!id) return std::optional<Credentials>();
  const std::string id_where = id->NamedAs("aws_access_key_id");
  const auto part = [&](std::string_view name) {
    const auto value = section.Find(name);
    if (!value) return KeyPart{.where = std::string(name) + ", which belongs to " + id_where + ","};
    return KeyPart{.text = value->text, .where = value->NamedAs(std::string(name))};
  };
  // The older name comes first, even without a value.
  const std::string_view token_name =
      section.Find("aws_security_token") ? "aws_security_token" : "aws_session_token";
  auto keys = KeysFrom({.text = id->text, .where = id_where}, part("aws_secret_access_key"),
                       part(token_name));
  if (!keys) return std::move(keys).error();
  return std::optional(Credentials{.keys = std::move(*keys),
                                   .account_id = section.Text("aws_account_id"),
                                   .origin = std::move(origin)});
}

// Reads the file anew each time: a tool may have put new keys into it.
class FileSource final : public CredentialSource {
 public:
  enum class File { kCredentials, kConfig };

  FileSource(const SourceContext& context, std::string profile, File file)
      : variables_(context.variables), profile_(std::move(profile)), file_(file) {}

  std::string Name() const override {
    return file_ == File::kConfig ? "config file" : "shared credentials file";
  }

  Result<Offer> Get(const net::Call&) override {
    const auto profiles = Profiles::Load(variables_);
    if (!profiles) return profiles.error();
    const bool in_config = file_ == File::kConfig;
    const std::string& path = in_config ? profiles->config_path() : profiles->credentials_path();
    const auto section =
        in_config ? profiles->InConfigFile(profile_) : profiles->InCredentialsFile(profile_);
    if (!section) return Offer{.why_not = "there is no profile '" + profile_ + "' in " + path};
    auto credentials = KeysIn(*section, "profile " + profile_ + " in " + path);
    if (!credentials) return std::move(credentials).error();
    if (*credentials) return Offer{.credentials = std::move(*credentials)};
    return Offer{.why_not = "the profile '" + profile_ + "' has no aws_access_key_id in " + path};
  }

 private:
  const Variables& variables_;
  const std::string profile_;
  const File file_;
};

// `aws login` keeps sessions in a form of its own, bound to a key on this machine.
class LoginSource final : public CredentialSource {
 public:
  LoginSource(const SourceContext& context, std::string profile)
      : profiles_(context.profiles), profile_(std::move(profile)) {}

  std::string Name() const override { return "aws login"; }

  Result<Offer> Get(const net::Call&) override {
    const auto section = profiles_.Find(profile_);
    const auto session = section ? section->Find("login_session") : std::nullopt;
    if (!session) {
      return Offer{.why_not = "the profile '" + profile_ + "' has no login_session"};
    }
    return Error(ErrorCode::kConfiguration, "login_session in " + session->where +
                                                ": sessions of `aws login` are not supported")
        .With("setting", "login_session")
        .Cure(
            "add a profile with credential_process = aws configure export-credentials --profile " +
            profile_ + ", and name that one in AWS_PROFILE");
  }

 private:
  const Profiles& profiles_;
  const std::string profile_;
};

// The file of the first EC2 tools: lines `name=value`, others are skipped.
class Ec2FileSource final : public CredentialSource {
 public:
  explicit Ec2FileSource(const SourceContext& context) : variables_(context.variables) {}

  std::string Name() const override { return "EC2 credentials file"; }

  Result<Offer> Get(const net::Call&) override {
    const std::string path = variables_.Text("AWS_CREDENTIAL_FILE");
    if (path.empty()) return Offer{.why_not = "AWS_CREDENTIAL_FILE is not set"};
    const auto contents = core::ReadFile(path, "AWS_CREDENTIAL_FILE");
    if (!contents) return contents.error();
    const auto values = ValuesIn(contents->bytes.Reveal());
    const auto part = [&](std::string_view name) {
      const auto found = values.find(name);
      return KeyPart{.text = found == values.end() ? "" : found->second,
                     .where = std::string(name) + " in " + path + " (AWS_CREDENTIAL_FILE)"};
    };
    if (!values.contains("AWSAccessKeyId")) {
      return Offer{.why_not = path + " (AWS_CREDENTIAL_FILE) has no AWSAccessKeyId"};
    }
    auto keys = KeysFrom(part("AWSAccessKeyId"), part("AWSSecretKey"), {});
    if (!keys) return std::move(keys).error();
    return Offer{.credentials =
                     Credentials{.keys = std::move(*keys), .origin = "AWS_CREDENTIAL_FILE"}};
  }

 private:
  static std::map<std::string_view, std::string_view> ValuesIn(std::string_view text) {
    std::map<std::string_view, std::string_view> values;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      const std::size_t delimiter = line.find('=');
      if (delimiter == std::string_view::npos) continue;
      values[core::Trimmed(line.substr(0, delimiter))] = core::Trimmed(line.substr(delimiter + 1));
    }
    return values;
  }

  const Variables& variables_;
};

class Boto2FileSource final : public CredentialSource {
 public:
  explicit Boto2FileSource(const SourceContext& context) : variables_(context.variables) {}

  std::string Name() const override { return "Boto 2 config file"; }

  Result<Offer> Get(const net::Call&) override {
    const auto chosen = variables_.Find("BOTO_CONFIG");
    const std::string home = variables_.Home();
    std::vector<std::string> paths = {"/etc/boto.cfg", home.empty() ? "" : home + "/.boto"};
    if (chosen) paths = {std::string(*chosen)};
    for (const std::string& path : paths) {
      auto offer = GetFrom(path, chosen.has_value());
      if (!offer || offer->credentials) return offer;
    }
    return Offer{.why_not = chosen ? "BOTO_CONFIG names no file with keys in [Credentials]"
                                   : "neither /etc/boto.cfg nor ~/.boto has keys"};
  }

 private:
  static Result<Offer> GetFrom(const std::string& path, bool is_chosen) {
    const auto file =
        ReadIni(path, is_chosen ? "BOTO_CONFIG" : "the configuration of Boto 2", is_chosen);
    if (!file) return file.error();
    const IniSection* section = file->Find("Credentials");
    if (section == nullptr) return Offer{};
    auto credentials = KeysIn(Profile(*section, path), "[Credentials] in " + path);
    if (!credentials) return std::move(credentials).error();
    if (*credentials) {
      // Boto 2 knew no tokens and no accounts.
      (*credentials)->keys.session_token = Secret();
      (*credentials)->account_id.clear();
    }
    return Offer{.credentials = std::move(*credentials)};
  }

  const Variables& variables_;
};

}  // namespace

SourcePtr MakeEnvironmentSource(const SourceContext& context) {
  return std::make_unique<EnvironmentSource>(context);
}

SourcePtr MakeSharedCredentialsSource(const SourceContext& context, std::string profile) {
  return std::make_unique<FileSource>(context, std::move(profile), FileSource::File::kCredentials);
}

SourcePtr MakeConfigFileSource(const SourceContext& context, std::string profile) {
  return std::make_unique<FileSource>(context, std::move(profile), FileSource::File::kConfig);
}

SourcePtr MakeLoginSource(const SourceContext& context, std::string profile) {
  return std::make_unique<LoginSource>(context, std::move(profile));
}

SourcePtr MakeEc2FileSource(const SourceContext& context) {
  return std::make_unique<Ec2FileSource>(context);
}

SourcePtr MakeBoto2FileSource(const SourceContext& context) {
  return std::make_unique<Boto2FileSource>(context);
}

}  // namespace qarion::secrets::aws
