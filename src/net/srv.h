// Where a service is, by its SRV records (RFC 2782).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace qarion::secrets::net {

struct SrvTarget {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const SrvTarget&) const = default;
};

// Of the records in a DNS answer the one with the lowest priority, and among those the highest
// weight. Nothing where there is none, or where the answer cannot be read.
std::optional<SrvTarget> BestSrvTarget(std::span<const unsigned char> answer);

struct SrvAnswer {
  bool is_known = false;  // false: nobody could say
  std::optional<SrvTarget> target;
};

// Asks the resolver of this machine for `name`, such as `_http._tcp.vault.example`. Blocks for
// about `time` at most.
SrvAnswer LookUpSrv(const std::string& name, std::chrono::milliseconds time);

}  // namespace qarion::secrets::net
