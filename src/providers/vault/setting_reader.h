// Reads settings of the official client one by one, as strictly as that does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/wrong_setting.h"
#include "providers/module_adapter.h"
#include "providers/vault/credential.h"
#include "qarion/secrets/error.h"

namespace qarion::secrets::vault {

using core::Wrong;
using module::SettingLookup;

bool HasControl(std::string_view text);

// Keeps the first error. Not to be used longer than the texts that the look-up returns live.
class SettingReader {
 public:
  // The text of a setting and the name it stands under.
  struct Found {
    std::string setting;
    std::string_view text;
  };

  explicit SettingReader(const SettingLookup& lookup) : lookup_(lookup) {}

  // VAULT_X under its BAO_ name, which hides the other even where it is empty. An empty text is as
  // good as none.
  std::optional<Found> Find(const std::string& name) const;
  // The name that it stands under; `name` where it is not set.
  std::string NameOf(const std::string& name) const;
  // A variable that is none of the client's.
  std::optional<std::string_view> Variable(const std::string& name) const { return lookup_(name); }

  // One line of at most 4096 bytes; empty where it is not set.
  std::string Text(const std::string& name);
  // As Go's strconv.ParseBool; false where it is not set.
  bool Bool(const std::string& name);
  // A whole number from 0 to `most`.
  std::int64_t Number(const std::string& name, std::int64_t fallback, std::int64_t most);
  // NAME or NAME_FILE, not both.
  Credential Secret(const std::string& name);
  // The file that the setting names; nothing where it is not set.
  Credential File(const std::string& name);

  void Fail(Error error) {
    if (!error_) error_ = std::move(error);
  }
  std::optional<Error>& error() noexcept { return error_; }

 private:
  const SettingLookup& lookup_;
  std::optional<Error> error_;
};

}  // namespace qarion::secrets::vault
