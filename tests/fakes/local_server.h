// An HTTP server inside a test, which answers as a function says and so can wait for the test.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace qarion::secrets::test {

struct LocalRequest {
  std::string method;
  std::string path;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

struct LocalAnswer {
  int status = 200;
  std::string body = "{}";
  std::map<std::string, std::string> headers = {};
};

// Serves on 127.0.0.1 until the object goes.
class LocalServer {
 public:
  // Called on a thread for each connection.
  using Handler = std::function<LocalAnswer(const LocalRequest&)>;

  explicit LocalServer(Handler handler) : handler_(std::move(handler)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, any, size) != 0 || listen(listener_, SOMAXCONN) != 0 ||
        getsockname(listener_, any, &size) != 0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this] { Accept(); });
  }
  ~LocalServer() {
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int connection : connections_) shutdown(connection, SHUT_RDWR);
    }
    threads_.clear();
    for (const int connection : connections_) close(connection);
    close(listener_);
  }
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  std::string Url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  // How many were made until now.
  std::size_t connections() const {
    const std::lock_guard lock(mutex_);
    return connections_.size();
  }

 private:
  void Accept() {
    for (int connection; (connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      const std::lock_guard lock(mutex_);
      connections_.push_back(connection);
      threads_.emplace_back([this, connection] { Serve(connection); });
    }
  }

  void Serve(int connection) {
    std::string unread;
    while (const auto request = ReadRequest(connection, unread)) {
      const LocalAnswer answer = handler_(*request);
      std::string text = "HTTP/1.1 " + std::to_string(answer.status) +
                         " Fake\r\nContent-Type: application/json\r\nContent-Length: " +
                         std::to_string(answer.body.size()) + "\r\n";
      for (const auto& [name, value] : answer.headers) text += name + ": " + value + "\r\n";
      text += "\r\n" + answer.body;
      if (send(connection, text.data(), text.size(), MSG_NOSIGNAL) < 0) break;
    }
    shutdown(connection, SHUT_RDWR);
  }

  static bool ReadMore(int connection, std::string& unread) {
    char piece[4096];
    const ssize_t count = recv(connection, piece, sizeof piece, 0);
    if (count <= 0) return false;
    unread.append(piece, static_cast<std::size_t>(count));
    return true;
  }

  static std::optional<LocalRequest> ReadRequest(int connection, std::string& unread) {
    constexpr std::string_view kEnd = "\r\n\r\n";
    while (unread.find(kEnd) == std::string::npos) {
      if (!ReadMore(connection, unread)) return std::nullopt;
    }
    LocalRequest request;
    std::size_t at = unread.find(' ');
    request.method = unread.substr(0, at);
    request.path = unread.substr(at + 1, unread.find(' ', at + 1) - at - 1);
    const std::size_t end = unread.find(kEnd);
    for (at = unread.find("\r\n"); at < end; at = unread.find("\r\n", at + 2)) {
      const std::size_t colon = unread.find(": ", at);
      std::string name = unread.substr(at + 2, colon - at - 2);
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      request.headers[name] = unread.substr(colon + 2, unread.find("\r\n", colon) - colon - 2);
    }
    unread.erase(0, end + kEnd.size());
    const auto length = request.headers.find("content-length");
    const std::size_t size = length == request.headers.end() ? 0 : std::stoul(length->second);
    while (unread.size() < size) {
      if (!ReadMore(connection, unread)) return std::nullopt;
    }
    request.body = unread.substr(0, size);
    unread.erase(0, size);
    return request;
  }

  const Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;  // of what follows
  std::vector<int> connections_;
  std::vector<std::jthread> threads_;
  std::jthread acceptor_;
};

}  // namespace qarion::secrets::test
