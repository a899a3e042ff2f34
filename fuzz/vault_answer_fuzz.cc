// Any bytes as an answer of the server.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/json_document.h"
#include "core/rfc3339.h"
#include "providers/vault/kv.h"
#include "providers/vault/login.h"
#include "require.h"

namespace core = qarion::secrets::core;
namespace vault = qarion::secrets::vault;
using qarion::secrets::Secret;

namespace {

bool SameKind(const core::JsonValue& a, const core::JsonValue& b) {
  return a.Text() == b.Text() && a.Integer() == b.Integer() && a.Bool() == b.Bool() &&
         a.IsNull() == b.IsNull() && a.Names() == b.Names() &&
         a.Elements().size() == b.Elements().size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr int kStatuses[] = {200, 204, 307, 400, 403, 404, 412, 429, 500, 503};
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  vault::ApiAnswer answer{.status = kStatuses[data[0] % std::size(kStatuses)],
                          .body = Secret::CopyOf(text),
                          .address = "http://fake"};
  if (auto json = core::JsonDocument::Parse(text, "fuzz")) {
    answer.json = std::move(*json);
    // The text of a member, parsed alone, is the member.
    for (const std::string_view name : answer.json->root().Names()) {
      if (name.find_first_of("\"\\") != std::string_view::npos) continue;
      const std::string_view member = core::JsonMemberText(text, name);
      if (member.empty()) continue;  // its name was written with escapes
      auto alone = core::JsonDocument::Parse(member, "fuzz");
      Require(alone.has_value() && SameKind(alone->root(), (*answer.json)[name]));
    }
  } else {
    static_cast<void>(core::JsonMemberText(text, "data"));
  }
  const vault::KvTarget target{.mount = "secret", .name = "fake"};
  const std::chrono::system_clock::time_point now{std::chrono::seconds(1'767'225'600)};
  auto payload = vault::PayloadFromRead(answer, target, 0, "nobody", now);
  Require(payload ? !payload->version.empty() : !payload.error().cure().empty());
  static_cast<void>(vault::TargetFromMount(answer, "secret/data/fake"));
  static_cast<void>(vault::MayBeOnAnotherMount(answer));
  static_cast<void>(vault::GrantFromAuth(answer["auth"]));
  static_cast<void>(vault::GrantFromLookup(answer["data"], answer.body));
  Require(answer.Errors().size() < 400 && answer.Warnings().find('\n') == std::string::npos);
  static_cast<void>(core::ParseTime(text));
  return 0;
}
