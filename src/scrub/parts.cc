#include "scrub/parts.h"

#include <algorithm>

#include "core/ascii.h"
#include "core/json_reader.h"
#include "qarion/secrets/secret.h"
#include "scrub/lines.h"

namespace qarion::secrets::scrub {
namespace {

void FindPemBodies(std::string_view value, const FoundPart& found) {
  SecretBuffer body;
  bool is_inside = false;
  ForEachLine(value, [&](std::string_view line) {
    if (line.starts_with("-----BEGIN ")) {
      is_inside = true;
      body.Clear();
    } else if (line.starts_with("-----END ")) {
      if (is_inside) found(body.Reveal());
      is_inside = false;
    } else if (is_inside && !IsPemFrame(line)) {
      body.Append(line);
    }
  });
}

bool IsBase64Url(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return core::IsLetterOrDigit(c) || c == '-' || c == '_';
  });
}

// Compact serialisation (RFC 7515, 7.1): header.payload.signature.
void FindJwtSignature(std::string_view value, const FoundPart& found) {
  const std::size_t first = value.find('.');
  const std::size_t second = value.rfind('.');
  if (first == value.npos || first == second) return;
  const std::string_view signature = value.substr(second + 1);
  // Of a JSON object in Base64: `{` and a quote or a space, or `{` and a line break or a tab.
  const bool is_object = value.starts_with("ey") || value.starts_with("ew");
  if (is_object && IsBase64Url(value.substr(0, first)) &&
      IsBase64Url(value.substr(first + 1, second - first - 1)) && IsBase64Url(signature)) {
    found(signature);
  }
}

}  // namespace

void ForEachPart(std::string_view value, const FoundPart& found) {
  const bool is_json = ForEachJsonSecret(value, [&](const JsonSecret& secret) {
    if (secret.is_string) found(secret.text);
  });
  if (is_json) return;  // the strings may have parts, not what is between them
  FindConnectionParts(value, found);
  if (value.contains("-----BEGIN ")) FindPemBodies(value, found);
  FindJwtSignature(value, found);
}

}  // namespace qarion::secrets::scrub
