#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/fernet.h"
#include "cli/fernet_keys.h"
#include "cli/output.h"
#include "cli/token_arguments.h"
#include "core/json_writer.h"
#include "core/rfc3339.h"
#include "crypto/fernet_layout.h"

namespace qarion::secrets::cli {
namespace {

struct InspectOptions {
  std::vector<std::string> key_files;
  std::optional<std::string> token;
  std::string format;
};

struct Inspection {
  std::size_t token_characters = 0;
  crypto::FernetLayout layout;
  const NamedKey* key = nullptr;  // null: none opens it
  std::size_t plaintext_bytes = 0;
};

// The last second that RFC 3339 can write.
constexpr std::uint64_t kLastTime = 253'402'300'799;

std::optional<std::string> TimeOf(std::uint64_t timestamp) {
  if (timestamp > kLastTime) return std::nullopt;
  return core::FormatTime(
      std::chrono::sys_seconds(std::chrono::seconds(static_cast<std::int64_t>(timestamp))));
}

std::string Text(const Inspection& found) {
  const std::string time = TimeOf(found.layout.timestamp).value_or("after the year 9999");
  std::string text = "time        " + time + " (" + std::to_string(found.layout.timestamp) + ")" +
                     (found.key == nullptr ? ", not verified\n" : "\n");
  text += "token       " + std::to_string(found.token_characters) + " characters, " +
          (found.layout.is_canonical ? "canonical" : "to be read with --lenient") + "\n";
  text += "ciphertext  " + std::to_string(found.layout.ciphertext_bytes) + " bytes\n";
  if (found.key != nullptr) {
    text += "plaintext   " + std::to_string(found.plaintext_bytes) + " bytes\n";
  }
  return text + "key         " +
         (found.key == nullptr ? "none" : found.key->name + " " + found.key->key.fingerprint()) +
         "\n";
}

Secret Json(const Inspection& found) {
  core::JsonWriter json;
  json.BeginObject().Key("time");
  const auto time = TimeOf(found.layout.timestamp);
  time ? json.Text(*time) : json.Null();
  json.Key("unix_time")
      .UnsignedNumber(found.layout.timestamp)
      .Key("is_verified")
      .Bool(found.key != nullptr)
      .Key("token_characters")
      .Number(static_cast<std::int64_t>(found.token_characters))
      .Key("is_canonical")
      .Bool(found.layout.is_canonical)
      .Key("ciphertext_bytes")
      .Number(static_cast<std::int64_t>(found.layout.ciphertext_bytes))
      .Key("plaintext_bytes");
  if (found.key == nullptr) {
    json.Null().Key("key").Null();
  } else {
    json.Number(static_cast<std::int64_t>(found.plaintext_bytes))
        .Key("key")
        .BeginObject()
        .Key("name")
        .Text(found.key->name)
        .Key("fingerprint")
        .Text(found.key->key.fingerprint())
        .EndObject();
  }
  json.EndObject();
  return std::move(json).Take();
}

int RunInspect(const InspectOptions& options) {
  const auto keys = ReadKeys(options.key_files);
  if (!keys) return Report(keys.error());
  const auto fernet = MakeFernet(*keys);
  if (!fernet) return Report(fernet.error());
  const auto token = ReadToken(options.token, kMostFernetTokenBytes);
  if (!token) return Report(token.error());

  Inspection found{.token_characters = token->size()};
  const crypto::FernetFault fault = crypto::ReadFernetLayout(*token, found.layout);
  if (fault != crypto::FernetFault::kNone) {
    return ReportBadToken("this is no token: it is " + std::string(ToString(fault)));
  }
  const auto message = fernet->Decrypt(*token, {.is_lenient = true});
  if (message) {
    found.key = &(*keys)[message->key];
    found.plaintext_bytes = message->plaintext.size();
  } else if (message.error().code() != ErrorCode::kBadData) {
    return Report(message.error());
  }
  return options.format == "json" ? Print(Json(found).Reveal()) : Print(Text(found));
}

}  // namespace

void AddFernetInspect(CLI::App& fernet, Command& command) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* inspect = fernet.add_subcommand(
      "inspect", "Show the time and length of a token, and which key opens it");
  AddTokenArgument(*inspect, options->token);
  AddKeyFileOption(*inspect, options->key_files);
  AddOutputOption(*inspect, options->format, {"text", "json"});
  inspect->footer(
      "What it holds is not shown. Exit status 65 and one line where it is no token at all; a "
      "token "
      "that\n"
      "no key opens is shown with the key `none`.\n\n"
      "Examples:\n"
      "  qsecrets fernet inspect --key-file instance.key < token\n"
      "  qsecrets fernet inspect --output json \"$(cat token)\"");
  inspect->callback([options, &command] { command = [options] { return RunInspect(*options); }; });
}

}  // namespace qarion::secrets::cli
