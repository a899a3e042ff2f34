#include "net/http_client.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "core/secret_memory.h"
#include "core/system_clock.h"
#include "net/url.h"

namespace qarion::secrets::net {
namespace {

constexpr long kMostRedirects = 0;
constexpr int kPollMilliseconds = 1000;
// Where clouds answer questions about a machine: never through a proxy, which would be another one.
constexpr std::array<std::string_view, 5> kMetadataHosts = {"169.254.169.254", "169.254.170.2",
                                                            "169.254.170.23", "[fd00:ec2::254]",
                                                            "metadata.google.internal"};

// RFC 9110, 5.6.2.
bool IsTokenByte(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         kMarks.find(c) != std::string_view::npos;
}
bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenByte);
}

// RFC 9110, 5.5, without obs-text at the ends of names nobody needs: no byte that could end a line.
bool IsFieldValue(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

char AsciiLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view TrimBlanks(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// libcurl keeps requests and answers in buffers of its own, so it gets its memory from where
// secrets are kept. The size stands before each block, because free() is not told.
struct alignas(16) BlockHeader {
  std::size_t size;
};

void* AllocateForCurl(std::size_t size) {
  auto* header = static_cast<BlockHeader*>(core::AllocateSecretMemory(sizeof(BlockHeader) + size));
  header->size = size;
  return header + 1;
}
void ReleaseForCurl(void* memory) {
  if (memory == nullptr) return;
  BlockHeader* header = static_cast<BlockHeader*>(memory) - 1;
  core::ReleaseSecretMemory(header, sizeof(BlockHeader) + header->size);
}
void* ReallocateForCurl(void* memory, std::size_t size) {
  if (memory == nullptr) return AllocateForCurl(size);
  const std::size_t old_size = (static_cast<BlockHeader*>(memory) - 1)->size;
  void* larger = AllocateForCurl(size);
  core::CopySecretBytes(larger, memory, std::min(size, old_size));
  ReleaseForCurl(memory);
  return larger;
}
char* DuplicateForCurl(const char* text) {
  const std::size_t size = std::strlen(text) + 1;
  auto* copy = static_cast<char*>(AllocateForCurl(size));
  core::CopySecretBytes(copy, text, size);
  return copy;
}
void* AllocateZeroesForCurl(std::size_t count, std::size_t size) {
  void* memory = AllocateForCurl(count * size);
  std::fill_n(static_cast<char*>(memory), count * size, '\0');
  return memory;
}

void InitializeCurl() {
  // Thread-safe in this version, and undone by nobody: other code may use the library too. Where it
  // did so before, libcurl keeps the memory it has.
  static const CURLcode initialized =
      curl_global_init_mem(CURL_GLOBAL_DEFAULT, AllocateForCurl, ReleaseForCurl, ReallocateForCurl,
                           DuplicateForCurl, AllocateZeroesForCurl);
  static_cast<void>(initialized);
}

CURLcode CleansePlaintext(CURL*, void* context, void*) {
  SSL_CTX_set_options(static_cast<SSL_CTX*>(context), SSL_OP_CLEANSE_PLAINTEXT);
  return CURLE_OK;
}

// Failures of TLS that no further try mends, by what OpenSSL says of them: libcurl gives several of
// them the codes of broken connections, above all where TLS 1.3 lets the server refuse our
// certificate after the handshake.
struct TlsRefusal {
  std::string_view said;
  std::string_view cure;
};
constexpr TlsRefusal kTlsRefusals[] = {
    {"certificate required", "name a client certificate and its key: the server demands one"},
    {"handshake failure", "the server demands a client certificate, or other TLS settings"},
    {"alert unknown ca", "use a client certificate that the server's authority signed"},
    {"alert bad certificate", "use a client certificate that the server accepts"},
    {"alert certificate expired", "renew the client certificate"},
    {"alert certificate revoked", "renew the client certificate"},
    {"alert certificate unknown", "use a client certificate that the server accepts"},
    {"alert protocol version", "let the server speak TLS 1.2 or 1.3"},
    {"wrong version number", "write http:// if the server does not speak TLS at this port"},
};

const TlsRefusal* FindTlsRefusal(std::string_view text) {
  const auto found = std::ranges::find_if(kTlsRefusals, [&](const TlsRefusal& refusal) {
    return text.find(refusal.said) != std::string_view::npos;
  });
  return found == std::end(kTlsRefusals) ? nullptr : found;
}

bool IsAboutTrust(CURLcode code) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CRL_BADFILE: return true;
    default: return false;
  }
}

}  // namespace

TlsSettings TlsSettings::Share() const {
  return {.ca_file = ca_file,
          .ca_text = ca_text,
          .ca_directory = ca_directory,
          .certificate_file = certificate_file,
          .key_file = key_file,
          .certificate_text = certificate_text,
          .key_text = key_text.Share(),
          .server_name = server_name,
          .is_verified = is_verified};
}

// One connection's worth of libcurl.
class HttpClient::Pool {
 public:
  struct Entry {
    CURLM* multi = curl_multi_init();
    CURL* easy = curl_easy_init();
    Entry() = default;
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry() {
      curl_easy_cleanup(easy);
      curl_multi_cleanup(multi);
    }
  };

  std::unique_ptr<Entry> Take() {
    const std::lock_guard lock(mutex_);
    // After a fork the connections are the parent's. To close them would end its TLS sessions.
    if (const pid_t process = getpid(); process != process_) {
      process_ = process;
      // NOLINTNEXTLINE(bugprone-unused-return-value)
      for (auto& entry : idle_) static_cast<void>(entry.release());
      idle_.clear();
    }
    if (idle_.empty()) return std::make_unique<Entry>();
    auto entry = std::move(idle_.back());
    idle_.pop_back();
    return entry;
  }
  void PutBack(std::unique_ptr<Entry> entry) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(entry));
  }

 private:
  std::mutex mutex_;
  pid_t process_ = getpid();
  std::vector<std::unique_ptr<Entry>> idle_;  // the one used last is the one used next
};

class HttpClient::Exchange {
 public:
  Exchange(const HttpClientOptions& options, const HttpRequest& request, Pool::Entry& entry)
      : options_(options), request_(request), easy_(entry.easy), multi_(entry.multi) {
    curl_easy_reset(easy_);
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
    if (!IsToken(request_.method)) {
      return Error(ErrorCode::kInternal, "the method of a request is not a token");
    }
    SetTransfer();
    SetTls();
    SetProxy();
    SetMethodAndBody();
    return SetHeaders();
  }

  Attempt Run(Clock::SteadyTime deadline, const std::stop_token& stop) {
    const auto begin = core::SystemClock().SteadyNow();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - begin);
    if (left.count() <= 0) return {Unavailable("there is no time left"), true};
    Set(CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
    const CURLcode code = Perform(stop);
    response_.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
        core::SystemClock().SteadyNow() - begin);
    if (code != CURLE_OK) return {ErrorOf(code, stop), code == CURLE_OPERATION_TIMEDOUT};
    // libcurl takes an answer that is cut off in its headers for a whole one.
    if (!headers_ended_) return {Unavailable("ended its answer before the headers were complete")};
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    if (const auto encoding = response_.Find("content-encoding");
        encoding && *encoding != "identity") {
      return {BadData("compressed its answer though nobody asked for that")};
    }
    response_.body = std::move(body_).Seal();
    return {std::move(response_)};
  }

  std::string Trace(const Attempt& made, int attempt) const {
    const std::string outcome = made.result ? std::to_string(made.result->status)
                                            : std::string(ToString(made.result.error().code()));
    return "http: " + request_.method + " " + parts_.host + ":" + parts_.port + " " + parts_.path +
           " -> " + outcome + ", " + std::to_string(response_.elapsed.count()) + " ms, attempt " +
           std::to_string(attempt);
  }

 private:
  template <typename Value>
  void Set(CURLoption option, Value value) {
    curl_easy_setopt(easy_, option, value);
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
    SetText(CURLOPT_UNIX_SOCKET_PATH, options_.unix_socket);
    SetText(CURLOPT_USERAGENT, options_.user_agent);
    Set(CURLOPT_WRITEFUNCTION, &Exchange::TakeBody);
    Set(CURLOPT_WRITEDATA, this);
    Set(CURLOPT_HEADERFUNCTION, &Exchange::TakeHeader);
    Set(CURLOPT_HEADERDATA, this);
  }

  void SetTls() {
    const TlsSettings& tls = options_.tls;
    Set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    Set(CURLOPT_SSL_VERIFYPEER, tls.is_verified ? 1L : 0L);
    Set(CURLOPT_SSL_VERIFYHOST, tls.is_verified ? 2L : 0L);
    Set(CURLOPT_SSL_CTX_FUNCTION, &CleansePlaintext);
    if (!tls.ca_file.empty() || !tls.ca_text.empty() || !tls.ca_directory.empty()) {
      // Alone, not beside the system's.
      Set(CURLOPT_CAINFO, nullptr);
      Set(CURLOPT_CAPATH, nullptr);
      if (!tls.ca_file.empty()) {
        SetText(CURLOPT_CAINFO, tls.ca_file);
      } else if (!tls.ca_text.empty()) {
        SetBlob(CURLOPT_CAINFO_BLOB, tls.ca_text);
      } else {
        SetText(CURLOPT_CAPATH, tls.ca_directory);
      }
    }
    SetText(CURLOPT_SSLCERT, tls.certificate_file);
    SetText(CURLOPT_SSLKEY, tls.key_file);
    SetBlob(CURLOPT_SSLCERT_BLOB, tls.certificate_text);
    SetBlob(CURLOPT_SSLKEY_BLOB, tls.key_text.Reveal());
    if (tls.server_name.empty()) return;
    // The name of the URL is what is asked for and verified; the connection goes where it went.
    url_ = WithHost(request_.url, tls.server_name);
    Set(CURLOPT_URL, url_.c_str());
    connect_to_text_ = "::" + parts_.host + ":" + parts_.port;
    connect_to_ = {connect_to_text_.data(), nullptr};
    Set(CURLOPT_CONNECT_TO, &connect_to_);
  }

  void SetProxy() {
    if (std::ranges::find(kMetadataHosts, parts_.host) != kMetadataHosts.end()) {
      Set(CURLOPT_NOPROXY, "*");
    } else if (!options_.proxy.url.empty()) {
      Set(CURLOPT_PROXY, options_.proxy.url.c_str());
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
      if (!IsToken(header.name) || !IsFieldValue(header.value.Reveal())) {
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
    SecretBuffer line(name.size() + value.size() + 1);
    line.Append(name);
    line.Append(value);
    line.Append('\0');
    lines_.push_back(std::move(line).Seal());
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
    std::string_view line(bytes, size);
    if (size > exchange.options_.limits.header_bytes - exchange.header_bytes_) {
      exchange.refusal_ = "has headers longer than the limit";
      return CURL_WRITEFUNC_ERROR;
    }
    exchange.header_bytes_ += size;
    if (line.starts_with("HTTP/")) {  // once more after `100 Continue`
      exchange.response_.headers.clear();
      exchange.headers_ended_ = false;
      return size;
    }
    if (line == "\r\n" || line == "\n") exchange.headers_ended_ = true;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return size;
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), AsciiLower);
    line = line.substr(colon + 1, line.find_last_not_of("\r\n") - colon);
    exchange.response_.headers.push_back({std::move(name), Secret::CopyOf(TrimBlanks(line))});
    return size;
  }

  std::string Where() const { return parts_.host + ":" + parts_.port; }

  Error Unavailable(std::string_view problem) const {
    return Error(ErrorCode::kUnavailable, Where() + ": " + std::string(problem))
        .With("host", parts_.host)
        .Cure("see that the server runs and can be reached from here");
  }
  Error BadData(std::string_view problem) const {
    return Error(ErrorCode::kBadData, Where() + " " + std::string(problem))
        .With("host", parts_.host)
        .Cure("see that the address is that of the store's API and not of something before it");
  }

  Error ErrorOf(CURLcode code, const std::stop_token& stop) const {
    if (stop.stop_requested()) return Unavailable("nobody waits for the answer any more");
    if (refusal_ != nullptr) {
      return BadData(std::string("sent an answer that ") + refusal_);
    }
    if (code == CURLE_COULDNT_RESOLVE_PROXY) {
      // The longer text may show a proxy's address with a password in it.
      return Error(ErrorCode::kUnavailable, Where() + ": the proxy's name does not resolve")
          .With("host", parts_.host)
          .Cure("see the settings of the proxy, also https_proxy and the like, and of NO_PROXY");
    }
    // libcurl's longer text, where there is one, names hosts, files and certificates only.
    const std::string text = error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(code);
    if (const TlsRefusal* refusal = FindTlsRefusal(text)) {
      return Error(ErrorCode::kConfiguration, Where() + ": " + text)
          .With("host", parts_.host)
          .Cure(std::string(refusal->cure));
    }
    if (IsAboutTrust(code)) {
      return Error(ErrorCode::kConfiguration, Where() + ": " + text)
          .With("host", parts_.host)
          .Cure("name the authority that signed the server's certificate, or mend the certificate");
    }
    switch (code) {
      case CURLE_WEIRD_SERVER_REPLY:
      case CURLE_UNSUPPORTED_PROTOCOL: return BadData("does not answer in HTTP: " + text);
      default: return Unavailable(text);
    }
  }

  const HttpClientOptions& options_;
  const HttpRequest& request_;
  CURL* const easy_;
  CURLM* const multi_;
  Url parts_;
  std::string url_;
  std::string connect_to_text_;
  curl_slist connect_to_{};
  std::vector<Secret> lines_;
  std::vector<curl_slist> list_;
  std::array<char, CURL_ERROR_SIZE> error_text_;
  std::size_t header_bytes_ = 0;
  bool headers_ended_ = false;
  SecretBuffer body_;
  HttpResponse response_;
  const char* refusal_ = nullptr;  // what a limit of ours found wrong with the answer
};

HttpClient::HttpClient(HttpClientOptions options)
    : options_(std::move(options)), pool_(std::make_unique<Pool>()) {
  InitializeCurl();
}

HttpClient::~HttpClient() = default;

Attempt HttpClient::Send(const HttpRequest& request, Clock::SteadyTime deadline,
                         const std::stop_token& stop, int attempt) {
  auto entry = pool_->Take();
  Attempt made = [&]() -> Attempt {
    Exchange exchange(options_, request, *entry);
    if (Status prepared = exchange.Prepare(); !prepared) return {std::move(prepared).error()};
    Attempt result = exchange.Run(deadline, stop);
    if (options_.trace) options_.trace(exchange.Trace(result, attempt));
    return result;
  }();
  pool_->PutBack(std::move(entry));
  return made;
}

}  // namespace qarion::secrets::net
