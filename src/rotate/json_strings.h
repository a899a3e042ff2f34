// All strings of a JSON text, with the paths that lead to them.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "qarion/secrets/result.h"

namespace qarion::secrets::rotate {

// A string of a document.
struct JsonString {
  std::size_t begin = 0;  // as of JsonSlot
  std::size_t end = 0;
  std::string_view text;
  // Leads here, and JsonPath::Parse reads it: "$.list[0]['a b']". A name that cannot stand in a
  // path (with half of a surrogate pair, or too long) is a * in it.
  std::string_view path;
};

// Calls `visit` for every string, in the order of the text; names of members are none. The views
// are valid during the call. kBadData: as of JsonSlotFinder::Find, before or after some calls; half
// pairs are no error here, and come out as bytes that are not UTF-8.
Status VisitJsonStrings(std::string_view json, const std::function<void(const JsonString&)>& visit);

}  // namespace qarion::secrets::rotate
