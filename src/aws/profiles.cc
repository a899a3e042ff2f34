#include "aws/profiles.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>

#include "core/shell_words.h"
#include "core/spelling.h"
#include "net/server_text.h"

namespace qarion::secrets::aws {
namespace {

constexpr std::size_t kMostNamesShown = 20;

struct Location {
  std::string path;
  bool is_chosen;  // by a variable
};

Location Locate(const Variables& variables, std::string_view setting, std::string_view file) {
  if (const auto path = variables.Find(setting)) return {std::string(*path), true};
  const std::string home = variables.Home();
  return {home.empty() ? "" : home + (home.ends_with('/') ? "" : "/") + std::string(file), false};
}

using SectionMap = std::map<std::string, const IniSection*, std::less<>>;

const IniSection* FindIn(const SectionMap& sections, std::string_view name) {
  const auto found = sections.find(name);
  return found == sections.end() ? nullptr : found->second;
}

Error NoSuchProfile(const Profiles& profiles, const std::string& setting, std::string_view name) {
  const std::vector<std::string> names = profiles.Names();
  std::string known;
  for (std::size_t i = 0; i < std::min(names.size(), kMostNamesShown); ++i) {
    known += (i == 0 ? "" : ", ") + net::OneLine(names[i], {}, 64);
  }
  if (names.size() > kMostNamesShown) known += ", ...";
  const auto near = core::Nearest(name, names);
  return Error(ErrorCode::kConfiguration,
               setting + " names the profile '" + net::OneLine(name, {}, 64) +
                   "', which is neither in '" + profiles.config_path() + "' nor in '" +
                   profiles.credentials_path() +
                   "'; known profiles: " + (known.empty() ? "none" : known))
      .With("setting", setting)
      .Cure(near ? "did you mean '" + net::OneLine(*near, {}, 64) + "'?"
                 : "name a profile that exists, or add [profile NAME] to the config file");
}

}  // namespace

std::optional<ProfileValue> Profile::Find(std::string_view name) const {
  for (const Part& part : parts_) {
    const IniEntry* entry = part.section->Find(name);
    if (entry == nullptr) continue;
    return ProfileValue{.text = entry->value.Reveal(),
                        .where = *part.path + ":" + std::to_string(entry->line),
                        .entry = entry};
  }
  return std::nullopt;
}

std::string Profile::Text(std::string_view name) const {
  const auto value = Find(name);
  return value ? std::string(value->text) : "";
}

struct Profiles::Files {
  std::string config_path;
  std::string credentials_path;
  IniFile config;
  IniFile credentials;
  SectionMap config_profiles;
  SectionMap credentials_profiles;
  SectionMap sso_sessions;
  SectionMap services;

  // As botocore.configloader.build_profile_map: what begins with the word counts, and the last of
  // several sections for one name.
  void MapSections() {
    for (const IniSection& section : config.sections) {
      SectionMap* map = MapFor(section.name);
      if (section.name == "default") config_profiles["default"] = &section;
      if (map == nullptr) continue;
      const auto words = core::SplitWords(section.name);
      if (words && words->size() == 2) map->insert_or_assign(words->back(), &section);
    }
    for (const IniSection& section : credentials.sections) {
      credentials_profiles.emplace(section.name, &section);
    }
  }

  std::optional<Profile> View(const IniSection* in_credentials, const IniSection* in_config) const {
    Profile profile;
    if (in_credentials != nullptr) profile.parts_.push_back({in_credentials, &credentials_path});
    if (in_config != nullptr) profile.parts_.push_back({in_config, &config_path});
    if (profile.parts_.empty()) return std::nullopt;
    return profile;
  }

 private:
  SectionMap* MapFor(std::string_view section) {
    if (section.starts_with("profile")) return &config_profiles;
    if (section.starts_with("sso-session")) return &sso_sessions;
    if (section.starts_with("services")) return &services;
    return nullptr;
  }
};

Result<Profiles> Profiles::Load(const Variables& variables) {
  const std::string config_setting = "AWS_CONFIG_FILE";
  const std::string credentials_setting = "AWS_SHARED_CREDENTIALS_FILE";
  const Location config = Locate(variables, config_setting, ".aws/config");
  const Location credentials = Locate(variables, credentials_setting, ".aws/credentials");
  auto config_file = ReadIni(config.path, config_setting, config.is_chosen);
  if (!config_file) return std::move(config_file).error();
  auto credentials_file = ReadIni(credentials.path, credentials_setting, credentials.is_chosen);
  if (!credentials_file) return std::move(credentials_file).error();

  const auto files = std::make_shared<Files>();
  files->config_path = config.path;
  files->credentials_path = credentials.path;
  files->config = std::move(*config_file);
  files->credentials = std::move(*credentials_file);
  files->MapSections();
  Profiles profiles(files);
  for (const std::string setting : {"AWS_DEFAULT_PROFILE", "AWS_PROFILE"}) {
    const std::string name = variables.Text(setting);
    if (name.empty()) continue;
    if (!profiles.Find(name)) return NoSuchProfile(profiles, setting, name);
    profiles.current_ = name;
    profiles.current_setting_ = setting;
    break;
  }
  return profiles;
}

std::optional<Profile> Profiles::Find(std::string_view name) const {
  return files_->View(FindIn(files_->credentials_profiles, name),
                      FindIn(files_->config_profiles, name));
}

std::optional<Profile> Profiles::InCredentialsFile(std::string_view name) const {
  return files_->View(FindIn(files_->credentials_profiles, name), nullptr);
}

std::optional<Profile> Profiles::InConfigFile(std::string_view name) const {
  return files_->View(nullptr, FindIn(files_->config_profiles, name));
}

std::optional<Profile> Profiles::SsoSession(std::string_view name) const {
  return files_->View(nullptr, FindIn(files_->sso_sessions, name));
}

std::optional<Profile> Profiles::Services(std::string_view name) const {
  return files_->View(nullptr, FindIn(files_->services, name));
}

std::vector<std::string> Profiles::Names() const {
  std::set<std::string> names;
  for (const auto& [name, section] : files_->config_profiles) names.insert(name);
  for (const auto& [name, section] : files_->credentials_profiles) names.insert(name);
  return {names.begin(), names.end()};
}

const std::string& Profiles::config_path() const noexcept { return files_->config_path; }
const std::string& Profiles::credentials_path() const noexcept { return files_->credentials_path; }

std::vector<Secret> Profiles::Credentials() const {
  constexpr std::array<std::string_view, 3> kNames = {"aws_secret_access_key", "aws_security_token",
                                                      "aws_session_token"};
  std::vector<Secret> credentials;
  for (const IniFile* file : {&files_->config, &files_->credentials}) {
    for (const IniSection& section : file->sections) {
      for (const std::string_view name : kNames) {
        const IniEntry* entry = section.Find(name);
        if (entry != nullptr) credentials.push_back(entry->value.Share());
      }
    }
  }
  return credentials;
}

}  // namespace qarion::secrets::aws
