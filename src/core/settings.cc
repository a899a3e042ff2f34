#include "core/settings.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <utility>

#include "core/ascii.h"
#include "core/files.h"
#include "core/utf8.h"

namespace qarion::secrets::core {
namespace {

constexpr std::string_view kEnvFileSetting = "SECRETS_ENV_FILE";
constexpr char kDefaultEnvFile[] = ".env";
constexpr char kNoEnvFile[] = "/dev/null";

constexpr std::string_view kGeneralSettings[] = {
    "SECRETS_BACKEND",          "SECRETS_CACHE_TTL",   "SECRETS_MAX_STALE",
    "SECRETS_FIELDS",           kEnvFileSetting,       "SECRETS_DIR",
    "SECRETS_SCRUB_MIN_LENGTH", "SECRETS_SCRUB_ALLOW", "QARION_SECRETS_LOG"};

Error Malformed(std::string_view name, const std::string& source, std::string_view problem,
                std::string cure) {
  return Error(ErrorCode::kConfiguration, std::string(name) + " " + std::string(problem))
      .With("setting", std::string(name))
      .With("source", source)
      .Cure((source.find(':') == std::string::npos ? "" : "in " + source + " ") + std::move(cure));
}

// A wrong number may be shown if it cannot be anything but a number with a typing error.
std::string ShownNumber(std::string_view text) {
  constexpr std::size_t kLongestShown = 16;
  const bool harmless =
      text.size() <= kLongestShown && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '-' ||
               c == '+' || c == ' ';
      });
  return harmless ? "'" + std::string(text) + "'"
                  : "a text of " + std::to_string(text.size()) + " bytes";
}

struct NumberRange {
  std::uint64_t least;
  std::uint64_t most;
};

// `unit`: "seconds". `without`: what it means to leave the setting out.
Result<std::uint64_t> ReadNumber(std::string_view name, const Setting& setting, NumberRange range,
                                 const std::string& unit, const std::string& without) {
  const std::string_view text = setting.text;
  const std::string accepted = "write whole " + unit + " from " + std::to_string(range.least) +
                               " to " + std::to_string(range.most) +
                               ", digits only, or leave it out for " + without;
  if (text.empty()) return Malformed(name, setting.source, "is empty", accepted);
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) {
    return Malformed(name, setting.source, "is " + ShownNumber(text) + ", not a number of " + unit,
                     accepted);
  }
  if (parsed.ec != std::errc() || number > range.most) {
    return Malformed(name, setting.source,
                     "is " + ShownNumber(text) + ", more than " + std::to_string(range.most),
                     accepted);
  }
  if (number < range.least) {
    return Malformed(name, setting.source,
                     "is " + ShownNumber(text) + ", less than " + std::to_string(range.least),
                     accepted);
  }
  return number;
}

// Whether nothing of that name is there: not even a link that leads nowhere, which somebody made
// for a file that should be there.
bool IsAbsent(const std::string& path) {
  struct stat link{};
  return lstat(path.c_str(), &link) != 0 && errno == ENOENT;
}

bool SameFile(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
         a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

}  // namespace

std::span<const std::string_view> GeneralSettings() noexcept { return kGeneralSettings; }

bool IsGeneralSetting(std::string_view name) noexcept {
  return std::ranges::find(kGeneralSettings, name) != std::end(kGeneralSettings);
}

std::string EnvFilePath(const Environment& environment) {
  return std::string(environment.Find(kEnvFileSetting).value_or(kDefaultEnvFile));
}

Status EnvFile::Load(const Environment& ambient) {
  if (path_ == kNoEnvFile) return {};
  struct stat now{};
  const bool present = stat(path_.c_str(), &now) == 0;
  if (!present && !named_ && IsAbsent(path_)) {
    status_.reset();
    contents_ = {};
    return {};
  }
  if (IsCurrent(present ? &now : nullptr)) return {};
  const auto loaded_at = std::chrono::system_clock::now();

  auto file = ReadFile(path_, std::string(kEnvFileSetting), PipesAllowed::kYes);
  if (!file) return std::move(file).error();
  auto parsed = ParseDotenv(file->bytes.Reveal(), path_);
  if (!parsed) return std::move(parsed).error();
  auto resolved = ResolveDotenv(
      *parsed, [&ambient](std::string_view name) { return ambient.Find(name); }, path_);
  if (!resolved) return std::move(resolved).error();
  contents_ = std::move(*resolved);
  status_ = file->status;
  loaded_at_ = loaded_at;
  return {};
}

bool EnvFile::IsCurrent(const struct stat* now) const {
  if (!status_) return false;
  // What a pipe held is gone once it was read.
  if (!S_ISREG(status_->st_mode)) return true;
  // A file that was changed just before it was read may have been changed again without another
  // time stamp: the kernel's clock for these ticks every few milliseconds, on some file systems
  // every second.
  constexpr std::chrono::seconds kCoarsestTimestamp{2};
  // The modification time can be set, the change time cannot.
  const auto changed_at =
      std::chrono::system_clock::from_time_t(status_->st_ctim.tv_sec) + std::chrono::seconds(1);
  return now != nullptr && SameFile(*status_, *now) && changed_at + kCoarsestTimestamp < loaded_at_;
}

Result<Settings> Settings::Load(const Environment& environment,
                                std::map<std::string, std::string> options) {
  Settings settings;
  settings.environment_ = &environment;
  settings.options_.insert(options.begin(), options.end());

  // Found before there is a file that could hold it.
  auto path = settings.Text(kEnvFileSetting, "");
  if (!path) return std::move(path).error();
  const bool named = !path->empty();
  settings.env_file_ = std::make_shared<EnvFile>(named ? *path : kDefaultEnvFile, named);
  if (Status loaded = settings.env_file_->Load(environment); !loaded) {
    return std::move(loaded).error();
  }
  for (const DotenvVariable& variable : settings.env_file_->contents().variables) {
    if (!variable.value || variable.key == kEnvFileSetting) continue;
    settings.from_file_.insert_or_assign(
        variable.key, std::pair(variable.value->Share(),
                                settings.env_file_->path() + ":" + std::to_string(variable.line)));
  }
  return settings;
}

std::optional<Setting> Settings::Find(std::string_view name) const {
  if (const auto option = options_.find(name); option != options_.end()) {
    return Setting{option->second, "option"};
  }
  if (const auto variable = environment_->Find(name)) {
    return Setting{*variable, "process environment"};
  }
  if (const auto entry = from_file_.find(name); entry != from_file_.end()) {
    return Setting{entry->second.first.Reveal(), entry->second.second};
  }
  return std::nullopt;
}

Result<std::chrono::seconds> Settings::Seconds(std::string_view name, std::chrono::seconds fallback,
                                               std::chrono::seconds maximum) const {
  const auto setting = Find(name);
  if (!setting) return fallback;
  const auto seconds =
      ReadNumber(name, *setting, {.least = 0, .most = static_cast<std::uint64_t>(maximum.count())},
                 "seconds", std::to_string(fallback.count()));
  if (!seconds) return seconds.error();
  return std::chrono::seconds(*seconds);
}

Result<std::size_t> Settings::Bytes(std::string_view name, std::size_t fallback,
                                    std::size_t maximum) const {
  const auto setting = Find(name);
  if (!setting) return fallback;
  return ReadNumber(name, *setting, {.least = 1, .most = maximum}, "bytes", "the default");
}

Result<std::string> Settings::Text(std::string_view name, std::string_view fallback) const {
  const auto setting = Find(name);
  if (!setting) return std::string(fallback);
  const std::string_view text = setting->text;
  if (text.empty()) {
    return Malformed(name, setting->source, "is empty",
                     "give it a value or leave it out" +
                         (fallback.empty() ? "" : " for '" + std::string(fallback) + "'"));
  }
  if (FindInvalidUtf8(text)) {
    return Malformed(name, setting->source, "is not UTF-8", "write it in UTF-8");
  }
  if (std::any_of(text.begin(), text.end(), IsControl)) {
    return Malformed(name, setting->source, "contains a control character",
                     "remove line breaks and other control characters");
  }
  return std::string(text);
}

Result<std::vector<std::string>> Settings::List(std::string_view name) const {
  const auto setting = Find(name);
  std::vector<std::string> items;
  if (!setting) return items;
  std::string_view rest = setting->text;
  if (rest.empty()) {
    return Malformed(name, setting->source, "is empty", "name something, or leave it out");
  }
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    more = comma != std::string_view::npos;
    const std::string_view item = Trimmed(rest.substr(0, comma), " \t");
    if (item.empty()) {
      return Malformed(name, setting->source, "has an empty item",
                       "write names with one comma between two of them");
    }
    items.emplace_back(item);
    if (more) rest.remove_prefix(comma + 1);
  }
  return items;
}

}  // namespace qarion::secrets::core
