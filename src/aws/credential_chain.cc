#include "aws/credential_chain.h"

#include <iterator>
#include <utility>

namespace qarion::secrets::aws {
namespace {

constexpr char kFails[] = "applies, and fails";

std::vector<SourcePtr> SourcesOf(const SourceContext& context) {
  const std::string& profile = context.profiles.current();
  std::vector<SourcePtr> sources;
  sources.push_back(MakeEnvironmentSource(context));
  sources.push_back(MakeAssumeRoleSource(context, profile));
  auto of_profile = MakeProfileSources(context, profile, /*reads_variables=*/true);
  std::move(of_profile.begin(), of_profile.end(), std::back_inserter(sources));
  sources.push_back(MakeEc2FileSource(context));
  sources.push_back(MakeBoto2FileSource(context));
  sources.push_back(MakeContainerSource(context));
  sources.push_back(MakeInstanceSource(context));
  return sources;
}

// The environment's reason and the instance's say most: half of a key, and where there is no
// server.
Error NoneApplies(const std::vector<CredentialChain::Tried>& tried) {
  std::string others;
  for (std::size_t i = 1; i + 1 < tried.size(); ++i) {
    others += (others.empty() ? "" : ", ") + tried[i].source;
  }
  std::string reason = "there are no AWS credentials: " + tried.front().source + ": " +
                       tried.front().why_not + "; " + tried.back().source + ": " +
                       tried.back().why_not + "; nor any from " + others;
  return Error(ErrorCode::kConfiguration, std::move(reason))
      .Cure(
          "see why none of these applies: qsecrets check; give the machine, container or service "
          "account a role, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
}

}  // namespace

CredentialChain::CredentialChain(const SourceContext& context)
    : sources_(SourcesOf(context)),
      cache_(
          [this, &held = context.held](const net::Call& call) {
            auto found = Find(call);
            if (found) found->HoldIn(held, "credentials");
            return found;
          },
          context.services.clock(), context.log) {}

std::vector<CredentialChain::Tried> CredentialChain::tried() const {
  const std::lock_guard lock(mutex_);
  return tried_;
}

Result<Credentials> CredentialChain::Find(const net::Call& call) {
  if (winner_ != nullptr) {  // the last that was tried
    auto again = AskAgain(*winner_, call);
    const std::lock_guard lock(mutex_);
    tried_.back().why_not = again ? "" : kFails;
    return again;
  }
  std::vector<Tried> tried;
  const auto note = [&] {
    const std::lock_guard lock(mutex_);
    tried_ = tried;
  };
  for (const SourcePtr& source : sources_) {
    auto offer = source->Get(call);
    tried.push_back({source->Name(), offer ? offer->why_not : kFails});
    note();
    if (!offer) return std::move(offer).error();
    if (!offer->credentials) continue;
    winner_ = source.get();
    return std::move(*offer->credentials);
  }
  return NoneApplies(tried);
}

}  // namespace qarion::secrets::aws
