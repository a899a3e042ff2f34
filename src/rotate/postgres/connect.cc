#include "rotate/postgres/connect.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "core/secret_memory.h"
#include "rotate/postgres/connect_error.h"
#include "rotate/postgres/host_list.h"

namespace qarion::secrets::rotate::postgres {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kConnectTimeout{10};
constexpr char kApplication[] = "qsecrets rotate";

struct Default {
  const char* keyword;
  const char* value;
};
// What stands nowhere is set so: a server that is gone is noticed within half a minute.
constexpr std::array kDefaults = {
    Default{"connect_timeout", "10"},     Default{"keepalives_idle", "10"},
    Default{"keepalives_interval", "5"},  Default{"keepalives_count", "3"},
    Default{"tcp_user_timeout", "30000"},
};

struct FinishConnection {
  void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};
using ConnectionHandle = std::unique_ptr<PGconn, FinishConnection>;

struct FreeOptions {
  void operator()(PQconninfoOption* options) const noexcept {
    for (const PQconninfoOption* option = options; option && option->keyword; ++option) {
      // The passwords among them: libpq shows these as stars.
      if (option->val != nullptr && option->dispchar[0] == '*') {
        core::Wipe(option->val, std::string_view(option->val).size());
      }
    }
    PQconninfoFree(options);
  }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

// Keywords and values, which are views that the caller keeps alive; the last one counts.
class Parameters {
 public:
  void Add(const char* keyword, const char* value) {
    keywords_.push_back(keyword);
    values_.push_back(value);
  }
  // The texts must outlive this. libpq takes empty ones for none, and keeps what was there before.
  void AddHosts(const HostList& hosts) {
    Add("host", hosts.host.c_str());
    Add("hostaddr", hosts.hostaddr.c_str());
    Add("port", hosts.port.c_str());
  }
  // Only one that is an operator's address may be taken apart: a name may hold a '=' too.
  ConnectionHandle Start(bool expands_dbname) const {
    auto keywords = keywords_;
    auto values = values_;
    keywords.push_back(nullptr);
    values.push_back(nullptr);
    return ConnectionHandle(
        PQconnectStartParams(keywords.data(), values.data(), expands_dbname ? 1 : 0));
  }

 private:
  std::vector<const char*> keywords_;
  std::vector<const char*> values_;
};

bool IsGiven(const Options& options, std::string_view keyword) {
  for (const PQconninfoOption* option = options.get(); option && option->keyword; ++option) {
    if (option->keyword == keyword) return option->val != nullptr && option->val[0] != '\0';
  }
  return false;
}

std::string ValueOf(const Options& options, std::string_view keyword) {
  for (const PQconninfoOption* option = options.get(); option && option->keyword; ++option) {
    if (option->keyword == keyword && option->val != nullptr) return option->val;
  }
  return {};
}

HostList HostsOf(PGconn* connection) {
  const Options options(PQconninfo(connection));
  return {ValueOf(options, "host"), ValueOf(options, "hostaddr"), ValueOf(options, "port")};
}

// What libpq would use for this address, of all its sources, without a connection being made: the
// host is one that fails at once.
Options EffectiveSettings(const std::string& address) {
  Parameters parameters;
  if (!address.empty()) parameters.Add("dbname", address.c_str());
  parameters.Add("host", "/dev/null");
  parameters.Add("passfile", "/dev/null/none");  // or it would be read, and complained about, twice
  return Options(PQconninfo(parameters.Start(true).get()));
}

std::chrono::seconds TimeoutOf(const Options& options) {
  const std::string text = ValueOf(options, "connect_timeout");
  int seconds = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || problem != std::errc() || *end != '\0') return kConnectTimeout;
  // As libpq has it: none where it is not positive, and never less than two seconds.
  return seconds <= 0 ? std::chrono::hours(24) : std::chrono::seconds(std::max(seconds, 2));
}

// Drives the connection to its end, good or bad. False: one host took longer than `timeout`.
bool Complete(PGconn* connection, std::chrono::seconds timeout) {
  std::string host;
  auto deadline = steady_clock::now() + timeout;
  for (auto next = PGRES_POLLING_WRITING;
       next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED && PQsocket(connection) >= 0;
       next = PQconnectPoll(connection)) {
    // Each host that an address names has a time of its own.
    std::string current =
        std::string(PQhost(connection)) + " " + PQhostaddr(connection) + " " + PQport(connection);
    if (current != host) {
      host = std::move(current);
      deadline = steady_clock::now() + timeout;
    }
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    pollfd waiting{PQsocket(connection),
                   static_cast<short>(next == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    const int ready = left <= 0 ? 0 : poll(&waiting, 1, static_cast<int>(left));
    if (ready == 0) return false;
    if (ready < 0 && errno != EINTR) return false;
  }
  return true;
}

struct Attempt {
  ConnectionHandle connection;
  bool is_timeout = false;
  HostList all_hosts;
};

Attempt TryOnce(const Parameters& parameters, std::chrono::seconds timeout, bool expands_dbname) {
  Attempt attempt{parameters.Start(expands_dbname)};
  if (!attempt.connection || PQstatus(attempt.connection.get()) == CONNECTION_BAD) return attempt;
  // So that what the server says has its SQLSTATE in it, which is the same in every language.
  PQsetErrorVerbosity(attempt.connection.get(), PQERRORS_VERBOSE);
  attempt.is_timeout = !Complete(attempt.connection.get(), timeout);
  return attempt;
}

// A host that does not answer is not the last one: libpq goes on by itself only where one refuses.
// Other addresses of the same name are not tried then.
Attempt Try(const Parameters& parameters, std::chrono::seconds timeout, bool expands_dbname) {
  Attempt attempt = TryOnce(parameters, timeout, expands_dbname);
  if (!attempt.connection) return attempt;
  const HostList all = HostsOf(attempt.connection.get());
  HostList left = all;
  while (attempt.is_timeout) {
    PGconn* const at = attempt.connection.get();
    const auto others = HostsAfter(left, {PQhost(at), PQhostaddr(at), PQport(at)});
    if (!others) break;
    left = *others;
    Parameters rest = parameters;
    rest.AddHosts(left);
    attempt = TryOnce(rest, timeout, expands_dbname);
  }
  attempt.all_hosts = all;
  return attempt;
}

bool IsMade(const Attempt& attempt) {
  return !attempt.is_timeout && PQstatus(attempt.connection.get()) == CONNECTION_OK;
}

}  // namespace

Result<std::unique_ptr<Connection>> Connect(const StoreAddress& address) {
  if (Status checked = CheckAddress(address.text); !checked) return std::move(checked).error();
  const Options settings = EffectiveSettings(address.text);
  Parameters parameters;
  for (const auto& [keyword, value] : kDefaults) {
    if (!IsGiven(settings, keyword)) parameters.Add(keyword, value);
  }
  parameters.Add("fallback_application_name", kApplication);
  if (!address.text.empty()) parameters.Add("dbname", address.text.c_str());
  parameters.Add("client_encoding", "UTF8");

  const auto timeout = TimeoutOf(settings);
  Attempt attempt = Try(parameters, timeout, true);
  bool is_ours = false;
  std::vector<char, core::SecretAllocator<char>> password(address.password.begin(),
                                                          address.password.end());
  password.push_back('\0');
  if (!IsMade(attempt) && !address.password.empty() &&
      PQconnectionNeedsPassword(attempt.connection.get()) != 0) {
    is_ours = true;
    parameters.Add("password", password.data());
    attempt = Try(parameters, timeout, true);
  }
  if (!IsMade(attempt)) {
    return ConnectError(attempt.connection.get(), {.is_timeout = attempt.is_timeout,
                                                   .timeout = timeout,
                                                   .is_password_ours = is_ours,
                                                   .has_password = IsGiven(settings, "password")});
  }
  return std::make_unique<Connection>(attempt.connection.release(), std::move(attempt.all_hosts));
}

Result<std::unique_ptr<Connection>> ConnectLike(const Connection& model, SameServer same_server,
                                                std::optional<std::chrono::seconds> most) {
  const Options settings(PQconninfo(model.get()));
  Parameters parameters;
  for (const PQconninfoOption* option = settings.get(); option && option->keyword; ++option) {
    if (option->val != nullptr) parameters.Add(option->keyword, option->val);
  }
  if (same_server == SameServer::kYes) {
    parameters.Add("host", PQhost(model.get()));
    parameters.Add("hostaddr", PQhostaddr(model.get()));
    parameters.Add("port", PQport(model.get()));
  } else {
    parameters.AddHosts(model.all_hosts());
  }
  auto timeout = TimeoutOf(settings);
  if (most) timeout = std::min(timeout, *most);
  Attempt attempt = Try(parameters, timeout, false);
  if (!IsMade(attempt)) {
    return ConnectError(attempt.connection.get(), {.is_timeout = attempt.is_timeout,
                                                   .timeout = timeout,
                                                   .has_password = IsGiven(settings, "password")});
  }
  return std::make_unique<Connection>(attempt.connection.release(), model.all_hosts());
}

std::string Describe(const Connection& connection) {
  const PGconn* handle = connection.get();
  const char* version = PQparameterStatus(handle, "server_version");
  // "15.18 (Debian 15.18-0+deb12u1)"
  std::string number = version == nullptr ? "" : version;
  number = number.substr(0, number.find(' '));
  std::string place = PQhost(handle);
  if (!place.starts_with('/')) place += std::string(":") + PQport(handle);
  return "PostgreSQL " + number + ", database " + PQdb(handle) + " at " + place;
}

}  // namespace qarion::secrets::rotate::postgres
