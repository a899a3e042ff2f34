// A role that a profile names with role_arn, assumed with credentials from elsewhere.
#include <algorithm>
#include <charconv>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/credential_cache.h"
#include "aws/credential_source.h"
#include "aws/sts.h"
#include "core/join.h"
#include "core/wrong_setting.h"

namespace qarion::secrets::aws {
namespace {

// STS's limits.
constexpr int kShortestSession = 900;
constexpr int kLongestSession = 43'200;
// Each costs a request at every start.
constexpr std::size_t kMostRoles = 16;

bool HasStaticKeys(const Profile& profile) {
  return profile.Find("aws_access_key_id") || profile.Find("aws_secret_access_key");
}

bool HasRoleToAssume(const Profile& profile) {
  return profile.Find("role_arn") && !profile.Find("web_identity_token_file");
}

// Where a role's credentials are from.
struct Origin {
  std::vector<SourcePtr> sources;  // the first that applies
  std::string setting;             // "source_profile in /home/me/.aws/config:3"
  std::string description;         // "the profile base"
  CredentialSource* winner = nullptr;
};

Result<Credentials> FirstOf(Origin& origin, const net::Call& call) {
  if (origin.winner != nullptr) return AskAgain(*origin.winner, call);
  std::vector<std::string> reasons;
  for (const SourcePtr& source : origin.sources) {
    auto offer = source->Get(call);
    if (!offer) return std::move(offer).error();
    if (offer->credentials) {
      origin.winner = source.get();
      return std::move(*offer->credentials);
    }
    reasons.push_back(source->Name() + ": " + offer->why_not);
  }
  return core::Wrong(origin.setting,
                     "leads to " + origin.description + ", which has no credentials (" +
                         core::Join(reasons, "; ") + ")",
                     "give it credentials, or name another source");
}

// Thread-safety: see CredentialSource.
class AssumeRoleSource final : public CredentialSource {
 public:
  AssumeRoleSource(const SourceContext& context, std::string profile,
                   std::vector<std::string> visited)
      : context_(context), profile_(std::move(profile)), chain_(std::move(visited)) {
    chain_.push_back(profile_);
  }

  std::string Name() const override { return "role to assume"; }

  Result<Offer> Get(const net::Call& call) override {
    if (!source_) {
      const auto profile = context_.profiles.Find(profile_);
      if (!profile) return Offer{.why_not = "there is no profile " + profile_};
      if (!profile->Find("role_arn")) {
        return Offer{.why_not = "profile " + profile_ + " has no role_arn"};
      }
      if (!HasRoleToAssume(*profile)) {
        return Offer{.why_not =
                         "profile " + profile_ + " has web_identity_token_file, which counts"};
      }
      if (auto prepared = Prepare(*profile); !prepared) return std::move(prepared).error();
    }
    auto credentials = AssumeRole(context_.services, input_, *source_, call);
    if (!credentials) return std::move(credentials).error();
    credentials->origin = "role " + input_.role_arn + " by profile " + profile_;
    return Offer{.credentials = std::move(*credentials)};
  }

 private:
  Status Prepare(const Profile& profile) {
    auto origin = OriginOf(profile);
    if (!origin) return std::move(origin).error();
    if (auto read = ReadInput(profile); !read) return read;
    auto shared = std::make_shared<Origin>(std::move(*origin));
    source_ = std::make_unique<CredentialCache>(
        [shared = std::move(shared), &held = context_.held,
         name = "source of profile " + profile_](const net::Call& call) {
          auto found = FirstOf(*shared, call);
          if (found) found->HoldIn(held, name);
          return found;
        },
        context_.services.clock(), context_.log);
    return {};
  }

  Status ReadInput(const Profile& profile) {
    const auto role = profile.Find("role_arn");
    if (auto checked = CheckRoleArn({std::string(role->text), role->NamedAs("role_arn")});
        !checked) {
      return checked;
    }
    if (const auto mfa = profile.Find("mfa_serial")) {
      return core::Wrong(
          mfa->NamedAs("mfa_serial"), "asks for a code of an MFA device, which no service can give",
          "use a role whose trust policy demands no MFA, or another source such as SSO");
    }
    if (const auto duration = profile.Find("duration_seconds")) {
      auto seconds = ParseDuration(*duration);
      if (!seconds) return std::move(seconds).error();
      input_.duration_seconds = *seconds;
    }
    if (const auto external_id = profile.Find("external_id")) {
      if (external_id->text.empty()) {
        return core::Wrong(external_id->NamedAs("external_id"), "is empty",
                           "write the id that the role's trust policy asks for, or leave it out");
      }
      input_.external_id = external_id->text;
    }
    input_.role_arn = role->text;
    input_.setting = role->NamedAs("role_arn");
    input_.session_name = profile.Text("role_session_name");
    if (input_.session_name.empty()) input_.session_name = MakeSessionName(context_.clock);
    return {};
  }

  static Result<int> ParseDuration(const ProfileValue& value) {
    int seconds = 0;
    const char* const end = value.text.data() + value.text.size();
    const auto parsed = std::from_chars(value.text.data(), end, seconds);
    if (parsed.ec != std::errc() || parsed.ptr != end || seconds < kShortestSession ||
        seconds > kLongestSession) {
      return core::Wrong(value.NamedAs("duration_seconds"),
                         "is not a whole number from 900 to 43200",
                         "write digits only, or leave it out for an hour");
    }
    return seconds;
  }

  Result<Origin> OriginOf(const Profile& profile) const {
    const auto source_profile = profile.Find("source_profile");
    const auto credential_source = profile.Find("credential_source");
    if (source_profile && credential_source) {
      return core::Wrong(source_profile->NamedAs("source_profile"),
                         "and " + credential_source->NamedAs("credential_source") +
                             " both say where the credentials of profile " + profile_ + " are from",
                         "keep one of them");
    }
    if (source_profile) return OfProfile(*source_profile);
    if (credential_source) return OfNamedSource(*credential_source);
    return core::Wrong(
        profile.Find("role_arn")->NamedAs("role_arn"),
        "names a role, and nothing says with which credentials profile " + profile_ + " assumes it",
        "add source_profile with the name of a profile that has credentials, or "
        "credential_source with Environment, Ec2InstanceMetadata or EcsContainer");
  }

  // Names count as botocore writes them.
  Result<Origin> OfNamedSource(const ProfileValue& value) const {
    Origin origin{.setting = value.NamedAs("credential_source"),
                  .description = std::string(value.text)};
    if (value.text == "Environment") {
      origin.sources.push_back(MakeEnvironmentSource(context_));
    } else if (value.text == "Ec2InstanceMetadata") {
      origin.sources.push_back(MakeInstanceSource(context_));
    } else if (value.text == "EcsContainer") {
      origin.sources.push_back(MakeContainerSource(context_));
    } else {
      return core::Wrong(
          origin.setting, "is no source of credentials",
          "write Environment, Ec2InstanceMetadata or EcsContainer, in this spelling");
    }
    return origin;
  }

  Result<Origin> OfProfile(const ProfileValue& value) const {
    std::string name(value.text);
    const std::string setting = value.NamedAs("source_profile");
    const auto profile = context_.profiles.Find(name);
    if (!profile) {
      return core::Wrong(setting, "names " + name + ", a profile that neither file has",
                         "name one of " + core::Join(context_.profiles.Names()));
    }
    // A profile may use its own static keys; any other way back goes on for ever.
    const bool is_own = name == profile_;
    const bool was_visited = std::ranges::find(chain_, name) != chain_.end();
    if (was_visited && !(is_own && HasStaticKeys(*profile))) {
      return core::Wrong(
          setting, "closes a circle of profiles: " + core::Join(chain_, " -> ") + " -> " + name,
          "let one of them take its credentials from elsewhere: keys, SSO, a process, or "
          "credential_source");
    }
    if (chain_.size() == kMostRoles && HasRoleToAssume(*profile) && !HasStaticKeys(*profile)) {
      return core::Wrong(setting, "continues a chain of more than 16 roles", "shorten the chain");
    }
    Origin origin{.setting = setting, .description = "the profile " + name};
    if (HasStaticKeys(*profile) || !HasRoleToAssume(*profile)) {
      origin.sources = MakeProfileSources(context_, name, /*reads_variables=*/false);
    } else {
      origin.sources.push_back(MakeAssumeRoleSource(context_, std::move(name), chain_));
    }
    return origin;
  }

  const SourceContext context_;
  const std::string profile_;
  std::vector<std::string> chain_;  // of profiles, from the first to this one
  AssumeRoleInput input_;
  std::unique_ptr<CredentialCache> source_;  // null until the profile was read
};

}  // namespace

SourcePtr MakeAssumeRoleSource(const SourceContext& context, std::string profile,
                               std::vector<std::string> visited) {
  return std::make_unique<AssumeRoleSource>(context, std::move(profile), std::move(visited));
}

}  // namespace qarion::secrets::aws
