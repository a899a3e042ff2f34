#include "net/http_client.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "core/secret_memory.h"
#include "core/system_clock.h"
#include "net/connection_pool.h"
#include "net/curl_memory.h"
#include "net/header_reader.h"
#include "net/tls_failure.h"
#include "net/url.h"

namespace qarion::secrets::net {
namespace {

constexpr long kMostRedirects = 0;
constexpr int kPollMilliseconds = 1000;
// Where clouds answer questions about a machine: never through a proxy, which would be another one.
constexpr std::array<std::string_view, 6> kMetadataHosts = {
    "169.254.169.254", "169.254.170.2",  "169.254.170.23",
    "[fd00:ec2::254]", "[fd00:ec2::23]", "metadata.google.internal"};

bool IsBeforeConnection(CURLcode code) {
  return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_PROXY;
}

CURLcode PrepareTls(CURL*, void* context, void* connection) {
  auto* const tls = static_cast<SSL_CTX*>(context);
  SSL_CTX_set_options(tls, SSL_OP_CLEANSE_PLAINTEXT);
  static_cast<CurlConnection*>(connection)->alert.Watch(tls);
  return CURLE_OK;
}

// As libcurl does it, but not for programs that this process starts. `error` is an int.
curl_socket_t OpenSocket(void* error, curlsocktype, curl_sockaddr* address) {
  const int made = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (made < 0) *static_cast<int*>(error) = errno;
  return made;
}

}  // namespace

class HttpClient::Exchange {
 public:
  Exchange(const HttpClientOptions& options, const HttpRequest& request, CurlConnection& connection)
      : options_(options),
        request_(request),
        easy_(connection.easy),
        multi_(connection.multi),
        connection_(connection),
        headers_(options.limits.header_bytes) {
    curl_easy_reset(easy_);
    connection_.alert.Forget();
    error_text_[0] = '\0';
  }

  // Afterwards the handle points to nothing of this object any more.
  ~Exchange() { curl_easy_reset(easy_); }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // What cannot be sent, if anything.
  Status Prepare() {
    const auto parts = ParseUrl(request_.url);
    if (!parts) {
      return Error(ErrorCode::kConfiguration,
                   "the address of a request is not an http or https URL")
          .Cure("write it as https://host:port, without user, password or fragment");
    }
    parts_ = *parts;
    if (!IsHeaderName(request_.method)) {
      return Error(ErrorCode::kInternal, "the method of a request is not a token");
    }
    SetTransfer();
    if (Status set = SetTls(); !set) return set;
    SetProxy();
    SetMethodAndBody();
    return SetHeaders();
  }

  Attempt Run(Clock::SteadyTime deadline, const std::stop_token& stop) {
    const auto begin = core::SystemClock().SteadyNow();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - begin);
    if (left.count() <= 0) {
      return {.result = Unavailable("there is no time left"), .timed_out = true, .was_sent = false};
    }
    Set(CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
    const CURLcode code = Perform(stop);
    response_.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
        core::SystemClock().SteadyNow() - begin);
    if (code != CURLE_OK) {
      return {.result = ErrorOf(code, stop),
              .timed_out = code == CURLE_OPERATION_TIMEDOUT,
              .was_sent = WasSent()};
    }
    // libcurl takes an answer that is cut off in its headers for a whole one.
    if (!headers_.is_complete()) {
      return {Unavailable("ended its answer before the headers were complete")};
    }
    response_.headers = std::move(headers_).Release();
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    if (const auto encoding = response_.Find("content-encoding");
        encoding && *encoding != "identity") {
      return {BadData("compressed its answer though nobody asked for that")};
    }
    if (!HasKnownEnd()) return {Unavailable("did not say where its answer ends")};
    response_.body = std::move(body_).Seal();
    return {std::move(response_)};
  }

  std::string Trace(const Attempt& made, int attempt) const {
    const std::string outcome = made.result ? std::to_string(made.result->status)
                                            : std::string(ToString(made.result.error().code()));
    return "http: " + request_.method + " " + parts_.host + ":" + parts_.port + " " +
           (request_.is_path_secret ? "/***" : parts_.path) + " -> " + outcome + ", " +
           std::to_string(response_.elapsed.count()) + " ms, attempt " + std::to_string(attempt);
  }

 private:
  template <typename Value>
  void Set(CURLoption option, Value value) {
    curl_easy_setopt(easy_, option, value);
  }
  // Over TLS an answer must not end with the connection: anybody on the way can end that, and this
  // version of libcurl does not ask whether the server did.
  bool HasKnownEnd() const {
    long version = 0;
    curl_easy_getinfo(easy_, CURLINFO_HTTP_VERSION, &version);
    return parts_.scheme != "https" || body_.size() == 0 || version >= CURL_HTTP_VERSION_2_0 ||
           response_.Find("content-length") || response_.Find("transfer-encoding");
  }

  // Whether any of the request left: nothing is sent before the connection stands.
  bool WasSent() const {
    curl_off_t microseconds = 0;
    curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &microseconds);
    return microseconds > 0;
  }

  void SetText(CURLoption option, const std::string& text) {
    if (!text.empty()) Set(option, text.c_str());
  }

  // The bytes outlive the exchange.
  void SetBlob(CURLoption option, std::string_view bytes) {
    if (bytes.empty()) return;
    curl_blob blob{
        .data = const_cast<char*>(bytes.data()), .len = bytes.size(), .flags = CURL_BLOB_NOCOPY};
    curl_easy_setopt(easy_, option, &blob);
  }

  void SetTransfer() {
    Set(CURLOPT_URL, request_.url.c_str());
    Set(CURLOPT_PATH_AS_IS, 1L);
    Set(CURLOPT_PROTOCOLS_STR, "http,https");
    Set(CURLOPT_FOLLOWLOCATION, kMostRedirects);
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_QUICK_EXIT, 1L);  // not to wait for a name server beyond the deadline
    Set(CURLOPT_HTTP_VERSION,
        static_cast<long>(options_.allows_http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    Set(CURLOPT_HTTP09_ALLOWED, 0L);
    Set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.limits.connect_timeout.count()));
    Set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    Set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.limits.stall_timeout.count()));
    Set(CURLOPT_ERRORBUFFER, error_text_.data());
    Set(CURLOPT_OPENSOCKETFUNCTION, &OpenSocket);
    Set(CURLOPT_OPENSOCKETDATA, &socket_error_);
    if (!request_.is_repeatable) Set(CURLOPT_FRESH_CONNECT, 1L);
    SetText(CURLOPT_UNIX_SOCKET_PATH, options_.unix_socket);
    SetText(CURLOPT_USERAGENT, options_.user_agent);
    Set(CURLOPT_WRITEFUNCTION, &Exchange::TakeBody);
    Set(CURLOPT_WRITEDATA, this);
    Set(CURLOPT_HEADERFUNCTION, &Exchange::TakeHeader);
    Set(CURLOPT_HEADERDATA, this);
  }

  Status SetTls() {
    const TlsSettings& tls = options_.tls;
    if (Status usable = tls.CheckFiles(); !usable) return usable;
    Set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    Set(CURLOPT_SSL_VERIFYPEER, tls.is_verified ? 1L : 0L);
    Set(CURLOPT_SSL_VERIFYHOST, tls.is_verified ? 2L : 0L);
    Set(CURLOPT_SSL_CTX_FUNCTION, &PrepareTls);
    Set(CURLOPT_SSL_CTX_DATA, &connection_);
    if (!tls.ca_file.empty() || !tls.ca_text.empty()) {
      // Alone, not beside the system's.
      Set(CURLOPT_CAINFO, nullptr);
      Set(CURLOPT_CAPATH, nullptr);
      if (!tls.ca_file.empty()) {
        SetText(CURLOPT_CAINFO, tls.ca_file);
      } else {
        SetBlob(CURLOPT_CAINFO_BLOB, tls.ca_text);
      }
    }
    SetText(CURLOPT_SSLCERT, tls.certificate_file);
    SetText(CURLOPT_SSLKEY, tls.key_file);
    SetBlob(CURLOPT_SSLCERT_BLOB, tls.certificate_text);
    SetBlob(CURLOPT_SSLKEY_BLOB, tls.key_text.Reveal());
    Set(CURLOPT_KEYPASSWD, "");  // OpenSSL would ask at the terminal
    if (tls.server_name.empty()) return {};
    // The name of the URL is what is asked for and verified; the connection goes where it went.
    const auto url = WithHost(request_.url, tls.server_name);
    if (!url) {
      return Error(ErrorCode::kConfiguration, "the server's name for TLS is no name of a host")
          .Cure("write the name in the server's certificate, without a port");
    }
    url_ = *url;
    Set(CURLOPT_URL, url_.c_str());
    connect_to_text_ = "::" + parts_.host + ":" + parts_.port;
    connect_to_ = {connect_to_text_.data(), nullptr};
    Set(CURLOPT_CONNECT_TO, &connect_to_);
    return {};
  }

  void SetProxy() {
    if (!options_.uses_proxy ||
        std::ranges::find(kMetadataHosts, parts_.host) != kMetadataHosts.end()) {
      Set(CURLOPT_NOPROXY, "*");
    } else if (!options_.proxy.url.empty()) {
      proxy_ = Terminated({options_.proxy.url.Reveal()});
      Set(CURLOPT_PROXY, proxy_.Reveal().data());
      Set(CURLOPT_NOPROXY, "");
    } else if (IsLoopback(parts_)) {
      Set(CURLOPT_NOPROXY, "*");  // a proxy's own loopback would be another machine
    }
  }

  void SetMethodAndBody() {
    const std::string_view body = request_.body.Reveal();
    if (!body.empty() || request_.method == "POST" || request_.method == "PUT") {
      Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
      Set(CURLOPT_POSTFIELDS, body.empty() ? "" : body.data());
    }
    if (request_.method == "HEAD") Set(CURLOPT_NOBODY, 1L);
    Set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }

  // A list that points into secret memory: libcurl's own would copy each line into other memory.
  Status SetHeaders() {
    bool has_content_type = false;
    for (const HttpHeader& header : request_.headers) {
      if (!IsHeaderName(header.name) || !IsHeaderValue(header.value.Reveal())) {
        return Error(ErrorCode::kConfiguration,
                     "a header of a request cannot be sent: its name or value has a character that "
                     "headers do not have")
            .Cure("remove line breaks and other control characters from the settings");
      }
      has_content_type = has_content_type || header.name == "Content-Type";
      AddLine(header.name + (header.value.empty() ? ";" : ": "), header.value.Reveal());
    }
    AddLine("Expect:", "");
    if (!has_content_type) AddLine("Content-Type:", "");
    if (!options_.tls.server_name.empty()) AddLine("Host: ", parts_.host + ":" + parts_.port);
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      // libcurl does not write to it.
      list_.push_back({const_cast<char*>(lines_[i].Reveal().data()), nullptr});
    }
    for (std::size_t i = 0; i + 1 < list_.size(); ++i) list_[i].next = &list_[i + 1];
    Set(CURLOPT_HTTPHEADER, list_.data());
    return {};
  }

  void AddLine(std::string_view name, std::string_view value) {
    lines_.push_back(Terminated({name, value}));
  }

  // The parts as one text with a zero byte at its end.
  static Secret Terminated(std::initializer_list<std::string_view> parts) {
    SecretBuffer text;
    for (const std::string_view part : parts) text.Append(part);
    text.Append('\0');
    return std::move(text).Seal();
  }

  CURLcode Perform(const std::stop_token& stop) {
    curl_multi_add_handle(multi_, easy_);
    CURLcode code = CURLE_OK;
    {
      const std::stop_callback wake(stop, [this] { curl_multi_wakeup(multi_); });
      code = Drive(stop);
    }
    curl_multi_remove_handle(multi_, easy_);
    return code;
  }

  CURLcode Drive(const std::stop_token& stop) {
    for (;;) {
      int running = 0;
      if (curl_multi_perform(multi_, &running) != CURLM_OK) return CURLE_FAILED_INIT;
      int in_queue = 0;
      while (const CURLMsg* message = curl_multi_info_read(multi_, &in_queue)) {
        if (message->msg == CURLMSG_DONE) return message->data.result;
      }
      if (stop.stop_requested()) return CURLE_ABORTED_BY_CALLBACK;
      core::WipeTraces();  // of what was sent: a wait may be long
      if (curl_multi_poll(multi_, nullptr, 0, kPollMilliseconds, nullptr) != CURLM_OK) {
        return CURLE_FAILED_INIT;
      }
    }
  }

  static std::size_t TakeBody(const char* bytes, std::size_t, std::size_t size, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    if (size > exchange.options_.limits.body_bytes - exchange.body_.size()) {
      exchange.refusal_ = "is longer than the limit";
      return CURL_WRITEFUNC_ERROR;
    }
    exchange.body_.Append({bytes, size});
    return size;
  }

  static std::size_t TakeHeader(const char* bytes, std::size_t, std::size_t size, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    if (exchange.headers_.Take({bytes, size})) return size;
    exchange.refusal_ = "has headers longer than the limit";
    return CURL_WRITEFUNC_ERROR;
  }

  std::string Where() const {
    if (!options_.unix_socket.empty()) return "unix://" + options_.unix_socket;
    return parts_.host + ":" + parts_.port;
  }

  // Of what no server can be blamed for.
  std::optional<Error> LocalError(CURLcode code) const {
    if (socket_error_ == EMFILE || socket_error_ == ENFILE) {
      return Error(ErrorCode::kUnavailable,
                   Where() + ": no connection, because too many files are open here")
          .Cure("raise the limit on open files (ulimit -n, LimitNOFILE=)");
    }
    if (IsBeforeConnection(code) && !proxy_.empty()) {
      return Error(ErrorCode::kUnavailable, Where() + ": the proxy that " + options_.proxy.setting +
                                                " names cannot be reached, or does not get through")
          .With("setting", options_.proxy.setting)
          .Cure("see that the proxy runs and may connect to the server");
    }
    return std::nullopt;
  }

  // What libcurl says. Its longer text, where there is one, names hosts, files and certificates
  // only; of a socket's file it names a port that nobody wrote.
  std::string Text(CURLcode code) const {
    if (!options_.unix_socket.empty() && code == CURLE_COULDNT_CONNECT) {
      long error = 0;
      curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &error);
      return std::string("no connection to that socket") +
             (error == 0 ? "" : ": " + std::string(std::strerror(static_cast<int>(error))));
    }
    // Where there is no connection, it was another one that ended.
    if (auto alert = connection_.alert.Text(); alert && !IsBeforeConnection(code)) {
      return "the server ended TLS: " + *std::move(alert);
    }
    return error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(code);
  }

  Error Unavailable(std::string_view problem) const {
    return Error(ErrorCode::kUnavailable, Where() + ": " + std::string(problem))
        .With("host", parts_.host)
        .Cure("see that the server runs and can be reached from here");
  }
  // What cannot be read of a server that fails anyway is its failure.
  Error BadData(std::string_view problem) const {
    constexpr long kLeastFailure = 500;
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    return Error(status >= kLeastFailure ? ErrorCode::kUnavailable : ErrorCode::kBadData,
                 Where() + " " + std::string(problem))
        .With("host", parts_.host)
        .Cure("see that the address is that of the store's API and not of something before it");
  }

  Error ErrorOf(CURLcode code, const std::stop_token& stop) const {
    if (stop.stop_requested()) return Unavailable("nobody waits for the answer any more");
    if (refusal_ != nullptr) {
      return BadData(std::string("sent an answer that ") + refusal_);
    }
    // Of proxies the longer text may show the address with a password in it.
    if (std::string_view(error_text_.data()).find("proxy scheme") != std::string_view::npos) {
      return Error(ErrorCode::kConfiguration,
                   Where() +
                       ": the address of the proxy begins with a scheme that is none of a "
                       "proxy")
          .With("host", parts_.host)
          .Cure("let https_proxy and the like begin with http://, https:// or socks5://");
    }
    if (code == CURLE_COULDNT_RESOLVE_PROXY) {
      return Error(ErrorCode::kUnavailable, Where() + ": the proxy's name does not resolve")
          .With("host", parts_.host)
          .Cure("see the settings of the proxy, also https_proxy and the like, and of NO_PROXY");
    }
    if (auto local = LocalError(code)) return std::move(*local);
    const std::string text = Text(code);
    if (auto cure = TlsCure(code, text, options_.tls)) {
      return Error(ErrorCode::kConfiguration, Where() + ": " + text)
          .With("host", parts_.host)
          .Cure(std::move(*cure));
    }
    switch (code) {
      // Memory does not run out here; this version says so of a line beyond its own limit.
      case CURLE_OUT_OF_MEMORY:
        return BadData("sent an answer that has headers longer than the limit");
      case CURLE_WEIRD_SERVER_REPLY:
      case CURLE_UNSUPPORTED_PROTOCOL: return BadData("does not answer in HTTP: " + text);
      default: return Unavailable(text);
    }
  }

  const HttpClientOptions& options_;
  const HttpRequest& request_;
  CURL* const easy_;
  CURLM* const multi_;
  CurlConnection& connection_;
  Url parts_;
  std::string url_;
  Secret proxy_;
  std::string connect_to_text_;
  curl_slist connect_to_{};
  std::vector<Secret> lines_;
  std::vector<curl_slist> list_;
  std::array<char, CURL_ERROR_SIZE> error_text_;
  int socket_error_ = 0;  // of the system, where it gave no socket
  HeaderReader headers_;
  SecretBuffer body_;
  HttpResponse response_;
  const char* refusal_ = nullptr;  // what a limit of ours found wrong with the answer
};

HttpClient::HttpClient(HttpClientOptions options)
    : options_(std::move(options)), pool_(std::make_unique<ConnectionPool>()) {
  InitializeCurl();
}

HttpClient::~HttpClient() = default;

Attempt HttpClient::Send(const HttpRequest& request, Clock::SteadyTime deadline,
                         const std::stop_token& stop, int attempt) {
  auto connection = pool_->Take(options_.tls.FilesStamp());
  Attempt made = [&]() -> Attempt {
    Exchange exchange(options_, request, *connection);
    if (Status prepared = exchange.Prepare(); !prepared) {
      return {.result = std::move(prepared).error(), .was_sent = false};
    }
    Attempt result = exchange.Run(deadline, stop);
    if (options_.trace) options_.trace(exchange.Trace(result, attempt));
    return result;
  }();
  pool_->PutBack(std::move(connection));
  return made;
}

HttpClientOptions MetadataServiceOptions(std::function<void(std::string_view)> trace) {
  constexpr std::size_t kLongestDocument = std::size_t{64} * 1024;
  return {.uses_proxy = false,
          .limits = {.body_bytes = kLongestDocument},
          .allows_http2 = false,
          .trace = std::move(trace)};
}

}  // namespace qarion::secrets::net
