#include "net/srv.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <vector>

#include "net/url.h"

namespace qarion::secrets::net {
namespace {

constexpr std::size_t kFixedPart = 6;  // priority, weight, port

struct Record {
  unsigned priority;
  unsigned weight;
  SrvTarget target;
};

std::optional<Record> ReadRecord(ns_msg& message, int index) {
  ns_rr record{};
  if (ns_parserr(&message, ns_s_an, index, &record) != 0 || ns_rr_type(record) != ns_t_srv ||
      ns_rr_rdlen(record) <= kFixedPart) {
    return std::nullopt;
  }
  const unsigned char* data = ns_rr_rdata(record);
  std::array<char, NS_MAXDNAME> name{};
  if (ns_name_uncompress(ns_msg_base(message), ns_msg_end(message), data + kFixedPart, name.data(),
                         name.size()) < 0) {
    return std::nullopt;
  }
  std::string host = name.data();
  if (host.ends_with('.')) host.pop_back();
  if (!IsHostName(host)) return std::nullopt;  // "." says that the service is not there
  return Record{.priority = ns_get16(data),
                .weight = ns_get16(data + 2),
                .target = {std::move(host), static_cast<std::uint16_t>(ns_get16(data + 4))}};
}

}  // namespace

std::optional<SrvTarget> BestSrvTarget(std::span<const unsigned char> answer) {
  ns_msg message{};
  if (ns_initparse(answer.data(), static_cast<int>(answer.size()), &message) != 0) {
    return std::nullopt;
  }
  std::optional<Record> best;
  for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
    auto record = ReadRecord(message, i);
    if (!record) continue;
    if (!best ||
        std::tuple(record->priority, best->weight) < std::tuple(best->priority, record->weight)) {
      best = std::move(record);
    }
  }
  if (!best) return std::nullopt;
  return best->target;
}

SrvAnswer LookUpSrv(const std::string& name, std::chrono::milliseconds time) {
  struct __res_state resolver{};
  if (time.count() <= 0 || res_ninit(&resolver) != 0) return {};
  // It waits whole seconds for each of its servers, and tries each so often.
  const int servers = std::max(resolver.nscount, 1);
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(time).count();
  resolver.retry = 1;
  resolver.retrans = std::max(1, static_cast<int>(seconds) / servers);
  std::vector<unsigned char> answer(NS_MAXMSG);
  const int size = res_nquery(&resolver, name.c_str(), ns_c_in, ns_t_srv, answer.data(),
                              static_cast<int>(answer.size()));
  const int reason = resolver.res_h_errno;
  res_nclose(&resolver);
  if (size <= 0) return {.is_known = reason == HOST_NOT_FOUND || reason == NO_DATA};
  if (static_cast<std::size_t>(size) > answer.size()) return {};
  return {.is_known = true,
          .target = BestSrvTarget(std::span(answer).first(static_cast<std::size_t>(size)))};
}

}  // namespace qarion::secrets::net
