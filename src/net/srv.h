// Where a service is, by its SRV records (RFC 2782).
#pragma once

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

// Asks the resolver of this machine for `name`, such as `_http._tcp.vault.example`. Nothing where
// there is no record or no answer within some seconds. Blocks.
std::optional<SrvTarget> LookUpSrv(const std::string& name);

}  // namespace qarion::secrets::net
