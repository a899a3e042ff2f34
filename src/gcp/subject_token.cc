#include "gcp/subject_token.h"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/ascii.h"
#include "core/files.h"
#include "core/json_document.h"
#include "gcp/aws_subject_token.h"
#include "gcp/executable_source.h"
#include "gcp/source_request.h"
#include "net/http.h"
#include "net/url.h"

namespace qarion::secrets::gcp {
namespace {

constexpr char kFileMember[] = "credential_source.file";
constexpr char kUrlMember[] = "credential_source.url";
constexpr std::chrono::seconds kUrlTimeout{30};

// Where a text is from, for errors.
struct Origin {
  std::string what;  // begins them
  ErrorCode when_empty;
  std::string cure;
};

// The token in `text`. Google's library for Go takes white space off its ends, others send it as it
// is; no token has any.
Result<Secret> SubjectTokenIn(std::string_view text, const std::string& field,
                              const Origin& origin) {
  const auto wrong = [&](ErrorCode code, const std::string& problem) {
    return Error(code, origin.what + " " + problem).Cure(origin.cure);
  };
  text = core::Trimmed(text);
  if (text.empty()) return wrong(origin.when_empty, "is empty");
  if (field.empty()) return Secret::CopyOf(text);
  const auto json = core::JsonDocument::Parse(text, origin.what);
  if (!json) return Error(json.error()).Cure(origin.cure);
  const auto token = (*json)[field].Text();
  if (!token || token->empty()) {
    return wrong(ErrorCode::kBadData,
                 "has no text in the member '" + field + "', where the token should be");
  }
  return Secret::CopyOf(*token);
}

Result<Secret> FromFile(const FileSource& source) {
  const auto file =
      core::ReadFile(source.path, kFileMember, core::PipesAllowed::kNo, kMostSourceBytes);
  if (!file) return file.error();
  auto token =
      SubjectTokenIn(file->bytes.Reveal(), source.field,
                     {.what = std::string(kFileMember) + ": '" + source.path + "'",
                      .when_empty = ErrorCode::kConfiguration,
                      .cure = "let the file hold the token of the identity provider, in the "
                              "format that credential_source.format says"});
  if (!token) return Error(std::move(token).error()).With("file", source.path);
  return token;
}

Result<Secret> FromUrl(const UrlSource& source, const SourceContext& context,
                       const net::Call& call) {
  const auto url = net::ParseUrl(source.url);
  if (!url) {
    return Error(ErrorCode::kConfiguration, std::string(kUrlMember) + " is no http or https URL")
        .With("setting", kUrlMember)
        .Cure("write the URL that gives the token");
  }
  SourceRequest request{.request = {.url = source.url},
                        .member = kUrlMember,
                        .cure = "see that " + url->host +
                                " gives tokens at that URL, and that credential_source.headers "
                                "are those that it wants",
                        .timeout = kUrlTimeout};
  for (const auto& [name, value] : source.headers) {
    request.request.headers.push_back({name, value.Share()});
  }
  // By http only this machine is asked, or what stands beside it.
  net::HttpClient& client = url->scheme == "http" ? context.metadata : context.services;
  const auto body = AskSource(client, request, context, call);
  if (!body) return body.error();
  return SubjectTokenIn(body->Reveal(), source.field,
                        {.what = std::string(kUrlMember) + ": the answer of " + url->host,
                         .when_empty = ErrorCode::kBadData,
                         .cure = "see that the URL gives the token, in the format that "
                                 "credential_source.format says"});
}

struct Getter {
  const ExternalAccount& account;
  const SourceContext& context;
  const net::Call& call;

  Result<Secret> operator()(const FileSource& source) const { return FromFile(source); }
  Result<Secret> operator()(const UrlSource& source) const {
    return FromUrl(source, context, call);
  }
  Result<Secret> operator()(const ExecutableSource& source) const {
    return GetExecutableToken(source, account, context, call);
  }
  Result<Secret> operator()(const AwsSource& source) const {
    return GetAwsSubjectToken(source, account.audience, context, call);
  }
};

}  // namespace

Result<Secret> GetSubjectToken(const ExternalAccount& account, const SourceContext& context,
                               const net::Call& call) {
  return std::visit(Getter{.account = account, .context = context, .call = call}, account.source);
}

}  // namespace qarion::secrets::gcp
