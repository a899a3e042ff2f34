#include "cli/fernet_keys.h"

#include <utility>

#include "cli/command.h"
#include "fernet/key_fields.h"
#include "fernet/key_file.h"

namespace qarion::secrets::cli {
namespace {

constexpr char kOption[] = "--key-file";

Status AddKeysOf(const std::string& file, std::vector<NamedKey>& keys) {
  auto read = fernet::ReadKeyFile(file, kOption);
  if (!read) return std::move(read).error();
  for (std::size_t i = 0; i < read->size(); ++i) {
    std::string name = file;
    if (read->size() > 1) name += " line " + std::to_string(i + 1);
    keys.push_back({std::move(name), std::move((*read)[i])});
  }
  return {};
}

Result<std::vector<NamedKey>> KeysOfBackend() {
  auto runtime = OpenRuntime();
  if (!runtime) return std::move(runtime).error();
  std::vector<NamedKey> keys;
  for (const char* name : {fernet::kCurrentKeyField, fernet::kPreviousKeyField}) {
    const auto text = runtime->Get(name);
    const bool may_be_absent = name == fernet::kPreviousKeyField;
    if (may_be_absent &&
        ((text && text->empty()) || (!text && text.error().code() == ErrorCode::kNotSet))) {
      continue;
    }
    if (!text) return text.error();
    auto key = FernetKey::Parse(text->Reveal(), name);
    if (!key) return std::move(key).error();
    keys.push_back({name, *std::move(key)});
  }
  return keys;
}

}  // namespace

void AddKeyFileOption(CLI::App& app, std::vector<std::string>& files) {
  app.add_option(
         kOption, files,
         "Take keys from this file, one a line, in place of the backend's; may be repeated. "
         "The first key encrypts, all decrypt")
      ->allow_extra_args(false)
      ->check(RefuseNoName)
      ->type_name("FILE");
}

Result<std::vector<NamedKey>> ReadKeys(const std::vector<std::string>& files) {
  if (files.empty()) return KeysOfBackend();
  std::vector<NamedKey> keys;
  for (const std::string& file : files) {
    if (Status added = AddKeysOf(file, keys); !added) return std::move(added).error();
  }
  return keys;
}

Result<Fernet> MakeFernet(const std::vector<NamedKey>& keys) {
  std::vector<FernetKey> shared;
  for (const NamedKey& named : keys) shared.push_back(named.key.Share());
  return Fernet::Create(std::move(shared));
}

}  // namespace qarion::secrets::cli
