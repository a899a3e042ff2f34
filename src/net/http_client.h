// Sends one HTTP request and returns one answer: no redirects, no retries, no cookies.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "net/http.h"
#include "net/retry.h"
#include "net/tls_settings.h"
#include "qarion/secrets/clock.h"

namespace qarion::secrets::net {

class ConnectionPool;

struct ProxySettings {
  // Used for every host but those of metadata services. Where it is empty, HTTPS_PROXY, http_proxy
  // and NO_PROXY say what to do, except for this machine's own addresses.
  Secret url;           // may hold a password
  std::string setting;  // that it is from, for errors
};

struct HttpLimits {
  std::chrono::milliseconds connect_timeout{10'000};  // with name resolution and TLS
  std::chrono::seconds stall_timeout{10};             // without a byte a second
  std::size_t header_bytes = std::size_t{64} * 1024;
  std::size_t body_bytes = std::size_t{8} * 1024 * 1024;
};

struct HttpClientOptions {
  TlsSettings tls = {};
  ProxySettings proxy = {};
  bool uses_proxy = true;  // false: for no host, whatever `proxy` and the environment say
  HttpLimits limits = {};
  std::string unix_socket = {};  // to connect to instead of the URL's host
  // HTTP/2 where the server offers it. Its compression keeps request headers, so also credentials,
  // in ordinary memory for as long as the connection lives.
  bool allows_http2 = true;
  std::string user_agent = "qarion-secrets";
  // Receives a line for each exchange: method, host, path, status or failure, time, attempt; never
  // headers, query or body.
  std::function<void(std::string_view)> trace = {};
};

// How the metadata services of clouds are asked: never through a proxy, and for no more than
// documents of 64 KiB.
HttpClientOptions MetadataServiceOptions(std::function<void(std::string_view)> trace);

// Keeps connections open for later requests; each is used by one request at a time. Not to be used
// in a forked child of the process that made it.
//
// Thread-safety: Send from several threads.
class HttpClient {
 public:
  explicit HttpClient(HttpClientOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Every answer is a success here, whatever its status. Errors name host and cause, never more of
  // the request. kUnavailable: no answer, a cut or late one, or stopped. kConfiguration: the URL, a
  // header's name or value, or a file of the TLS settings cannot be used, or the server is not to
  // be trusted. kBadData: not HTTP, compressed, or larger than the limits,
  // but with a status of 5xx kUnavailable.
  Attempt Send(const HttpRequest& request, Clock::SteadyTime deadline,
               const std::stop_token& stop = {}, int attempt = 1);

 private:
  class Exchange;

  const HttpClientOptions options_;
  const std::unique_ptr<ConnectionPool> pool_;
};

}  // namespace qarion::secrets::net
