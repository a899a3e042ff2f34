#include "cli/jwt_commands.h"

#include <algorithm>
#include <optional>
#include <string>

#include "core/join.h"

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

// What turns the object of fields into the next one. Changes are in an order in which none reads
// what another has written.
std::string JqFilter(const Changes& changes) {
  Lines parts;
  for (const auto& [field, value] : changes) {
    switch (value) {
      case NewValue::kNewKey: parts.push_back("." + field + " = $new"); break;
      case NewValue::kOfCurrent: parts.push_back("." + field + " = .SECRET_KEY"); break;
      case NewValue::kOfNext: parts.push_back("." + field + " = .SECRET_KEY_NEXT"); break;
      case NewValue::kNone: parts.push_back("del(." + field + ")"); break;
    }
  }
  return core::Join(parts, " | ");
}

// A new version of an object in JSON. With `-e` jq fails where the store gives nothing, and
// nothing is written then.
Lines ReadChangeWrite(const KeyStore& store, const Changes& changes, const std::string& read,
                      const std::string& filter, const std::string& write) {
  const std::string new_key =
      Has(changes, NewValue::kNewKey) ? "--rawfile new <(" + Keygen(store.algorithm) + ") " : "";
  return {"fields=$(" + read + " \\", "  | jq -e " + new_key + "'" + filter + "') \\",
          "  && printf %s \"$fields\" | " + write, "unset fields"};
}

Lines ForVault(const KeyStore& store, const Changes& changes) {
  const std::string path = "\"${VAULT_SECRET_PATH:-secret/data/qarion}\"";
  // `cas`: not over what somebody else wrote meanwhile.
  return ReadChangeWrite(
      store, changes, "bao read -format=json " + path,
      "{options: {cas: .data.metadata.version}, data: (.data.data | " + JqFilter(changes) + ")}",
      "bao write " + path + " -");
}

Lines ForAws(const KeyStore& store, const Changes& changes) {
  const std::string secret = "--secret-id \"$AWS_SECRET_ARN\"";
  return ReadChangeWrite(
      store, changes,
      "aws secretsmanager get-secret-value " + secret + " --query SecretString --output text",
      JqFilter(changes),
      "aws secretsmanager put-secret-value " + secret + " --secret-string file:///dev/stdin");
}

Lines ForGcp(const KeyStore& store, const Changes& changes) {
  const std::string secret = "\"$GCP_SECRET_NAME\" --project=\"$GCP_SECRET_PROJECT\"";
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
  for (const auto& [field, origin] : places) {
    const auto here = FileOfLine(origin);
    if (!here || (file && *file != *here)) return std::nullopt;
    file = here;
  }
  return file;
}

std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// sed writes a new file with the rights of the old one and renames it: no reader sees a half.
Lines ForDotenv(const KeyStore& store, const std::string& file, const Changes& changes) {
  if (Has(changes, NewValue::kOfNext)) {
    return {
        "sed -i -e 's/^SECRET_KEY=/SECRET_KEY_PREVIOUS=/' "
        "-e 's/^SECRET_KEY_NEXT=/SECRET_KEY=/' " +
        Quoted(file)};
  }
  std::string source;
  std::string edits;
  for (const auto& [field, value] : changes) {
    if (value == NewValue::kNewKey) {
      source = "printf '" + field + "=%s\\n' \"$(" + Keygen(store.algorithm) + ")\" | ";
      edits += " -e '$r /dev/stdin'";  // behind the last line, even where that is deleted
    }
    edits += " -e '/^" + field + "=/d'";
  }
  return {source + "sed -i" + edits + " " + Quoted(file)};
}

Lines ForEnvironment(const KeyStore& store, const Changes& changes) {
  const std::string new_key = "# a new key: " + Keygen(store.algorithm);
  if (IsInEnvironment(store.places)) {
    return {"# set them all at once where the environment of the services is written, and restart",
            "# every process", new_key};
  }
  if (const auto file = DotenvOf(store.places)) return ForDotenv(store, *file, changes);
  return {"# set them where the keys are now, all at once", new_key};
}

}  // namespace

bool IsInEnvironment(const KeyPlaces& places) {
  return std::ranges::any_of(
      places, [](const auto& place) { return place.second == "process environment"; });
}

Lines CommandsFor(const KeyStore& store, const Changes& changes) {
  if (changes.empty()) return {};
  if (store.backend == "vault") return ForVault(store, changes);
  if (store.backend == "aws_sm") return ForAws(store, changes);
  if (store.backend == "gcp_sm") return ForGcp(store, changes);
  if (store.backend == "env") return ForEnvironment(store, changes);
  return {"# set them in one new version of the secret", "# a new key: " + Keygen(store.algorithm)};
}

}  // namespace qarion::secrets::cli
