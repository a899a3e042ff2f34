// The metadata service of an EC2 instance (IMDS), versions 2 and 1, which gives the credentials of
// the instance's role.
#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "aws/credential_document.h"
#include "aws/credential_source.h"
#include "aws/metadata_address.h"
#include "core/ascii.h"
#include "core/json_document.h"
#include "net/server_text.h"

namespace qarion::secrets::aws {
namespace {

using std::chrono::seconds;

constexpr char kTokenPath[] = "latest/api/token";
constexpr char kRolePath[] = "latest/meta-data/iam/security-credentials/";
constexpr char kTokenSeconds[] = "21600";
constexpr std::size_t kLongestRoleName = 128;

// botocore's: credentials with less than that left are used for longer than the service says.
constexpr seconds kRefreshWindow{15 * 60};
constexpr seconds kLeastJitter{2 * 60};
constexpr seconds kMostJitter{10 * 60};

// The answer to a token's request that nobody heard came from a service that did get it; without
// the token it answers at once, or never.
constexpr int kTimeoutShareWithoutToken = 4;

std::string Shown(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? std::to_string(time.count() / 1000) + " s"
                                  : std::to_string(time.count()) + " ms";
}

bool IsRoleName(std::string_view text) {
  constexpr std::string_view kSigns = "+=,.@_-";
  return !text.empty() && text.size() <= kLongestRoleName && std::ranges::all_of(text, [&](char c) {
    return core::IsLetterOrDigit(c) || kSigns.find(c) != std::string_view::npos;
  });
}

// One series of requests for credentials.
class Conversation {
 public:
  Conversation(const SourceContext& context, std::string base, const net::Call& call)
      : context_(context),
        call_(call),
        base_(std::move(base)),
        timeout_(context.settings.metadata.timeout) {}

  const std::string& base() const noexcept { return base_; }
  // Why the last request was in vain.
  const std::string& problem() const noexcept { return problem_; }
  bool has_token() const noexcept { return !token_.empty(); }
  const Secret& token() const noexcept { return token_; }
  // Of the last answer, 0 where there was none.
  int last_status() const noexcept { return last_status_; }

  // Asks for a token. False: there is nobody to talk to, or the service wants nothing of it.
  // True without a token: version 1 is worth a try.
  bool Begin() {
    net::HttpRequest request{.method = "PUT", .url = Url(kTokenPath)};
    request.headers.push_back(
        {"x-aws-ec2-metadata-token-ttl-seconds", Secret::CopyOf(kTokenSeconds)});
    bool is_there = false;
    for (int attempt = 1; attempt <= context_.settings.metadata.attempts; ++attempt) {
      const net::Attempt made = Send(request, attempt);
      is_there = made.was_sent;
      if (!made.result) {
        // A hop limit of 1 keeps the answer from containers.
        if (made.timed_out && made.was_sent) {
          timeout_ /= kTimeoutShareWithoutToken;
          return true;
        }
        continue;
      }
      const int status = made.result->status;
      if (status == 200) return TakeToken(made.result->body);
      problem_ = base_ + " refuses a token (" + std::to_string(status) + ")";
      if (status == 400) return false;
      if (status == 403 || status == 404 || status == 405) return true;
    }
    return is_there;
  }

  // The answer to a GET; nothing where there is none that `is_good`, which says what is wrong.
  using Check = std::function<std::string(const net::HttpResponse&)>;
  std::optional<net::HttpResponse> Get(const std::string& path, const Check& check) {
    net::HttpRequest request{.url = Url(path)};
    if (has_token()) request.headers.push_back({"x-aws-ec2-metadata-token", token_.Share()});
    for (int attempt = 1; attempt <= context_.settings.metadata.attempts; ++attempt) {
      net::Attempt made = Send(request, attempt);
      if (!made.result) continue;
      const std::string problem = CheckAnswer(*made.result, check);
      if (problem.empty()) return std::move(*made.result);
      problem_ = base_ + " " + problem;
    }
    return std::nullopt;
  }

 private:
  std::string Url(const std::string& path) const {
    return base_ + (base_.ends_with('/') ? "" : "/") + path;
  }

  bool TakeToken(const Secret& body) {
    if (!net::IsHeaderValue(body.Reveal())) {
      problem_ = base_ + " gives a token that cannot be sent back";
      return false;
    }
    token_ = body.Share();
    context_.held.Hold("token of instance metadata", token_);
    return true;
  }

  net::Attempt Send(const net::HttpRequest& request, int attempt) {
    const auto end = std::min(call_.deadline, context_.clock.SteadyNow() + timeout_);
    net::Attempt made = context_.metadata.Send(request, end, call_.stop, attempt);
    last_status_ = made.result ? made.result->status : 0;
    if (!made.result) {
      problem_ = made.timed_out ? base_ + " does not answer within " + Shown(timeout_)
                                : made.result.error().reason();
    }
    return made;
  }

  std::string CheckAnswer(const net::HttpResponse& response, const Check& check) const {
    if (response.status == 401 && !has_token()) {
      return "answers only with a token, which it did not give (a hop limit of 1 keeps it from "
             "containers)";
    }
    if (response.status != 200) return "answers " + std::to_string(response.status);
    if (response.body.empty()) return "answers nothing";
    return check(response);
  }

  const SourceContext& context_;
  const net::Call& call_;
  const std::string base_;
  std::chrono::milliseconds timeout_;
  Secret token_;
  std::string problem_;
  int last_status_ = 0;
};

class InstanceSource final : public CredentialSource {
 public:
  explicit InstanceSource(const SourceContext& context) : context_(context) {}

  std::string Name() const override { return "instance metadata"; }

  Result<Offer> Get(const net::Call& call) override {
    const MetadataSettings& settings = context_.settings.metadata;
    if (settings.is_disabled) return Offer{.why_not = "AWS_EC2_METADATA_DISABLED is true"};
    auto base = InstanceMetadataUrl(settings);
    if (!base) return std::move(base).error();
    Conversation conversation(context_, std::move(*base), call);
    auto offer = Talk(conversation);
    if (!offer || offer->credentials) return offer;
    // Then nobody knows whether there are any.
    if (call.stop.stop_requested() || context_.clock.SteadyNow() >= call.deadline) {
      return Error(ErrorCode::kUnavailable,
                   "no time was left to ask the instance's metadata: " + offer->why_not)
          .Cure("give it more time, or set AWS_EC2_METADATA_DISABLED=true where there is none");
    }
    return offer;
  }

 private:
  Result<Offer> Talk(Conversation& conversation) {
    if (!conversation.Begin()) return Offer{.why_not = conversation.problem()};
    if (!conversation.has_token() && context_.settings.metadata.is_v1_disabled) {
      return Error(ErrorCode::kConfiguration,
                   conversation.problem() +
                       ", and AWS_EC2_METADATA_V1_DISABLED forbids to ask without a token")
          .With("setting", "AWS_EC2_METADATA_V1_DISABLED")
          .Cure("raise the hop limit in the instance's metadata options, or allow version 1");
    }
    const auto list = conversation.Get(kRolePath, [](const net::HttpResponse& response) {
      return IsRoleName(core::Trimmed(response.body.Reveal())) ? "" : "names no role";
    });
    if (!list) return NoAnswer(conversation);
    const std::string role(core::Trimmed(list->body.Reveal()));
    std::optional<core::JsonDocument> document;
    const auto answer = conversation.Get(kRolePath + role, [&](const net::HttpResponse& response) {
      auto parsed = core::JsonDocument::Parse(response.body.Reveal(), "");
      if (parsed) document = std::move(*parsed);
      return document ? "" : "does not answer in JSON";
    });
    if (!answer) return NoAnswer(conversation);
    return Read(*document, role, conversation);
  }

  // A service that is there and fails will not do so for long.
  static Result<Offer> NoAnswer(const Conversation& conversation) {
    constexpr int kLeastFailure = 500;
    if (conversation.last_status() < kLeastFailure) {
      return Offer{.why_not = conversation.problem()};
    }
    return Error(ErrorCode::kUnavailable, conversation.problem())
        .Cure("wait; if it lasts, see the instance's state");
  }

  Result<Offer> Read(const core::JsonDocument& document, const std::string& role,
                     const Conversation& conversation) {
    const std::string origin = "instance role " + role + " (" + conversation.base() + ")";
    if (const Refusal refusal = RefusalIn(document, {&conversation.token(), 1});
        !refusal.code.empty()) {
      return Offer{.why_not = origin + ": " + refusal.text};
    }
    auto credentials = CredentialsFromJson(document, kMetadataDocument, origin);
    if (!credentials) return Offer{.why_not = credentials.error().reason()};
    Extend(*credentials);
    return Offer{.credentials = std::move(*credentials)};
  }

  // Static stability: the service gives old credentials where it cannot get new ones, and other
  // services take them for longer than they say.
  void Extend(Credentials& credentials) {
    const seconds jitter =
        kLeastJitter + std::chrono::floor<seconds>(
                           context_.random.Uniform() *
                           std::chrono::duration<double>(kMostJitter - kLeastJitter + seconds(1)));
    const seconds window = kRefreshWindow + jitter;
    const auto now = std::chrono::floor<seconds>(context_.services.clock().SystemNow());
    const bool is_known = std::exchange(prolongs_, false);
    if (!credentials.expires_at || *credentials.expires_at - window > now) return;
    prolongs_ = true;
    credentials.expires_at = now + window;
    credentials.is_prolonged = true;
    if (is_known) return;
    context_.log(credentials.origin +
                 ": the metadata service gives credentials that end soon or have ended, by the "
                 "clock in use; they are used until there are others");
  }

  const SourceContext context_;
  bool prolongs_ = false;  // the last ones it gave
};

}  // namespace

SourcePtr MakeInstanceSource(const SourceContext& context) {
  return std::make_unique<InstanceSource>(context);
}

}  // namespace qarion::secrets::aws
