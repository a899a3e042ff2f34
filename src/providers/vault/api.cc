#include "providers/vault/api.h"

#include <algorithm>
#include <utility>

#include "net/http_date.h"
#include "net/url.h"

namespace qarion::secrets::vault {
namespace {

using std::chrono::milliseconds;

// After how long without an answer the next of several servers is asked too: one that is stopped
// accepts connections and says nothing, and one that forwards to it says nothing either.
constexpr milliseconds kLeastPatience{500};
constexpr milliseconds kMostPatience{5000};
constexpr int kPatienceInUsualTimes = 3;
// How long one of several servers may take over what must not be sent to two at once.
constexpr milliseconds kTurn{5000};
constexpr int kMostSilences = 10;
constexpr milliseconds kFirstPause{250};
constexpr milliseconds kLongestPause{1000};
constexpr std::size_t kMostLearned = 64;
constexpr milliseconds kLongestSrvLookup{4000};
constexpr std::chrono::seconds kSrvKept{60};

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// As the official client has it, but for logins and renewals, of which 500 is a refusal.
bool IsWorthAnotherTry(const net::HttpResponse& response, Repeats repeats) {
  if (response.status == 412 || response.status == 429) return true;
  if (IsUnableNow(response)) return repeats != Repeats::kNever || response.status == 503;
  return response.status >= 500 && response.status != 501 && repeats == Repeats::kFreely;
}

Outcome Silence(std::string problem) {
  return {.attempt = {.result = Error(ErrorCode::kUnavailable, std::move(problem))
                                    .Cure("see that the servers run and can be reached from here"),
                      .timed_out = true},
          .is_definite = false};
}

// Of a request to one address. One server's bad certificate says nothing of the others.
Outcome Judge(net::Attempt made, const ApiRequest& request, std::size_t node) {
  made.is_final = request.repeats == Repeats::kNever && !made.result && made.was_sent;
  const bool is_definite = made.is_final || (made.result && !IsUnableNow(*made.result) &&
                                             !IsOfSomethingElse(*made.result));
  return {.attempt = std::move(made), .is_definite = is_definite, .node = node};
}

net::HttpClientOptions ClientOptions(const VaultSettings& settings, const std::string& unix_socket,
                                     const std::function<void(std::string_view)>& trace) {
  return {.tls = settings.tls.Share(),
          .proxy = {.url = settings.proxy.url.Share(), .setting = settings.proxy.setting},
          .unix_socket = unix_socket,
          .allows_http2 = false,  // its tables would keep the token
          .trace = trace};
}

}  // namespace

// What the addresses came to, asked one after the other, until one of them settles it.
class Api::Round {
 public:
  explicit Round(const VaultSettings& settings)
      : addresses_("none of the " + std::to_string(settings.addresses.size()) + " addresses of " +
                   settings.address_setting),
        setting_(settings.address_setting),
        is_alone_(settings.addresses.size() == 1),
        failure_(Silence(addresses_ + " has answered in time")) {}

  // Takes note of a failure; returns whether it is none, but the answer to look for.
  bool Settles(Outcome& outcome) {
    if (outcome.is_definite) return true;
    if (!outcome.attempt.result) problems_.push_back(outcome.attempt.result.error().reason());
    if (Weight(outcome) >= Weight(failure_)) failure_ = std::move(outcome);
    return false;
  }

  // The failure that says most, and why each address failed.
  Outcome Failure() && {
    if (is_alone_ || failure_.attempt.result || problems_.empty()) return std::move(failure_);
    std::string reason = addresses_ + " serves: ";
    for (const std::string& problem : problems_) {
      reason += (&problem == problems_.data() ? "" : "; ") + problem;
    }
    const Error& error = failure_.attempt.result.error();
    failure_.attempt.result =
        Error(error.code(), std::move(reason)).With("setting", setting_).Cure(error.cure());
    return std::move(failure_);
  }

 private:
  // An answer says more than an error, and that more than silence.
  static int Weight(const Outcome& outcome) {
    return outcome.attempt.result ? 2 : outcome.attempt.timed_out ? 0 : 1;
  }

  const std::string addresses_;
  const std::string setting_;
  const bool is_alone_;
  Outcome failure_;
  std::vector<std::string> problems_;
};

Api::Api(const VaultSettings& settings, Clock& clock,
         const std::function<void(std::string_view)>& trace, SrvLookup look_up_srv)
    : settings_(settings),
      clock_(clock),
      look_up_srv_(std::move(look_up_srv)),
      redirected_(ClientOptions(settings, "", trace)) {
  for (const Address& address : settings_.addresses) {
    auto node = std::make_unique<Node>();
    node->address = &address;
    node->client =
        std::make_unique<net::HttpClient>(ClientOptions(settings, address.unix_socket, trace));
    nodes_.push_back(std::move(node));
  }
  if (settings_.rate_limit) limiter_.emplace(*settings_.rate_limit, clock_.SteadyNow());
}

std::string Api::address() const { return settings_.addresses[preferred_].shown; }

void Api::Learn(std::string_view address) {
  const auto url = net::ParseUrl(address);
  if (!url) return;
  const std::lock_guard lock(mutex_);
  if (learned_.size() < kMostLearned) learned_.insert(url->Origin());
}

// As the official client has it: services are looked up for addresses without a port, and where
// there is no record the address stays what it is.
Api::Target Api::TargetOf(Node& node, const Call& call) {
  Target plain{.url = node.address->url};
  if (!settings_.looks_up_srv || !node.address->unix_socket.empty()) return plain;
  const auto url = net::ParseUrl(node.address->shown);
  if (!url || url->names_port) return plain;
  const auto now = clock_.SteadyNow();
  std::unique_lock lock(mutex_);
  if (now >= node.service_until) {
    lock.unlock();
    const auto left = std::chrono::duration_cast<milliseconds>(call.deadline - now);
    const auto answer = look_up_srv_("_http._tcp." + url->host, std::min(left, kLongestSrvLookup));
    lock.lock();
    // What could not be found out now stays what it was, and is asked again.
    if (answer.is_known) {
      node.service = answer.target;
      node.service_until = now + kSrvKept;
    }
  }
  if (!node.service) return plain;
  return {.url = url->scheme + "://" + node.service->host + ":" +
                 std::to_string(node.service->port) + (url->path == "/" ? "" : url->path),
          .host = url->host};
}

net::HttpRequest Api::Compose(const ApiRequest& request, const Target& target) const {
  net::HttpRequest composed{.method = request.method,
                            .url = target.url + "/v1/" + net::EncodePath(request.path),
                            .is_repeatable = request.repeats != Repeats::kNever};
  if (!request.query.empty()) composed.url += "?" + request.query;
  if (!target.host.empty()) composed.headers.push_back({"Host", Secret::CopyOf(target.host)});
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

// The token, the body, and the values of headers that settings ask for.
std::vector<Secret> Api::CredentialsOf(const ApiRequest& request) const {
  std::vector<Secret> credentials;
  if (request.token != nullptr) credentials.push_back(request.token->Share());
  if (!request.body.empty()) credentials.push_back(request.body.Share());
  for (const Secret& secret : request.hidden) credentials.push_back(secret.Share());
  for (const net::HttpHeader& header : settings_.headers) {
    credentials.push_back(header.value.Share());
  }
  return credentials;
}

Result<ApiAnswer> Api::Take(const ApiRequest& request, net::HttpResponse response,
                            std::size_t node) const {
  ApiAnswer answer{.status = response.status, .address = nodes_[node]->address->shown};
  answer.sent = CredentialsOf(request);
  if (const auto date = response.Find("date")) answer.date = net::ParseHttpDate(*date);
  const bool is_success = response.status < 300;
  const std::string cure = "see that " + settings_.address_setting +
                           " names the server's API and not something before it";
  const auto type = response.Find("content-type");
  if (is_success && type && !IsJson(*type)) {
    return Error(ErrorCode::kBadData, "the answer of " + answer.address + " is not JSON")
        .Cure(cure);
  }
  answer.body = std::move(response.body);
  if (answer.body.empty()) return answer;
  auto json = core::JsonDocument::Parse(answer.body.Reveal(), answer.address);
  if (json) {
    answer.json = std::move(*json);
  } else if (is_success) {
    return Error(ErrorCode::kBadData, "the answer of " + json.error().reason()).Cure(cure);
  }
  return answer;
}

Result<ApiAnswer> Api::Send(const ApiRequest& request, const Call& asked) {
  const Call call{.deadline = std::min(asked.deadline, clock_.SteadyNow() + settings_.timeout),
                  .stop = asked.stop};
  core::SystemRandom random = [this] {
    const std::lock_guard lock(mutex_);
    return core::SystemRandom(static_cast<std::uint64_t>(random_.Uniform() * 1e18));
  }();
  Race race(clock_);
  Outcome last = Silence("nobody was asked");
  auto response = net::SendWithRetries(
      [&](int attempt) {
        // While something is on its way nothing has failed yet, and the servers are asked again
        // beside it: they may have a leader by now.
        do {
          last = AskAll(request, attempt, call, race);
        } while (!last.is_definite && race.has_runners() && settings_.max_retries > 0 &&
                 clock_.SteadyNow() < call.deadline && !call.stop.stop_requested());
        return std::exchange(last.attempt, Silence("taken").attempt);
      },
      {.most_attempts = settings_.max_retries + 1,
       .is_worth_another_try =
           [&](const net::HttpResponse& r) { return IsWorthAnotherTry(r, request.repeats); },
       .backoff = {.first = kFirstPause, .longest = kLongestPause}},
      {.clock = clock_,
       .random = random,
       .budget = budget_,
       .deadline = call.deadline,
       .stop = call.stop});
  // Where nothing is asked again, what is on its way is waited for.
  while (!last.is_definite && race.has_runners()) {
    auto late = race.Next(call.deadline, call.stop);
    if (!late) break;
    if (!late->is_definite) continue;
    last.node = late->node;
    last.is_definite = true;
    response = std::move(late->attempt.result);
  }
  if (!response) return std::move(response).error();
  if (last.is_definite) preferred_ = last.node;
  auto answer = Take(request, std::move(*response), last.node);
  if (answer && answer->status >= 400 && answer->status < 500 && !answer->IsOfTheApi()) {
    return ErrorOf(*answer, "asking for " + request.path);
  }
  return answer;
}

Result<ApiAnswer> Api::SendTo(std::size_t address, const ApiRequest& request, const Call& call) {
  Node& node = *nodes_[address];
  if (auto error = WaitForTurn(call)) return std::move(*error);
  auto attempt =
      node.client->Send(Compose(request, TargetOf(node, call)), call.deadline, call.stop, 1);
  if (!attempt.result) {
    CountSilence(node);
    return std::move(attempt.result).error();
  }
  node.silences = 0;
  return Take(request, std::move(*attempt.result), address);
}

std::optional<Error> Api::WaitForTurn(const Call& call) {
  if (!limiter_) return std::nullopt;
  const auto turn = limiter_->Reserve(clock_.SteadyNow(), call.deadline);
  if (turn && net::PauseUntil(*turn, clock_, call.stop)) return std::nullopt;
  return Error(ErrorCode::kTryAgain, "VAULT_RATE_LIMIT lets no further request go in time")
      .With("setting", "VAULT_RATE_LIMIT")
      .Cure("raise it, or ask less often");
}

std::vector<std::size_t> Api::Order() const {
  struct Place {
    int silences;  // as they are now: they change while this sorts
    std::size_t distance;
  };
  const std::size_t first = preferred_;
  std::vector<Place> places;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    places.push_back({nodes_[(first + i) % nodes_.size()]->silences.load(), i});
  }
  std::ranges::sort(places, {},
                    [](const Place& place) { return std::pair(place.silences, place.distance); });
  std::vector<std::size_t> order;
  for (const Place& place : places) order.push_back((first + place.distance) % nodes_.size());
  return order;
}

milliseconds Api::Patience(std::size_t node) const {
  return std::clamp(nodes_[node]->usual_time.load() * kPatienceInUsualTimes, kLeastPatience,
                    kMostPatience);
}

// Asks each address once. What has not ended then goes on in `race`.
Outcome Api::AskAll(const ApiRequest& request, int attempt, const Call& call, Race& race) {
  Round round(settings_);
  for (const std::size_t node : Order()) {
    if (auto error = WaitForTurn(call)) return {.attempt = {.result = std::move(*error)}};
    auto settled = nodes_.size() == 1 || request.repeats != Repeats::kFreely
                       ? AskInTurn(node, request, attempt, call, round)
                       : AskBeside(node, request, attempt, call, race, round);
    if (settled) return std::move(*settled);
    if (call.stop.stop_requested() || clock_.SteadyNow() >= call.deadline) break;
  }
  const auto grace = std::min(call.deadline, clock_.SteadyNow() + kLeastPatience);
  while (auto outcome = race.Next(grace, call.stop)) {
    if (round.Settles(*outcome)) return std::move(*outcome);
  }
  return std::move(round).Failure();
}

// Waits for what one address says.
std::optional<Outcome> Api::AskInTurn(std::size_t node, const ApiRequest& request, int attempt,
                                      const Call& call, Round& round) {
  Call turn = call;
  if (nodes_.size() > 1 && request.repeats == Repeats::kInTurn) {
    turn.deadline = std::min(call.deadline, clock_.SteadyNow() + kTurn * attempt);
  }
  Outcome outcome = Ask(node, request, attempt, turn);
  if (!round.Settles(outcome)) return std::nullopt;
  return outcome;
}

// Waits for what one address, or one that was asked before it, says, but not long.
std::optional<Outcome> Api::AskBeside(std::size_t node, const ApiRequest& request, int attempt,
                                      const Call& call, Race& race, Round& round) {
  race.Start(node, [this, node, &request, attempt, call](const std::stop_token& stop) {
    return Ask(node, request, attempt, {.deadline = call.deadline, .stop = stop});
  });
  const auto until = std::min(call.deadline, clock_.SteadyNow() + Patience(node));
  while (auto outcome = race.Next(until, call.stop)) {
    if (round.Settles(*outcome)) return outcome;
    if (outcome->node == node) return std::nullopt;
  }
  CountSilence(*nodes_[node]);
  return std::nullopt;
}

void Api::CountSilence(Node& node) { node.silences = std::min(node.silences + 1, kMostSilences); }

// Asks one address, once.
Outcome Api::Ask(std::size_t number, const ApiRequest& request, int attempt, const Call& call) {
  Node& node = *nodes_[number];
  net::Attempt made =
      node.client->Send(Compose(request, TargetOf(node, call)), call.deadline, call.stop, attempt);
  if (made.result) {
    node.silences = 0;
    node.usual_time = (node.usual_time.load() + made.result->elapsed) / 2;
    if (IsRedirect(made.result->status)) {
      return FollowRedirect(number, request, std::move(*made.result), attempt, call);
    }
  } else if (!call.stop.stop_requested()) {
    CountSilence(node);
  }
  return Judge(std::move(made), request, number);
}

// The base URL of a configured address, or a learned one, with that origin.
std::optional<std::string> Api::ClusterBase(const std::string& origin) const {
  const std::lock_guard lock(mutex_);
  for (const auto& node : nodes_) {
    const auto url = net::ParseUrl(node->address->url);
    if (!url || !node->address->unix_socket.empty()) continue;
    if (url->Origin() == origin) return node->address->url;
    const auto& service = node->service;
    if (service &&
        origin == url->scheme + "://" + service->host + ":" + std::to_string(service->port)) {
      return origin;
    }
  }
  if (learned_.contains(origin)) return origin;
  return std::nullopt;
}

Outcome Api::FollowRedirect(std::size_t node, const ApiRequest& request, net::HttpResponse answer,
                            int attempt, const Call& call) {
  const Address& from = *nodes_[node]->address;
  const auto fail = [&](ErrorCode code, const std::string& problem, std::string cure) {
    return Outcome{.attempt = {.result = Error(code, from.shown + " redirects " + problem)
                                             .With("setting", settings_.address_setting)
                                             .Cure(std::move(cure))},
                   .is_definite = false,
                   .node = node};
  };
  const auto location = answer.Find("location");
  const auto target =
      location ? net::ResolveUrl(from.url + "/", *location) : std::optional<net::Url>();
  const auto base = net::ParseUrl(from.url);
  if (!target || !base) {
    return fail(ErrorCode::kBadData, "without saying where to",
                "see that the address is that of the server's API");
  }
  if (answer.status != 307 && answer.status != 308) {
    // Not how the server does it, so something before it wants another address.
    return fail(ErrorCode::kConfiguration,
                "(" + std::to_string(answer.status) + ") to " + target->Origin() +
                    "; nothing was sent there",
                "write that address in " + settings_.address_setting + " if it is the server's");
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
    saw_unknown_redirect_ = true;
    return fail(ErrorCode::kUnavailable,
                "to " + target->Origin() + ", which " + settings_.address_setting +
                    " does not name; nothing was sent there",
                "if that server belongs to the cluster, add its address to " +
                    settings_.address_setting + ", with a comma before it");
  }
  net::Attempt made =
      redirected_.Send(Compose(request, {.url = *cluster_base}), call.deadline, call.stop, attempt);
  if (made.result && IsRedirect(made.result->status)) {
    return fail(ErrorCode::kUnavailable, "to " + target->Origin() + ", which redirects again",
                "wait until the cluster has a leader");
  }
  return Judge(std::move(made), request, node);
}

}  // namespace qarion::secrets::vault
