// Which keys of the store are managed.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <qarion/secrets/export.h>
#include <qarion/secrets/result.h>

namespace qarion::secrets {

// The managed fields: single names, families (`LLM_API_KEY_*`: every name with that beginning and
// at least one character more), or everything.
//
// Thread-safety: const members from several threads.
class QARION_SECRETS_EXPORT FieldSet {
 public:
  // The fields every deployment has (docs/guide/operators.md lists them).
  static FieldSet BuiltIn();

  // Adds a name, a family or `*` for every key of the secret. `*` leaves out SECRETS_BACKEND and
  // the other settings of this library, which may stand beside the fields in `.env`.
  // kConfiguration: not a possible name (letters, digits, `_`, `-`, `.`; not starting with a digit,
  // `-` or `.`; 128 at most), or a `*` that is not at the end.
  Status Add(std::string_view name_or_family);

  bool Contains(std::string_view name) const noexcept;
  bool includes_everything() const noexcept { return everything_; }

  std::span<const std::string> names() const noexcept { return names_; }  // in order of addition
  std::span<const std::string> families() const noexcept { return families_; }  // without the `*`

 private:
  std::vector<std::string> names_;
  std::vector<std::string> families_;
  bool everything_ = false;
};

// A reference may be written with slashes and in lower case: `llm_api_key/control_plane` is
// LLM_API_KEY_CONTROL_PLANE. Returns the name in its canonical spelling; a name without a slash is
// returned as it is, because names are case-sensitive.
// kUsage: empty, an empty part (`a//b`), or a character that no name has.
QARION_SECRETS_EXPORT Result<std::string> CanonicalFieldName(std::string_view reference);

}  // namespace qarion::secrets
