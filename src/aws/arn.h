// Names of things in AWS.
#pragma once

#include <string>
#include <string_view>

#include "qarion/secrets/result.h"

namespace qarion::secrets::aws {

// Whether it has the form of a region, which becomes part of hosts' names: up to 63 letters in
// lower case, digits and hyphens, none of these at its ends, and not digits alone. Nothing says
// that there is such one.
bool IsRegionName(std::string_view text);

// arn:partition:service:region:account:resource
struct Arn {
  std::string partition;
  std::string service;
  std::string region;
  std::string account;
  std::string resource;  // may contain colons
};

// Whether it is meant to be an ARN.
bool LooksLikeArn(std::string_view text);

// `setting` is named in errors. kConfiguration: which part is missing or malformed. Region and
// account may be empty, as in many services.
Result<Arn> ParseArn(std::string_view text, const std::string& setting);

// What AWS_SECRET_ARN names: an ARN, an ARN without the six random characters at its end, or a
// name.
struct SecretId {
  std::string text;     // as it is sent
  std::string name;     // without what belongs to an ARN; maybe with the random characters
  std::string region;   // of the ARN; empty where it is a name
  std::string account;  // likewise
};

// kConfiguration: empty, longer than 2048 bytes, characters that no secret's name has, or an ARN
// that is malformed or not a secret's.
Result<SecretId> ParseSecretId(std::string_view text, const std::string& setting);

// Whether an answer's ARN and name, both of them, are those of what was asked for. An ARN that ends
// in a hyphen and six characters may be a whole one or lack its random characters: either will do.
bool IsAnswerTo(const SecretId& id, std::string_view arn, std::string_view name);

}  // namespace qarion::secrets::aws
