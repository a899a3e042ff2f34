#include "rotate/postgres/connect_error.h"

#include <libpq-fe.h>

#include <array>
#include <cctype>
#include <memory>
#include <string_view>
#include <utility>

#include "rotate/postgres/errors.h"

namespace qarion::secrets::rotate::postgres {
namespace {

constexpr std::string_view kLocation = "LOCATION: ";

bool IsStateCharacter(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); }

// Of "... FATAL:  28P01: password ...": what the server says begins so in every language. The first
// of several counts: after a refusal over TLS, libpq asks once more without.
std::string_view StateIn(std::string_view message) {
  constexpr std::size_t kLength = 5;
  for (std::size_t at = message.find(": "); at != std::string_view::npos;
       at = message.find(": ", at + 1)) {
    if (at <= kLength || message[at - kLength - 1] != ' ') continue;
    const std::string_view state = message.substr(at - kLength, kLength);
    bool is_state = state.find_first_of("0123456789") != std::string_view::npos;
    for (const char c : state) is_state = is_state && IsStateCharacter(c);
    if (is_state) return state;
  }
  return {};
}

// Without the place in the server's source, and without the SQLSTATE.
std::string Shown(std::string_view message, std::string_view state) {
  std::string text(message.substr(0, message.find(kLocation)));
  if (!state.empty()) {
    const std::string part = std::string(state) + ": ";
    if (const auto at = text.find(part); at != std::string::npos) text.erase(at, part.size());
  }
  return OneLine(text);
}

std::string Server(const PGconn* connection) {
  const std::string host = PQhost(connection);
  return host.starts_with('/') ? host : host + ":" + PQport(connection);
}

std::string PasswordSource(const PGconn* connection, const Circumstances& circumstances) {
  if (circumstances.is_password_ours) return "the password is POSTGRES_PASSWORD of the backend";
  if (circumstances.has_password) {
    return "the password comes from the address, PGPASSWORD or a service file";
  }
  if (const char* password = PQpass(connection); password != nullptr && password[0] != '\0') {
    return "the password comes from the password file (PGPASSFILE, ~/.pgpass)";
  }
  return "no password was given";
}

Error Refused(const PGconn* connection, std::string_view state, const std::string& message,
              const Circumstances& circumstances) {
  const std::string user = PQuser(connection);
  if (state == "28P01") {
    return Error(ErrorCode::kNotPermitted, "the database at " + Server(connection) +
                                               " does not accept the password of the role " + user +
                                               "; " + PasswordSource(connection, circumstances))
        .Cure("correct the password there, or name another role in the address or with PGUSER");
  }
  if (state.starts_with("28")) {
    return Error(ErrorCode::kNotPermitted, message)
        .Cure("let the role " + user + " log in from here: see pg_hba.conf of the server");
  }
  if (state == "3D000") {
    return Error(ErrorCode::kConfiguration, message)
        .Cure("name a database that exists, in the address or with PGDATABASE");
  }
  if (state == "42501" || state == "55000") {
    return Error(ErrorCode::kNotPermitted, message)
        .Cure("let the role " + user + " connect to this database");
  }
  return Error(ErrorCode::kUnavailable, message)
      .Cure("wait until the server accepts connections, then run it again");
}

struct ConnectFailure {
  std::string_view words;  // in what libpq says
  ErrorCode code;
  const char* cure;
};
constexpr std::array kConnectFailures = {
    ConnectFailure{
        "definition of service", ErrorCode::kConfiguration,
        "name a service that stands in ~/.pg_service.conf, or in the file that PGSERVICEFILE "
        "names"},
    ConnectFailure{"service file", ErrorCode::kConfiguration, "mend the service file"},
    ConnectFailure{
        "certificate verify failed", ErrorCode::kConfiguration,
        "set sslrootcert (PGSSLROOTCERT) to the certificate of the authority that signed the "
        "server's"},
    ConnectFailure{
        "root certificate file", ErrorCode::kConfiguration,
        "set sslrootcert (PGSSLROOTCERT) to the certificate of the authority that signed the "
        "server's"},
    ConnectFailure{"does not match host name", ErrorCode::kConfiguration,
                   "name the server as its certificate does"},
    ConnectFailure{
        "server does not support SSL", ErrorCode::kConfiguration,
        "turn TLS on in the server, or, where the network may be trusted, set sslmode (PGSSLMODE)"},
    ConnectFailure{"certificate", ErrorCode::kConfiguration,
                   "see sslcert, sslkey and sslrootcert in the address, or PGSSLCERT, PGSSLKEY, "
                   "PGSSLROOTCERT"},
    ConnectFailure{"private key file", ErrorCode::kConfiguration, "see sslkey, or PGSSLKEY"},
    ConnectFailure{"could not translate host name", ErrorCode::kUnavailable,
                   "name a host that exists, in the address or with PGHOST"},
    ConnectFailure{
        "no password supplied", ErrorCode::kNotPermitted,
        "give the password: PGPASSWORD, a password file, or POSTGRES_PASSWORD in the backend"},
    ConnectFailure{
        "Connection refused", ErrorCode::kUnavailable,
        "see whether the server runs and listens there; host and port come from the address, "
        "PGHOST and PGPORT"},
    ConnectFailure{
        "No such file or directory", ErrorCode::kUnavailable,
        "see whether the server runs and has its socket there; name its host in the address or "
        "with PGHOST"},
    ConnectFailure{"invalid", ErrorCode::kConfiguration, "correct the setting that is named"},
};

}  // namespace

Status CheckAddress(const std::string& address) {
  const std::size_t scheme = address.find("://");
  if (scheme != std::string::npos && address.find('=') > scheme) {
    const std::string name = address.substr(0, scheme);
    bool is_name = name.size() <= 32;
    for (const char c : name) {
      is_name =
          is_name && (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-');
    }
    if (name != "postgresql" && name != "postgres") {
      return Error(ErrorCode::kConfiguration,
                   "the address of the database begins with " +
                       (is_name ? "'" + name + "://'" : std::string("a scheme")) +
                       ", which is none of PostgreSQL's")
          .Cure("write it as postgresql://user@host:port/database");
    }
  }
  if (address.find('\0') != std::string::npos) {
    return Error(ErrorCode::kConfiguration, "the address of the database holds a NUL byte")
        .Cure("take it away");
  }
  if (scheme == std::string::npos && address.find('=') == std::string::npos) return {};
  char* problem = nullptr;
  PQconninfoOption* options = PQconninfoParse(address.c_str(), &problem);
  const bool is_good = options != nullptr;
  PQconninfoFree(options);
  PQfreemem(problem);  // it quotes the address
  if (is_good) return {};
  return Error(ErrorCode::kConfiguration,
               "the address of the database is neither a URL nor a connection string that libpq "
               "can read")
      .Cure(scheme != std::string::npos
                ? "write it as postgresql://user@host:port/database?setting=value; in a password "
                  "percent-encode what is neither a letter nor a digit"
                : "write it as \"host=... dbname=... user=...\"; put values with blanks between "
                  "single quotes");
}

Error ConnectError(const pg_conn* connection, const Circumstances& circumstances) {
  if (connection == nullptr) {
    return Error(ErrorCode::kUnavailable, "there is no memory for a connection to the database");
  }
  if (circumstances.is_timeout) {
    return Error(ErrorCode::kUnavailable, "the database at " + Server(connection) +
                                              " does not answer within " +
                                              std::to_string(circumstances.timeout.count()) + " s")
        .Cure(
            "see whether host and port are right, and whether a firewall is between; "
            "connect_timeout (PGCONNECT_TIMEOUT) gives it more time");
  }
  const std::string text = PQerrorMessage(connection);
  const std::string_view state = StateIn(text);
  const std::string message = "no connection to the database: " + Shown(text, state);
  if (!state.empty()) return Refused(connection, state, message, circumstances);
  for (const ConnectFailure& failure : kConnectFailures) {
    if (text.find(failure.words) == std::string::npos) continue;
    return Error(failure.code, message).Cure(failure.cure);
  }
  return Error(ErrorCode::kUnavailable, message)
      .Cure("see whether the server runs and whether its address is right");
}

}  // namespace qarion::secrets::rotate::postgres
