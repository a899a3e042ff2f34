#include "providers/vault/kv.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/json_fields.h"
#include "core/rfc3339.h"

namespace qarion::secrets::vault {
namespace {

// The commands that mend a secret, as both servers' own command line has them.
std::string Command(std::string_view verb, const KvTarget& target, const std::string& more) {
  return "bao kv " + std::string(verb) + " -mount=" + target.mount + " " + more + target.name;
}

Error Missing(const KvTarget& target, const std::string& problem, std::string cure) {
  return Error(ErrorCode::kConfiguration, target.DataPath() + " " + problem)
      .With("path", target.DataPath())
      .Cure(std::move(cure));
}

// 404: nothing was ever there, or what was is deleted or destroyed.
Error NotFound(const ApiAnswer& answer, const KvTarget& target, std::int64_t version) {
  const core::JsonValue metadata = answer["data"]["metadata"];
  const std::string number = std::to_string(metadata["version"].Integer().value_or(version));
  if (metadata["destroyed"].Bool().value_or(false)) {
    return Missing(target, "version " + number + " was destroyed",
                   "write the secret again: " + Command("put", target, "") + " SECRET_KEY=...");
  }
  if (const auto deleted = metadata["deletion_time"].Text(); deleted && !deleted->empty()) {
    return Missing(target, "version " + number + " was deleted at " + std::string(*deleted),
                   "bring it back: " + Command("undelete", target, "-versions=" + number + " ") +
                       "; or write the secret again");
  }
  if (version != 0) {
    return Missing(target, "has no version " + number + ": it was never written, or too long ago",
                   "set VAULT_SECRET_VERSION to a version that there is (" +
                       Command("metadata get", target, "") + "), or leave it out");
  }
  const std::string said = answer.Errors();
  const std::string warned = answer.Warnings();
  return Missing(target,
                 said.empty() && warned.empty()
                     ? "does not exist"
                     : "is not a path of a KV engine (" + (said.empty() ? warned : said) + ")",
                 "correct VAULT_SECRET_PATH, or write the secret: " + Command("put", target, "") +
                     " SECRET_KEY=...");
}

// 403: the token may not read, or is none any more. The server tells the two apart in its text
// alone.
Error Refused(const ApiAnswer& answer, const KvTarget& target, const std::string& identity) {
  const std::string path = target.DataPath();
  const std::string said = answer.Errors();
  const bool is_policy = answer.IsAboutPolicies();
  return Error(ErrorCode::kNotPermitted,
               "reading " + path + " was refused (403" + (said.empty() ? "" : ", " + said) +
                   ") to " + identity +
                   (is_policy ? ", which has no right to" : ", which the server does not accept"))
      .With("path", path)
      .Cure(is_policy
                ? "give the token a policy with: path \"" + path +
                      "\" { capabilities = [\"read\"] }"
                : "log in again: the token has expired, was revoked or used up, or may not be "
                  "used from here; with a token that lives, give it a policy with: path \"" +
                      path + "\" { capabilities = [\"read\"] }");
}

// A number stands as the engine keeps it, in a binary fraction of 53 bits.
void FindNumbers(const core::JsonValue& fields, Payload& payload) {
  for (const std::string_view name : fields.Names()) {
    if (!fields[name].IsNumber()) continue;
    payload.findings.push_back(
        {.severity = Severity::kWarning,
         .subject = std::string(name),
         .problem =
             "is stored as a number; the KV engine rounds numbers of more than 15 digits and "
             "writes fractions anew",
         .cure = "store it as a string: write it with quotation marks in the JSON"});
  }
}

}  // namespace

std::optional<KvTarget> TargetFromDataPath(std::string_view path) {
  constexpr std::string_view kData = "/data/";
  const std::size_t at = path.find(kData);
  if (at == std::string_view::npos || at == 0 || at + kData.size() == path.size()) {
    return std::nullopt;
  }
  return KvTarget{.mount = std::string(path.substr(0, at)),
                  .name = std::string(path.substr(at + kData.size()))};
}

Result<std::optional<KvTarget>> TargetFromMount(const ApiAnswer& answer, std::string_view path) {
  if (answer.status != 200) {
    // The token may know the secret and not its mount; servers before 0.10 know no such question.
    if (answer.status == 403 || answer.status == 404) return std::optional<KvTarget>();
    return ErrorOf(answer, "looking for the mount of " + std::string(path));
  }
  const core::JsonValue data = answer["data"];
  std::string mount(data["path"].Text().value_or(""));
  while (mount.ends_with('/')) mount.pop_back();
  const auto type = data["type"].Text().value_or("");
  if (mount.empty() || !(std::string(path) + "/").starts_with(mount + "/")) {
    return std::optional<KvTarget>();
  }
  if (type != "kv" && type != "generic") {
    return Error(ErrorCode::kConfiguration, "VAULT_SECRET_PATH: " + mount +
                                                "/ is not a KV engine but '" + std::string(type) +
                                                "'")
        .With("setting", "VAULT_SECRET_PATH")
        .Cure("name a secret of a KV engine, version 2");
  }
  if (data["options"]["version"].Text().value_or("") != "2") {
    return Error(ErrorCode::kConfiguration,
                 "VAULT_SECRET_PATH: " + mount + "/ is a KV engine of version 1")
        .With("setting", "VAULT_SECRET_PATH")
        .Cure("let it keep versions: bao kv enable-versioning " + mount +
              "; or name a secret of an engine that does");
  }
  std::string_view name = path.substr(std::min(mount.size() + 1, path.size()));
  constexpr std::string_view kData = "data/";
  if (name.starts_with(kData)) name.remove_prefix(kData.size());
  if (name.empty() || name == "data") {
    return Error(ErrorCode::kConfiguration,
                 "VAULT_SECRET_PATH names the mount " + mount + "/ and no secret on it")
        .With("setting", "VAULT_SECRET_PATH")
        .Cure("write it as " + mount + "/data/NAME");
  }
  return std::optional(KvTarget{.mount = std::move(mount), .name = std::string(name)});
}

bool MayBeOnAnotherMount(const ApiAnswer& answer) {
  if (answer.status == 200) {
    // Version 1, whose secrets have no metadata.
    return answer["data"].IsObject() && !answer["data"]["metadata"].IsObject();
  }
  if (answer.status == 403) return answer.IsAboutPolicies();
  return answer.status == 404 && !answer["data"]["metadata"].IsObject();
}

Result<Payload> PayloadFromRead(const ApiAnswer& answer, const KvTarget& target,
                                std::int64_t version, const std::string& identity,
                                std::chrono::system_clock::time_point now) {
  const std::string path = target.DataPath();
  if (answer.status == 404 && answer.IsOfTheApi()) return NotFound(answer, target, version);
  if (answer.status == 403 && answer.IsOfTheApi()) return Refused(answer, target, identity);
  if (answer.status != 200) return ErrorOf(answer, "reading " + path);
  const auto bad = [&](const std::string& problem, const char* cure) {
    return Error(ErrorCode::kBadData, path + " " + problem).With("path", path).Cure(cure);
  };
  if (answer["wrap_info"].IsObject()) {
    return bad("came wrapped, which nobody asked for",
               "let nothing before the server wrap answers");
  }
  const core::JsonValue metadata = answer["data"]["metadata"];
  const auto number = metadata["version"].Integer();
  if (!number) {
    return bad("is not a secret of a KV engine of version 2",
               "see that VAULT_SECRET_PATH names one; with version 1: bao kv enable-versioning");
  }
  const core::JsonValue fields = answer["data"]["data"];
  if (!fields.IsObject()) {
    return bad("holds no object of fields in version " + std::to_string(*number),
               "write the fields: {\"SECRET_KEY\": \"...\"}");
  }

  Payload payload{.version = std::to_string(*number)};
  const std::string origin = path + " version " + payload.version;
  const std::string_view text =
      core::JsonMemberText(core::JsonMemberText(answer.body.Reveal(), "data"), "data");
  auto read = core::FieldsFromJson(text, origin);
  if (!read) return std::move(read).error();
  payload.fields = std::move(*read);
  FindNumbers(fields, payload);
  if (const auto created = metadata["created_time"].Text())
    payload.created_at = core::ParseTime(*created);
  if (const auto deletion = metadata["deletion_time"].Text(); deletion && !deletion->empty()) {
    // The version is still there: its end is yet to come, whatever this machine's clock says.
    if (const auto at = core::ParseTime(*deletion)) {
      payload.expires_at = *at > now ? *at : now + std::chrono::seconds(1);
    }
  }
  return payload;
}

}  // namespace qarion::secrets::vault
