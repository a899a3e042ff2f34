// Reads the secret, with all that belongs to one process.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/session.h"
#include "providers/aws_sm/aws_sm_settings.h"
#include "providers/aws_sm/secret_value.h"
#include "providers/examiner_base.h"
#include "qarion/secrets/provider.h"

namespace qarion::secrets::aws_sm {

// Thread-safety: Fetch by one thread at a time; the rest from several threads.
class Client {
 public:
  // All outlive it.
  Client(const AwsSmSettings& settings, Clock& clock,
         const std::function<void(std::string_view)>& log);

  // Where the caller holds a version, first asks whether that is still the current one, if it may:
  // DescribeSecret needs no decryption. But from time to time the value is read all the same, so
  // that the loss of the right to read it shows.
  Result<Payload> Fetch(const std::string& known_version, const net::Call& call);

  aws::Session& session() noexcept { return session_; }

  std::vector<Secret> Credentials() const { return session_.Held(); }
  // For `status`: names and texts.
  std::vector<std::pair<std::string, std::string>> Describe() const;
  // See Examine.
  Diagnosis Diagnose(const net::Call& call);

 private:
  bool IsCurrent(const std::string& known_version, const net::Call& call);
  Result<Payload> Read(const net::Call& call);

  const AwsSmSettings& settings_;
  Clock& clock_;
  aws::Session session_;

  // Of the thread that fetches.
  bool may_describe_ = true;
  Clock::SteadyTime read_at_{};

  mutable std::mutex mutex_;  // of what follows
  std::string value_read_;    // which secret and version
};

}  // namespace qarion::secrets::aws_sm
