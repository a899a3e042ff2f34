// A server of which a test says what it answers in turn.
#pragma once

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/fakes/local_server.h"

namespace qarion::secrets::test {

// Answers the n-th request as the n-th of its answers says, later ones as the last.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<LocalAnswer> answers) : answers_(std::move(answers)) {}

  std::string Url(const std::string& path = "") const { return server_.Url() + path; }
  std::vector<LocalRequest> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  // "GET /path" each.
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    for (const LocalRequest& request : seen()) lines.push_back(request.method + " " + request.path);
    return lines;
  }

 private:
  LocalAnswer Answer(const LocalRequest& request) {
    const std::lock_guard lock(mutex_);
    seen_.push_back(request);
    return answers_[std::min(seen_.size(), answers_.size()) - 1];
  }

  const std::vector<LocalAnswer> answers_;
  mutable std::mutex mutex_;
  std::vector<LocalRequest> seen_;
  LocalServer server_{[this](const LocalRequest& request) { return Answer(request); }};
};

}  // namespace qarion::secrets::test
