// Answers in XML, as far as AWS's query protocol needs it.
#pragma once

#include <optional>
#include <string_view>

#include "qarion/secrets/secret.h"

namespace qarion::secrets::aws {

// The text of the first element whose name and whose ancestors' names end in `path`, such as
// "AssumeRoleResult/Credentials/AccessKeyId" or "Error/Code". Prefixes of names do not count.
// References (&amp; &#10;) are decoded, white space at the ends is dropped, the text of child
// elements is left out.
//
// Nothing where there is no such element, or where any part of the document is not well-formed
// UTF-8, has a document type declaration (which could define entities) or more than 32 levels.
// The time it takes grows with the length alone. Thread-safety: pure.
std::optional<Secret> XmlText(std::string_view xml, std::string_view path);

}  // namespace qarion::secrets::aws
