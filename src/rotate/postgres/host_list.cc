#include "rotate/postgres/host_list.h"

#include <libpq-fe.h>

#include <algorithm>
#include <memory>
#include <ranges>
#include <span>
#include <string_view>
#include <vector>

#include "core/join.h"

namespace qarion::secrets::rotate::postgres {
namespace {

using Texts = std::vector<std::string>;

Texts Split(std::string_view list) {
  Texts texts;
  for (const auto part : std::views::split(list, ',')) texts.emplace_back(part.begin(), part.end());
  return texts;
}

// The `i`th, or the only one. Empty: there is none.
std::string At(const Texts& list, std::size_t i) {
  if (list.empty()) return {};
  return list.size() == 1 ? list.front() : i < list.size() ? list[i] : std::string();
}

std::string Tail(const Texts& list, std::size_t from) {
  if (list.size() <= 1) return core::Join(list, ",");
  const std::span<const std::string> all(list);
  return core::Join(all.subspan(std::min(from, all.size())), ",");
}

}  // namespace

std::optional<HostList> HostsAfter(pg_conn* connection) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfo(connection),
                                                                             PQconninfoFree);
  Texts hosts;
  Texts addresses;
  Texts ports;
  for (const PQconninfoOption* option = options.get(); option && option->keyword; ++option) {
    const std::string_view keyword = option->keyword;
    Texts* const list = keyword == "host"       ? &hosts
                        : keyword == "hostaddr" ? &addresses
                        : keyword == "port"     ? &ports
                                                : nullptr;
    if (list != nullptr && option->val != nullptr) *list = Split(option->val);
  }
  const std::size_t count = std::max(hosts.size(), addresses.size());
  for (std::size_t i = 0; i + 1 < count; ++i) {
    const bool is_here = At(ports, i).empty() || At(ports, i) == PQport(connection);
    const std::string name = At(hosts, i).empty() ? At(addresses, i) : At(hosts, i);
    if (!is_here || name != PQhost(connection)) continue;
    return HostList{Tail(hosts, i + 1), Tail(addresses, i + 1), Tail(ports, i + 1)};
  }
  return std::nullopt;
}

}  // namespace qarion::secrets::rotate::postgres
