#include "cli/scrub_values.h"

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "core/environment.h"
#include "core/files.h"
#include "core/json_fields.h"
#include "core/printable.h"
#include "core/settings.h"
#include "runtime/scrub_settings.h"

namespace qarion::secrets::cli {
namespace {

Result<std::vector<NamedSecret>> ReadJson(std::string_view json, const std::string& origin) {
  std::vector<NamedSecret> values;
  const std::size_t first = json.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && json[first] == '{') {
    auto fields = core::FieldsFromJson(json, origin);
    if (!fields) {
      return Error(fields.error().code(), fields.error().reason())
          .Cure("write it as a JSON object of names and values, or as an array of strings");
    }
    for (Field& field : *fields) {
      values.push_back({.name = std::move(field.name), .value = std::move(field.value)});
    }
    return values;
  }
  auto strings = core::StringsFromJson(json, origin);
  if (!strings) {
    return Error(strings.error().code(), strings.error().reason())
        .Cure(
            "write it as a JSON array of strings, [\"...\", \"...\"], or as an object of names "
            "and values");
  }
  for (Secret& value : *strings) {
    values.push_back(
        {.name = "value " + std::to_string(values.size() + 1), .value = std::move(value)});
  }
  return values;
}

Result<std::vector<NamedSecret>> ReadValues(const std::string& path) {
  if (path == "-" || path == "/dev/stdin" || path == "/dev/fd/0" || path == "/proc/self/fd/0") {
    return Error(ErrorCode::kUsage, "--secrets-json: standard input is the text to be scrubbed")
        .Cure("name a file, or write --secrets-json <(command) in bash");
  }
  const auto file = core::ReadFile(path, "--secrets-json", core::PipesAllowed::kYes);
  if (!file) return file.error();
  return ReadJson(file->bytes.Reveal(), "--secrets-json: '" + path + "'");
}

Result<Scrubber> FromFile(const std::string& path, ScrubberOptions scrubbing) {
  auto completed = runtime::ReadScrubSettings(std::move(scrubbing));
  if (!completed) return std::move(completed).error();
  const auto values = ReadValues(path);
  if (!values) return values.error();
  Scrubber scrubber(std::move(*completed));
  scrubber.Add(*values);
  return scrubber;
}

Result<Scrubber> FromBackend(ScrubberOptions scrubbing) {
  // Every key, managed or not: what the store holds must not be seen.
  RuntimeOptions options = Options(true);
  options.scrubbing = std::move(scrubbing);
  auto runtime = Runtime::Create(std::move(options));
  if (!runtime) return std::move(runtime).error();
  return runtime->scrubber();
}

// The mask itself is not scrubbed.
Status CheckMask(const Scrubber& scrubber, const std::string& mask) {
  std::string name;
  StreamScrubber stream(
      scrubber, [](std::string_view) {},
      [&](const StreamScrubber::Occurrence& found) { name = found.name; });
  stream.Write(mask);
  stream.Finish();
  if (name.empty()) return {};
  return Error(ErrorCode::kUsage, "--mask contains one of the values: " + name)
      .Cure("choose a text that no value is part of");
}

void WarnOfNoValue(const ScrubOptions& options) {
  const std::string where = options.secrets_json.empty()
                                ? "the store"
                                : "--secrets-json: '" + core::ShownPath(options.secrets_json) + "'";
  std::fprintf(stderr,
               "qsecrets: warning: %s holds no value, or only such as are let through: nothing "
               "is masked\n",
               core::Printable(where).c_str());
}

}  // namespace

Result<Scrubber> OpenScrubber(const ScrubOptions& options) {
  auto scrubbing = ScrubbingOf(options);
  if (!scrubbing) return std::move(scrubbing).error();
  auto scrubber = options.secrets_json.empty()
                      ? FromBackend(std::move(*scrubbing))
                      : FromFile(options.secrets_json, std::move(*scrubbing));
  if (scrubber && scrubber->size() == 0) WarnOfNoValue(options);
  if (scrubber && options.mask) {
    if (Status checked = CheckMask(*scrubber, *options.mask); !checked) {
      return std::move(checked).error();
    }
  }
  return scrubber;
}

std::optional<struct stat> FileOfValues(const ScrubOptions& options) {
  const auto status =
      core::FileStatus(options.secrets_json.empty() ? core::EnvFilePath(core::ProcessEnvironment())
                                                    : options.secrets_json);
  return status && S_ISREG(status->st_mode) ? status : std::nullopt;
}

}  // namespace qarion::secrets::cli
