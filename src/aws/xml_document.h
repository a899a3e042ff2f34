// Answers in XML, as far as AWS's query protocol needs it.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "qarion/secrets/secret.h"

namespace qarion::secrets::aws {

// The text inside the first element of that path (names without prefix: {"AssumeRoleResult",
// "Credentials", "AccessKeyId"}) at any depth, with entities decoded; nothing where there is none
// or the text is not well-formed up to it. White space at its ends is dropped.
std::optional<Secret> XmlText(std::string_view xml, std::span<const std::string_view> path);

}  // namespace qarion::secrets::aws
