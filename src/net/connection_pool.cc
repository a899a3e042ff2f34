#include "net/connection_pool.h"

#include <curl/curl.h>

#include <utility>

namespace qarion::secrets::net {
namespace {

constexpr std::size_t kMostIdle = 8;

}  // namespace

CurlConnection::CurlConnection(std::string stamp_of_files)
    : multi(curl_multi_init()), easy(curl_easy_init()), stamp(std::move(stamp_of_files)) {}

CurlConnection::~CurlConnection() {
  curl_easy_cleanup(easy);
  curl_multi_cleanup(multi);
}

std::unique_ptr<CurlConnection> ConnectionPool::Take(const std::string& stamp) {
  std::vector<std::unique_ptr<CurlConnection>> outdated;  // closed without the lock
  const std::lock_guard lock(mutex_);
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->stamp == stamp) return connection;
    outdated.push_back(std::move(connection));
  }
  return std::make_unique<CurlConnection>(stamp);
}

void ConnectionPool::PutBack(std::unique_ptr<CurlConnection> connection) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMostIdle) idle_.push_back(std::move(connection));
}

}  // namespace qarion::secrets::net
