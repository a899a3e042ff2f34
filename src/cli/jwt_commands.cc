#include "cli/jwt_commands.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

#include "cli/jwt_keys.h"
#include "core/dotenv.h"
#include "core/files.h"
#include "core/join.h"
#include "core/shell_words.h"
#include "jwt/key_ring.h"

namespace qarion::secrets::cli {
namespace {

using jwt::FieldChange;
using jwt::NewValue;

using Changes = std::vector<FieldChange>;
using Lines = std::vector<std::string>;

bool Has(const Changes& changes, NewValue value) {
  return std::ranges::find(changes, value, &FieldChange::value) != changes.end();
}

std::string Keygen(jwt::Algorithm algorithm) {
  std::string command = "qsecrets jwt keygen";
  if (algorithm != jwt::Algorithm::kHs256) {
    command += " --algorithm " + std::string(ToString(algorithm));
  }
  return command;
}

// What to do by hand.
Lines InWords(const KeyStore& store, const Changes& changes, Lines words) {
  if (Has(changes, NewValue::kNewKey)) words.push_back("# a new key: " + Keygen(store.algorithm));
  return words;
}

// What turns the object of fields into the next one, or fails where a key that it takes is not
// there: a new one is never shorter than that of HS256. Changes are in an order in which none
// reads what another has written.
std::string JqFilter(const Changes& changes) {
  Lines parts;
  for (const auto& [key, value] : changes) {
    const std::string field = std::string(".") + FieldOf(key);
    switch (value) {
      case NewValue::kNewKey: parts.push_back(field + " = ($new | key(43))"); break;
      case NewValue::kOfCurrent: parts.push_back(field + " = (.SECRET_KEY | key(1))"); break;
      case NewValue::kOfNext: parts.push_back(field + " = (.SECRET_KEY_NEXT | key(1))"); break;
      case NewValue::kNone: parts.push_back("del(" + field + ")"); break;
    }
  }
  return core::Join(parts, " | ");
}

// A new version of an object in JSON, in a shell of its own, whose variable ends with it. jq fails
// where the store gives nothing (`-e`) or a key is missing, and nothing is written then.
Lines ReadChangeWrite(const KeyStore& store, const Changes& changes, const std::string& read,
                      const std::string& filter, const std::string& write) {
  const std::string new_key =
      Has(changes, NewValue::kNewKey) ? "--rawfile new <(" + Keygen(store.algorithm) + ") " : "";
  const bool takes_keys = std::ranges::any_of(
      changes, [](const FieldChange& change) { return change.value != NewValue::kNone; });
  const std::string key =
      takes_keys
          ? R"(def key(least): if length < least then error("a key is missing") else . end; )"
          : "";
  return {"(fields=$(" + read + " \\", "  | jq -e " + new_key + "'" + key + filter + "') \\",
          "  && [ -n \"$fields\" ] && printf %s \"$fields\" | " + write + ")"};
}

Lines ForVault(const KeyStore& store, const Changes& changes) {
  const std::string path = core::ShellQuoted(store.source.substr(0, store.source.rfind(" at ")));
  // `cas`: not over what somebody else wrote meanwhile.
  return ReadChangeWrite(
      store, changes, "bao read -format=json " + path,
      "{options: {cas: .data.metadata.version}, data: (.data.data | " + JqFilter(changes) + ")}",
      "bao write " + path + " -");
}

Lines ForAws(const KeyStore& store, const Changes& changes) {
  // "arn:...", or "name in region"
  const std::size_t in = store.source.find(" in ");
  std::string secret = "--secret-id " + core::ShellQuoted(store.source.substr(0, in));
  if (in != store.source.npos)
    secret += " --region " + core::ShellQuoted(store.source.substr(in + 4));
  return ReadChangeWrite(
      store, changes,
      "aws secretsmanager get-secret-value " + secret + " --query SecretString --output text",
      JqFilter(changes),
      "aws secretsmanager put-secret-value " + secret + " --secret-string file:///dev/stdin");
}

// Of "projects/p/secrets/s version latest", "projects/p/locations/l/secrets/s ..." or "secret s
// ...".
std::string GcloudSecret(std::string_view source) {
  source = source.substr(0, source.find(" version "));
  if (source.starts_with("secret ")) return core::ShellQuoted(source.substr(7));
  const auto part = [&](std::string_view name) {
    const std::size_t at = source.find(name);
    if (at == source.npos) return std::string_view();
    const std::string_view rest = source.substr(at + name.size());
    return rest.substr(0, rest.find('/'));
  };
  std::string secret =
      core::ShellQuoted(part("secrets/")) + " --project=" + core::ShellQuoted(part("projects/"));
  if (const auto location = part("locations/"); !location.empty()) {
    secret += " --location=" + core::ShellQuoted(location);
  }
  return secret;
}

Lines ForGcp(const KeyStore& store, const Changes& changes) {
  const std::string secret = GcloudSecret(store.source);
  return ReadChangeWrite(store, changes, "gcloud secrets versions access latest --secret=" + secret,
                         JqFilter(changes),
                         "gcloud secrets versions add " + secret + " --data-file=-");
}

// "conf/.env" of "conf/.env:12"
std::optional<std::string> FileOfLine(const std::string& origin) {
  const std::size_t colon = origin.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == origin.size()) return std::nullopt;
  if (origin.find_first_not_of("0123456789", colon + 1) != std::string::npos) return std::nullopt;
  return origin.substr(0, colon);
}

// The one dotenv file that all keys are lines of.
std::optional<std::string> DotenvOf(const KeyPlaces& places) {
  std::optional<std::string> file;
  for (const std::string& origin : places) {
    const auto here = FileOfLine(origin);
    if (!here || (file && *file != *here)) return std::nullopt;
    file = here;
  }
  return file;
}

// The lines that sed sees.
std::vector<std::string_view> LinesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// Whether each assignment to a key, also those that do not count, is one line `SECRET_KEY=...`:
// not `export SECRET_KEY=...`, for one.
bool HasPlainLines(const std::string& path) {
  const auto file = core::ReadFile(path, path);
  if (!file) return false;
  const std::string_view text = file->bytes.Reveal();
  const auto dotenv = core::ParseDotenv(text, path);
  if (!dotenv) return false;
  const auto lines = LinesOf(text);
  return std::ranges::all_of(dotenv->bindings, [&](const core::DotenvBinding& binding) {
    const auto is_field_of = [&](jwt::KeyRole key) { return binding.key == FieldOf(key); };
    if (std::ranges::none_of(kRoles, is_field_of)) return true;
    return binding.line <= lines.size() && lines[binding.line - 1].starts_with(binding.key + "=") &&
           binding.value && binding.value->Reveal().find('\n') == std::string_view::npos;
  });
}

// sed writes a new file with the rights of the old one and renames it: no reader sees a half.
Lines ForDotenv(const KeyStore& store, const std::string& file, const Changes& changes) {
  const std::string quoted = "-- " + core::ShellQuoted(file);
  if (Has(changes, NewValue::kOfNext)) {
    return {"grep -q '^SECRET_KEY_NEXT=.*[[:alnum:]]' " + quoted + " \\",
            "  && sed -i --follow-symlinks -e '/^SECRET_KEY_PREVIOUS=/d' -e "
            "'s/^SECRET_KEY=/SECRET_KEY_PREVIOUS=/' "
            "-e 's/^SECRET_KEY_NEXT=/SECRET_KEY=/' " +
                quoted};
  }
  std::string new_field;
  std::string edits;
  for (const auto& [key, value] : changes) {
    const std::string field = FieldOf(key);
    if (value == NewValue::kNewKey) {
      new_field = field;
      edits += " -e '$r /dev/stdin'";  // behind the last line, even where that is deleted
    }
    edits += " -e '/^" + field + "=/d'";
  }
  const std::string edit = "sed -i --follow-symlinks" + edits + " " + quoted;
  if (new_field.empty()) return {edit};
  return {"(new=$(" + Keygen(store.algorithm) + ") && [ -n \"$new\" ] \\",
          "  && printf '" + new_field + "=%s\\n' \"$new\" | " + edit + ")"};
}

Lines ForEnvironment(const KeyStore& store, const Changes& changes) {
  if (IsInEnvironment(store.places)) {
    return InWords(
        store, changes,
        {"# set them all at once where the environment of the services is written, and restart",
         "# every process"});
  }
  const auto file = DotenvOf(store.places);
  if (!file) return InWords(store, changes, {"# set them where the keys are now, all at once"});
  if (HasPlainLines(*file)) return ForDotenv(store, *file, changes);
  return InWords(store, changes,
                 {"# set them all at once with an editor, as not every line of a key begins with",
                  "# its name and `=` in " + core::ShellQuoted(*file)});
}

}  // namespace

bool IsInEnvironment(const KeyPlaces& places) {
  return std::ranges::any_of(
      places, [](const std::string& origin) { return origin == "process environment"; });
}

Lines CommandsFor(const KeyStore& store, const Changes& changes) {
  if (changes.empty()) return {};
  if (store.backend == "vault") return ForVault(store, changes);
  if (store.backend == "aws_sm") return ForAws(store, changes);
  if (store.backend == "gcp_sm") return ForGcp(store, changes);
  if (store.backend == "env") return ForEnvironment(store, changes);
  return InWords(store, changes, {"# set them in one new version of the secret"});
}

}  // namespace qarion::secrets::cli
