// A JSON object that is read strictly: what is accepted another reader accepts with the same
// members; what that one accepts beyond is refused for being lax.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/json_document.h"
#include "jwt/json_object.h"
#include "require.h"

namespace core = qarion::secrets::core;
namespace jwt = qarion::secrets::jwt;

namespace {

bool IsLax(const std::string& reason) {
  return reason == "has a member twice" || reason == "has half of a surrogate pair" ||
         reason == "is not a JSON object" || reason.find("nested deeper") != reason.npos;
}

void RequireAlike(std::string_view text, const jwt::JsonObject& object,
                  const core::JsonDocument& document) {
  Require(document.root().IsObject());
  Require(object.members().size() == document.root().Names().size());
  for (const jwt::JsonMember& member : object.members()) {
    Require(member.json.data() >= text.data() &&
            member.json.data() + member.json.size() <= text.data() + text.size());
    Require(object.Find(member.name) == &member);
    const core::JsonValue other = document[member.name];
    Require(other.exists());
    Require((member.kind == core::JsonEvent::kString) == other.Text().has_value());
    if (other.Text()) Require(member.text == *other.Text());
    Require((member.kind == core::JsonEvent::kNumber) == other.IsNumber());
    static_cast<void>(jwt::TextsOf(member.json));
    if (other.IsObject()) {
      jwt::JsonObject inner;
      Require(inner.Read(member.json).has_value());
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static jwt::JsonObject object;  // with the room of those before it
  const auto read = object.Read(text);
  const auto document = core::JsonDocument::Parse(text, "document");
  if (!read) {
    Require(read.error().code() == qarion::secrets::ErrorCode::kBadData);
    Require(!document || IsLax(read.error().reason()));
  } else if (document) {
    RequireAlike(text, object, *document);
  } else {
    Require(document.error().reason().find("exponent") != std::string::npos);
  }
  return 0;
}
