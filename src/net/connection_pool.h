// Connections that wait for their next request.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "net/tls_alert.h"

// As curl.h has them.
typedef void CURL;   // NOLINT(modernize-use-using)
typedef void CURLM;  // NOLINT(modernize-use-using)

namespace qarion::secrets::net {

// One connection's worth of libcurl, with the TLS sessions and cookies that go with it.
struct CurlConnection {
  explicit CurlConnection(std::string stamp_of_files);
  ~CurlConnection();
  CurlConnection(const CurlConnection&) = delete;
  CurlConnection& operator=(const CurlConnection&) = delete;

  TlsAlert alert;  // of whichever was made last; outlives both
  CURLM* const multi;
  CURL* const easy;
  const std::string stamp;  // of the TLS files that it was made with
};

// Thread-safety: every member from several threads.
class ConnectionPool {
 public:
  // The one that was used last, or a new one. Those made with files of another stamp are closed.
  std::unique_ptr<CurlConnection> Take(const std::string& stamp);
  // Keeps it for the next request, unless enough wait already.
  void PutBack(std::unique_ptr<CurlConnection> connection);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<CurlConnection>> idle_;
};

}  // namespace qarion::secrets::net
