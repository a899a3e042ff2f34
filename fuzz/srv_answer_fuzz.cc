// Any bytes as a DNS answer.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "net/srv.h"
#include "net/url.h"
#include "require.h"

namespace net = qarion::secrets::net;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<unsigned char> answer(data, data + size);
  const auto target = net::BestSrvTarget(answer);
  if (!target) return 0;
  // It becomes a part of a URL.
  Require(std::all_of(target->host.begin(), target->host.end(),
                      [](char c) { return c > 0x20 && c < 0x7f; }));
  Require(net::IsHostName(target->host));
  // Its port was in the answer, and the answer is read as a whole (RFC 1035, 4.1) or not at all.
  const unsigned char port[] = {static_cast<unsigned char>(target->port >> 8),
                                static_cast<unsigned char>(target->port & 0xff)};
  Require(std::ranges::search(answer, port).size() == 2);
  answer.push_back(0);
  Require(!net::BestSrvTarget(answer));
  answer.resize(size - 1);
  Require(!net::BestSrvTarget(answer));
  return 0;
}
