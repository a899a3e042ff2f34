#include "providers/vault/api.h"

#include <algorithm>
#include <utility>

#include "core/utf8.h"
#include "net/http_date.h"
#include "net/srv.h"
#include "net/url.h"

namespace qarion::secrets::vault {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kLongestServerText = 300;
// How long one of several addresses may take in a round: a server that is stopped accepts
// connections and says nothing, and one that forwards to it says nothing either. Short at first,
// so that the others are asked soon after a cluster has recovered.
constexpr milliseconds kFirstRounds{500};
constexpr milliseconds kLaterRounds{1000};
constexpr milliseconds kPatientRound{5000};
constexpr int kFirstRoundsCount = 2;
constexpr int kMostSilences = 10;
constexpr milliseconds kFirstPause{250};
constexpr milliseconds kLongestPause{1000};
constexpr std::size_t kMostLearned = 64;

bool IsWhite(char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; }

// One line without control characters, shortened.
std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (!IsWhite(c)) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  while (line.ends_with(' ')) line.pop_back();
  if (line.size() > kLongestServerText) {
    line.resize(kLongestServerText);
    while (core::FindInvalidUtf8(line)) line.pop_back();
    line += "...";
  }
  return line;
}

std::string Join(const core::JsonValue& texts) {
  std::string joined;
  for (const core::JsonValue& element : texts.Elements()) {
    const auto text = element.Text();
    if (!text) continue;
    joined += (joined.empty() ? "" : "; ") + std::string(*text);
  }
  // "1 error occurred:\n\t* permission denied\n\n", as Go's multierror writes it.
  constexpr std::string_view kOne = "1 error occurred:";
  if (joined.starts_with(kOne)) {
    joined.erase(0, kOne.size());
    joined.erase(0, std::min(joined.find_first_not_of(" \t\n*"), joined.size()));
  }
  return joined;
}

void Hide(std::string_view secret, std::string& text) {
  constexpr std::size_t kShortest = 4;
  constexpr std::string_view kMask = "***";
  if (secret.size() < kShortest) return;
  for (std::size_t at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at + kMask.size())) {
    text.replace(at, secret.size(), kMask);
  }
}

// The token and every text in the body.
std::vector<Secret> CredentialsOf(const ApiRequest& request) {
  std::vector<Secret> credentials;
  if (request.token != nullptr) credentials.push_back(request.token->Share());
  if (request.body.empty()) return credentials;
  auto body = core::JsonDocument::Parse(request.body.Reveal(), "the request");
  if (!body) return credentials;
  for (const std::string_view name : body->root().Names()) {
    if (const auto text = (*body)[name].Text()) credentials.push_back(Secret::CopyOf(*text));
  }
  return credentials;
}

bool HasText(const net::HttpResponse& response, std::string_view text) {
  return response.body.Reveal().find(text) != std::string_view::npos;
}

// A node that cannot serve now where another one may.
bool IsUnableNow(const net::HttpResponse& response) {
  switch (response.status) {
    case 502:
    case 503:
    case 504: return true;
    case 500: return HasText(response, "node not active") || HasText(response, "leadership lost");
    default: return false;
  }
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

std::string ApiAnswer::OneLineOf(std::string_view member) const {
  std::string text = Join((*this)[member]);
  for (const Secret& credential : sent) Hide(credential.Reveal(), text);
  return OneLine(text);
}

std::string ApiAnswer::Errors() const { return OneLineOf("errors"); }
std::string ApiAnswer::Warnings() const { return OneLineOf("warnings"); }

namespace {

net::HttpClientOptions ClientOptions(const VaultSettings& settings, const std::string& unix_socket,
                                     const std::function<void(std::string_view)>& trace) {
  return {.tls = settings.tls.Share(),
          .proxy = settings.proxy,
          .unix_socket = unix_socket,
          .allows_http2 = false,  // its tables would keep the token
          .trace = trace};
}

}  // namespace

Api::Api(const VaultSettings& settings, Clock& clock,
         const std::function<void(std::string_view)>& trace)
    : settings_(settings), clock_(clock), redirected_(ClientOptions(settings, "", trace)) {
  for (const Address& address : settings_.addresses) {
    nodes_.push_back({.address = &address,
                      .url = address.url,
                      .client = std::make_unique<net::HttpClient>(
                          ClientOptions(settings, address.unix_socket, trace))});
  }
  policy_.most_attempts = settings_.max_retries + 1;
  policy_.statuses = {412, 429, 500, 502, 503, 504};
  policy_.backoff = {.first = kFirstPause, .longest = kLongestPause};
  if (settings_.rate_limit) limiter_.emplace(*settings_.rate_limit, clock_.SteadyNow());
}

std::string Api::address() const { return settings_.addresses[preferred_].shown; }

void Api::Learn(std::string_view address) {
  const auto url = net::ParseUrl(address);
  if (!url) return;
  const std::lock_guard lock(mutex_);
  if (learned_.size() < kMostLearned) learned_.insert(url->Origin());
}

void Api::LookUpServicesOnce() {
  if (settings_.looks_up_srv) std::call_once(looked_up_services_, [this] { LookUpServices(); });
}

// As the official client has it: for addresses without a port, and where there is no record the
// address stays what it is.
void Api::LookUpServices() {
  for (Node& node : nodes_) {
    const auto url = net::ParseUrl(node.address->shown);
    if (!url || url->names_port || !node.address->unix_socket.empty()) continue;
    const auto target = net::LookUpSrv("_http._tcp." + url->host);
    if (!target) continue;
    node.host = url->host;
    node.url = url->scheme + "://" + target->host + ":" + std::to_string(target->port) +
               (url->path == "/" ? "" : url->path);
  }
}

net::HttpRequest Api::Compose(const ApiRequest& request, const std::string& base,
                              const std::string& host) const {
  net::HttpRequest composed{.method = request.method,
                            .url = base + "/v1/" + net::EncodePath(request.path)};
  if (!request.query.empty()) composed.url += "?" + request.query;
  if (!host.empty()) composed.headers.push_back({"Host", Secret::CopyOf(host)});
  composed.headers.push_back({"X-Vault-Request", Secret::CopyOf("true")});
  if (request.token != nullptr)
    composed.headers.push_back({"X-Vault-Token", request.token->Share()});
  if (request.has_namespace && !settings_.name_space.empty()) {
    composed.headers.push_back({"X-Vault-Namespace", Secret::CopyOf(settings_.name_space)});
  }
  for (const net::HttpHeader& header : settings_.headers) {
    composed.headers.push_back({header.name, header.value.Share()});
  }
  composed.body = request.body.Share();
  return composed;
}

Result<ApiAnswer> Api::Take(const ApiRequest& request, net::HttpResponse response) const {
  ApiAnswer answer{.status = response.status, .address = address()};
  if (response.status >= 300) answer.sent = CredentialsOf(request);
  if (const auto date = response.Find("date")) answer.date = net::ParseHttpDate(*date);
  answer.body = std::move(response.body);
  if (answer.body.empty()) return answer;
  auto json = core::JsonDocument::Parse(answer.body.Reveal(), answer.address);
  if (json) {
    answer.json = std::move(*json);
  } else if (response.status < 300) {
    return Error(ErrorCode::kBadData, "the answer of " + json.error().reason())
        .Cure("see that " + settings_.address_setting +
              " names the server's API and not something before it");
  }
  return answer;
}

Result<ApiAnswer> Api::Send(const ApiRequest& request, const Call& call) {
  const Clock::SteadyTime deadline =
      std::min(call.deadline, clock_.SteadyNow() + settings_.timeout);
  LookUpServicesOnce();
  net::RetryPolicy policy = policy_;
  if (!request.retries_statuses) policy.statuses = {412, 429, 502, 503, 504};
  core::SystemRandom random = [this] {
    const std::lock_guard lock(mutex_);
    return core::SystemRandom(static_cast<std::uint64_t>(random_.Uniform() * 1e18));
  }();
  auto response = net::SendWithRetries(
      [&](int attempt) {
        return TryAll(request, attempt, {.deadline = deadline, .stop = call.stop});
      },
      policy,
      {.clock = clock_,
       .random = random,
       .budget = budget_,
       .deadline = deadline,
       .stop = call.stop});
  if (!response) return std::move(response).error();
  return Take(request, std::move(*response));
}

Result<ApiAnswer> Api::SendTo(std::size_t address, const ApiRequest& request, const Call& call) {
  LookUpServicesOnce();
  auto attempt = nodes_[address].client->Send(
      Compose(request, nodes_[address].url, nodes_[address].host), call.deadline, call.stop, 1);
  if (!attempt.result) return std::move(attempt.result).error();
  auto answer = Take(request, std::move(*attempt.result));
  if (answer) answer->address = nodes_[address].address->shown;
  return answer;
}

std::vector<std::size_t> Api::Order() const {
  struct Place {
    int silences;  // as they are now: they change while this sorts
    std::size_t distance;
  };
  const std::size_t first = preferred_;
  std::vector<Place> places;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    places.push_back({nodes_[(first + i) % nodes_.size()].silences->load(), i});
  }
  std::ranges::sort(places, {},
                    [](const Place& place) { return std::pair(place.silences, place.distance); });
  std::vector<std::size_t> order;
  for (const Place& place : places) order.push_back((first + place.distance) % nodes_.size());
  return order;
}

net::Attempt Api::TryAll(const ApiRequest& request, int attempt, const Call& call) {
  net::Attempt last{Error(ErrorCode::kUnavailable, "no address was asked")};
  for (const std::size_t node : Order()) {
    if (limiter_) {
      const auto turn = limiter_->Reserve(clock_.SteadyNow());
      if (turn >= call.deadline || !net::PauseUntil(turn, clock_, call.stop)) break;
    }
    Clock::SteadyTime deadline = call.deadline;
    if (nodes_.size() > 1) {
      const milliseconds most = request.is_patient             ? kPatientRound
                                : attempt <= kFirstRoundsCount ? kFirstRounds
                                                               : kLaterRounds;
      deadline = std::min(deadline, clock_.SteadyNow() + most);
    }
    Outcome outcome = TryOne(node, request, attempt, deadline, call.stop);
    if (outcome.is_definite) {
      preferred_ = node;
      return std::move(outcome.attempt);
    }
    last = std::move(outcome.attempt);
    if (call.stop.stop_requested() || clock_.SteadyNow() >= call.deadline) break;
  }
  if (nodes_.size() > 1 && !last.result) {
    const Error& error = last.result.error();
    return {
        Error(error.code(), "none of the " + std::to_string(nodes_.size()) + " addresses of " +
                                settings_.address_setting + " serves; the last: " + error.reason())
            .With("setting", settings_.address_setting)
            .Cure(error.cure()),
        last.timed_out};
  }
  return last;
}

Api::Outcome Api::TryOne(std::size_t node, const ApiRequest& request, int attempt,
                         Clock::SteadyTime deadline, const std::stop_token& stop) {
  const Node& chosen = nodes_[node];
  net::Attempt made =
      chosen.client->Send(Compose(request, chosen.url, chosen.host), deadline, stop, attempt);
  if (made.result) {
    *chosen.silences = 0;
  } else if (!stop.stop_requested()) {
    *chosen.silences = std::min(*chosen.silences + 1, kMostSilences);
  }
  if (made.result && IsRedirect(made.result->status)) {
    return FollowRedirect(node, request, std::move(*made.result), attempt, deadline, stop);
  }
  return Judge(std::move(made));
}

Api::Outcome Api::Judge(net::Attempt attempt) const {
  // One server's bad certificate says nothing of the others.
  const bool is_definite = attempt.result && !IsUnableNow(*attempt.result);
  return {std::move(attempt), is_definite};
}

// The base URL of a configured address, or a learned one, with that origin.
std::optional<std::string> Api::ClusterBase(const std::string& origin) const {
  for (const Node& node : nodes_) {
    const auto url = net::ParseUrl(node.url);
    if (url && node.address->unix_socket.empty() && url->Origin() == origin) return node.url;
  }
  const std::lock_guard lock(mutex_);
  if (learned_.contains(origin)) return origin;
  return std::nullopt;
}

Api::Outcome Api::FollowRedirect(std::size_t node, const ApiRequest& request,
                                 net::HttpResponse answer, int attempt, Clock::SteadyTime deadline,
                                 const std::stop_token& stop) {
  const std::string& from = nodes_[node].address->shown;
  const auto fail = [&](ErrorCode code, const std::string& problem, std::string cure) {
    return Outcome{{Error(code, from + " redirects " + problem)
                        .With("setting", settings_.address_setting)
                        .Cure(std::move(cure))},
                   false};
  };
  const auto location = answer.Find("location");
  const auto target =
      location ? net::ResolveUrl(nodes_[node].url + "/", *location) : std::optional<net::Url>();
  const auto base = net::ParseUrl(nodes_[node].url);
  if (!target || !base) {
    return fail(ErrorCode::kBadData, "without saying where to",
                "see that the address is that of the server's API");
  }
  if (!settings_.follows_redirects) {
    return fail(ErrorCode::kUnavailable,
                "to " + target->Origin() + ", and VAULT_DISABLE_REDIRECTS is set",
                "name the active server's address in " + settings_.address_setting);
  }
  if (target->Origin() == base->Origin()) {
    // A server that is losing or gaining leadership names itself.
    return fail(ErrorCode::kUnavailable, "to itself",
                "wait until the cluster has a leader; else name the path as the server has it");
  }
  const bool keeps_secrecy =
      target->scheme == "https" ||
      (base->scheme == "http" && net::IsLoopback(*base) && net::IsLoopback(*target));
  if (!keeps_secrecy) {
    return fail(
        ErrorCode::kUnavailable,
        "to " + target->Origin() + ", where the token would go in clear text; it was not sent",
        "let the server's api_addr begin with https://");
  }
  const auto cluster_base = ClusterBase(target->Origin());
  if (!cluster_base) {
    return fail(ErrorCode::kUnavailable,
                "to " + target->Origin() + ", which " + settings_.address_setting +
                    " does not name; the token was not sent there",
                "if that server belongs to the cluster, add its address to " +
                    settings_.address_setting + ", with a comma before it");
  }
  net::Attempt made = redirected_.Send(Compose(request, *cluster_base), deadline, stop, attempt);
  if (made.result && IsRedirect(made.result->status)) {
    return fail(ErrorCode::kUnavailable, "to " + target->Origin() + ", which redirects again",
                "wait until the cluster has a leader");
  }
  return Judge(std::move(made));
}

}  // namespace qarion::secrets::vault
