#include "cli/rotation_keys.h"
#include "fernet/key_fields.h"

#include <algorithm>
#include <optional>

#include "fernet/key_file.h"

namespace qarion::secrets::cli {
namespace {

struct NewKey {
  FernetKey key;
  std::string source;
  bool is_of_backend = false;
};

// A key that stands where the name of a file belongs is not shown, and no file is called like it.
Status CheckIsPath(const std::string& path, const char* option) {
  if (!FernetKey::Parse(path, option)) return {};
  return Error(ErrorCode::kUsage,
               std::string(option) + " has a key in it, which every user of this machine can read")
      .Cure("name a file that holds the key, and change that key");
}

Result<NewKey> ChooseNewKey(const KeyChoice& choice, const Runtime& runtime) {
  for (const auto& [path, option] :
       {std::pair{&choice.generate, "--generate"}, std::pair{&choice.new_file, "--new-key-file"}}) {
    if (Status checked = CheckIsPath(*path, option); !checked) return checked.error();
  }
  if (!choice.generate.empty()) {
    return FernetKey::Generate().transform(
        [&](FernetKey key) { return NewKey{std::move(key), choice.generate}; });
  }
  if (!choice.new_file.empty()) {
    auto keys = fernet::ReadKeyFile(choice.new_file, "--new-key-file");
    if (!keys) return std::move(keys).error();
    if (keys->size() != 1) {
      return Error(ErrorCode::kConfiguration, "--new-key-file " + choice.new_file + " has " +
                                                  std::to_string(keys->size()) +
                                                  " keys; the new key is one")
          .Cure("leave one line in it");
    }
    return NewKey{std::move(keys->front()), choice.new_file};
  }
  auto key = KeyOfField(runtime, fernet::kCurrentKeyField);
  if (!key) return std::move(key).error();
  if (!*key) {
    return Error(ErrorCode::kConfiguration, std::string("there is no new key: ") +
                                                fernet::kCurrentKeyField +
                                                " is not set in the active backend")
        .Cure("set it, or give --new-key-file FILE or --generate FILE");
  }
  return NewKey{**std::move(key), fernet::kCurrentKeyField, true};
}

Status ReadOldFiles(const KeyChoice& choice, std::vector<FernetKey>& keys,
                    std::vector<std::string>& sources) {
  for (const std::string& file : choice.old_files) {
    if (Status checked = CheckIsPath(file, "--old-key-file"); !checked) return checked;
    auto read = fernet::ReadKeyFile(file, "--old-key-file");
    if (!read) return std::move(read).error();
    for (FernetKey& key : *read) {
      keys.push_back(std::move(key));
      sources.push_back(file);
    }
  }
  return {};
}

}  // namespace

Result<Secret> FieldOrEmpty(const Runtime& runtime, std::string_view name) {
  auto value = runtime.Get(name);
  if (!value && value.error().code() == ErrorCode::kNotSet) return Secret();
  return value;
}

Result<std::optional<FernetKey>> KeyOfField(const Runtime& runtime, const std::string& name) {
  auto value = FieldOrEmpty(runtime, name);
  if (!value) return std::move(value).error();
  if (value->empty()) return std::optional<FernetKey>();
  auto key = FernetKey::Parse(value->Reveal(), name);
  if (!key) return std::move(key).error();
  return std::optional<FernetKey>(*std::move(key));
}

Result<RotationKeys> ChooseKeys(const KeyChoice& choice, const Runtime& runtime) {
  auto chosen = ChooseNewKey(choice, runtime);
  if (!chosen) return std::move(chosen).error();
  RotationKeys keys{.new_key = std::move(chosen->key), .new_source = std::move(chosen->source)};
  if (Status read = ReadOldFiles(choice, keys.old_keys, keys.old_sources); !read) {
    return read.error();
  }
  if (!choice.old_files.empty()) return keys;
  for (const char* const name : {fernet::kCurrentKeyField, fernet::kPreviousKeyField}) {
    if (chosen->is_of_backend && name == std::string_view(fernet::kCurrentKeyField)) continue;
    auto key = KeyOfField(runtime, name);
    if (!key) return std::move(key).error();
    if (!*key) continue;
    // A new key of a file may have been put into the backend before.
    if (!chosen->is_of_backend && (*key)->ConstantTimeEquals(keys.new_key)) continue;
    keys.old_keys.push_back(**std::move(key));
    keys.old_sources.emplace_back(name);
  }
  return keys;
}

Result<std::vector<FernetKey>> KnownKeys(const KeyChoice& choice, const Runtime& runtime) {
  std::vector<FernetKey> keys;
  std::vector<std::string> sources;
  if (Status read = ReadOldFiles(choice, keys, sources); !read) return read.error();
  for (const char* const name : {fernet::kCurrentKeyField, fernet::kPreviousKeyField}) {
    auto key = KeyOfField(runtime, name);
    if (!key) return std::move(key).error();
    const auto is_there = [&](const FernetKey& other) { return other.ConstantTimeEquals(**key); };
    if (*key && std::ranges::none_of(keys, is_there)) keys.push_back(**std::move(key));
  }
  return keys;
}

std::vector<std::pair<std::string, Secret>> OtherSecrets(const Runtime& runtime) {
  std::vector<std::pair<std::string, Secret>> secrets;
  for (const char* const name : {"SECRET_KEY", "SECRET_KEY_PREVIOUS", "SECRET_KEY_NEXT",
                                 "CONTROL_PLANE_SECRET_KEY", "POSTGRES_PASSWORD"}) {
    if (auto value = runtime.Get(name)) secrets.emplace_back(name, *std::move(value));
  }
  return secrets;
}

}  // namespace qarion::secrets::cli
