#include "aws/credential_source.h"

#include <utility>

namespace qarion::secrets::aws {

Result<Credentials> AskAgain(CredentialSource& source, const net::Call& call) {
  auto offer = source.Get(call);
  if (!offer) return std::move(offer).error();
  if (offer->credentials) return std::move(*offer->credentials);
  return Error(ErrorCode::kUnavailable,
               "the source " + source.Name() +
                   ", which AWS credentials were from, has none now: " + offer->why_not)
      .Cure("bring back what they were from; or restart, for another source to be looked for");
}

std::vector<SourcePtr> MakeProfileSources(const SourceContext& context, const std::string& profile,
                                          bool reads_variables) {
  std::vector<SourcePtr> sources;
  sources.push_back(MakeWebIdentitySource(context, profile, reads_variables));
  sources.push_back(MakeSsoSource(context, profile));
  sources.push_back(MakeSharedCredentialsSource(context, profile));
  sources.push_back(MakeLoginSource(context, profile));
  sources.push_back(MakeProcessSource(context, profile));
  sources.push_back(MakeConfigFileSource(context, profile));
  return sources;
}

}  // namespace qarion::secrets::aws
