#include "gcp/executable_source.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "core/ascii.h"
#include "core/files.h"
#include "core/json_document.h"
#include "core/shell_words.h"
#include "gcp/source_request.h"
#include "net/child_process.h"
#include "net/server_text.h"

namespace qarion::secrets::gcp {
namespace {

constexpr char kCommand[] = "credential_source.executable.command";
constexpr char kOutputFile[] = "credential_source.executable.output_file";
constexpr char kAllow[] = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES";
constexpr std::int64_t kVersion = 1;
constexpr char kForm[] =
    "let the program print the form that Google describes for executable-sourced credentials";

class AnswerReader {
 public:
  AnswerReader(const core::JsonDocument& json, const std::string& what,
               std::chrono::system_clock::time_point now, std::span<const Secret> hidden)
      : json_(json), what_(what), now_(std::chrono::floor<std::chrono::seconds>(now)) {
    for (const Secret& secret : hidden) hidden_.push_back(secret.Share());
    for (const char* const name : {"id_token", "saml_response"}) {
      if (const auto text = json_[name].Text()) hidden_.push_back(Secret::CopyOf(*text));
    }
  }

  // In the order of Google's library: where several things are wrong, that decides whether the
  // program is run.
  Result<ExecutableAnswer> Read() const {
    if (!json_.root().IsObject()) return Malformed("it is JSON, but not an object");
    const auto version = json_["version"].Integer();
    if (!version || *version < kVersion) return Malformed("version is not the number 1");
    if (*version > kVersion) {
      return Refused(ErrorCode::kBadData,
                     "version " + std::to_string(*version) + " is not supported", kForm);
    }
    const auto success = json_["success"].Bool();
    if (!success) return Malformed("success is neither true nor false");
    if (!*success) return Failure();

    const bool has_expiration = json_["expiration_time"].exists();
    if (has_expiration) {
      const auto expiration = json_["expiration_time"].Integer();
      if (!expiration) return Malformed("expiration_time is not a whole number of seconds");
      if (*expiration <= now_.time_since_epoch().count()) {
        return Refused(ErrorCode::kUnavailable, "the token has expired",
                       "let the program give a token that is good still, and see that this "
                       "machine's clock is right");
      }
    }
    auto answer = Token();
    if (answer) answer->says_when_it_expires = has_expiration;
    return answer;
  }

 private:
  Error Malformed(const std::string& problem) const {
    return Error(ErrorCode::kBadData, what_ + ": " + problem).Cure(kForm);
  }
  ExecutableAnswer Refused(ErrorCode code, const std::string& problem, std::string cure) const {
    return {.refusal = Error(code, what_ + ": " + problem).Cure(std::move(cure))};
  }

  Result<ExecutableAnswer> Failure() const {
    const auto code = json_["code"];
    const auto message = json_["message"].Text();
    if ((!code.Text() && !code.Integer()) || !message) {
      return Malformed("success is false, and code and message do not say why");
    }
    const std::string shown =
        code.Integer() ? std::to_string(*code.Integer()) : net::OneLine(*code.Text(), hidden_, 100);
    return Refused(ErrorCode::kNotPermitted,
                   "the program gives no token: " + shown + ", " + net::OneLine(*message, hidden_),
                   "see what the program says; run it by hand");
  }

  Result<ExecutableAnswer> Token() const {
    constexpr std::string_view kPrefix = "urn:ietf:params:oauth:token-type:";
    const auto type = json_["token_type"].Text();
    if (!type) return Malformed("token_type is missing");
    const std::string_view kind =
        type->starts_with(kPrefix) ? type->substr(kPrefix.size()) : std::string_view();
    const bool is_saml = kind == "saml2";
    if (!is_saml && kind != "jwt" && kind != "id_token") {
      return Refused(ErrorCode::kBadData,
                     "token_type is none of jwt, id_token and saml2, with " + std::string(kPrefix) +
                         " before it",
                     kForm);
    }
    const char* const name = is_saml ? "saml_response" : "id_token";
    const auto token = json_[name].Text();
    if (!token || token->empty()) {
      return Malformed(std::string(name) +
                       ", which belongs to the token_type, is missing or empty");
    }
    return ExecutableAnswer{.token = Secret::CopyOf(*token)};
  }

  const core::JsonDocument& json_;
  const std::string& what_;
  const std::chrono::sys_seconds now_;
  std::vector<Secret> hidden_;
};

class Program {
 public:
  Program(const ExecutableSource& source, const ExternalAccount& account,
          const SourceContext& context)
      : source_(source),
        account_(account),
        context_(context),
        hidden_(context.settings.Credentials()) {}

  // The token that was kept; nothing where the program is to be run.
  Result<std::optional<Secret>> Kept() const {
    if (source_.output_file.empty()) return std::optional<Secret>();
    const auto text = ReadOutputFile();
    const std::string what = std::string(kOutputFile) + " '" + source_.output_file + "'";
    if (!text || !core::JsonDocument::Parse(text->Reveal(), what)) return std::optional<Secret>();
    auto answer = Read(*text, what);
    if (!answer) {
      return Error(std::move(answer).error())
          .With("file", source_.output_file)
          .Cure("remove the file, so that the program is run, and " + std::string(kForm));
    }
    if (answer->refusal || !answer->says_when_it_expires) return std::optional<Secret>();
    return std::optional(std::move(answer->token));
  }

  Result<Secret> Run(const net::Call& call) const {
    auto words = Words();
    if (!words) return std::move(words).error();
    const net::Call bounded{
        .deadline = std::min(call.deadline, context_.clock.SteadyNow() + source_.timeout),
        .stop = call.stop};
    auto output = net::OutputOf({.words = std::move(*words), .variables = Variables()}, kCommand,
                                kMostSourceBytes, context_.clock, bounded);
    if (!output) return output;
    std::string what = std::string(kCommand) + ": what the program prints";
    if (core::Trimmed(output->Reveal()).empty() && !source_.output_file.empty()) {
      output = ReadOutputFile();
      if (!output) return output;
      what = std::string(kOutputFile) + " '" + source_.output_file + "'";
    }
    auto answer = Read(*output, what);
    if (!answer) return std::move(answer).error();
    if (answer->refusal) return *std::move(answer->refusal);
    if (!source_.output_file.empty() && !answer->says_when_it_expires) {
      return Error(ErrorCode::kBadData,
                   what + ": expiration_time is missing, which an output_file needs")
          .Cure(kForm);
    }
    return std::move(answer->token);
  }

 private:
  Result<Secret> ReadOutputFile() const {
    auto file =
        core::ReadFile(source_.output_file, kOutputFile, core::PipesAllowed::kNo, kMostSourceBytes);
    if (!file) return std::move(file).error();
    return std::move(file->bytes);
  }

  Result<ExecutableAnswer> Read(const Secret& text, const std::string& what) const {
    return ReadExecutableAnswer(text.Reveal(), what, context_.clock.SystemNow(), hidden_);
  }

  Result<std::vector<std::string>> Words() const {
    const auto wrong = [](const char* problem) {
      return Error(ErrorCode::kConfiguration, std::string(kCommand) + " " + problem)
          .With("setting", kCommand)
          .Cure("write the program and its arguments as for a shell, which does not read them");
    };
    auto words = core::SplitWords(source_.command);
    if (!words) return wrong("has a quotation mark without its pair, or a \\ at its end");
    if (words->empty() || words->front().empty()) return wrong("names no program");
    return *std::move(words);
  }

  std::map<std::string, std::string> Variables() const {
    const std::string prefix = "GOOGLE_EXTERNAL_ACCOUNT_";
    std::map<std::string, std::string> variables = {
        {prefix + "AUDIENCE", account_.audience},
        {prefix + "TOKEN_TYPE", account_.subject_token_type},
        {prefix + "ID", account_.impersonated_email},
        {prefix + "INTERACTIVE", "0"},
        {prefix + "REVOKE", "0"}};
    if (!account_.impersonated_email.empty()) {
      variables[prefix + "IMPERSONATED_EMAIL"] = account_.impersonated_email;
    }
    if (!source_.output_file.empty()) variables[prefix + "OUTPUT_FILE"] = source_.output_file;
    return variables;
  }

  const ExecutableSource& source_;
  const ExternalAccount& account_;
  const SourceContext& context_;
  const std::vector<Secret> hidden_;
};

}  // namespace

Result<ExecutableAnswer> ReadExecutableAnswer(std::string_view text, const std::string& what,
                                              std::chrono::system_clock::time_point now,
                                              std::span<const Secret> hidden) {
  const auto json = core::JsonDocument::Parse(text, what);
  if (!json) return Error(json.error()).Cure(kForm);
  return AnswerReader(*json, what, now, hidden).Read();
}

Result<Secret> GetExecutableToken(const ExecutableSource& source, const ExternalAccount& account,
                                  const SourceContext& context, const net::Call& call) {
  if (!context.settings.allows_executables) {
    return Error(ErrorCode::kConfiguration, std::string(kCommand) +
                                                " names a program, which may not be run without " +
                                                kAllow + "=1")
        .With("setting", kAllow)
        .Cure(std::string("set ") + kAllow +
              "=1 where the file with credentials is from somebody you trust");
  }
  const Program program(source, account, context);
  auto kept = program.Kept();
  if (!kept) return std::move(kept).error();
  if (*kept) return std::move(**kept);
  return program.Run(call);
}

}  // namespace qarion::secrets::gcp
