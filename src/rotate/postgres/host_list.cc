#include "rotate/postgres/host_list.h"

#include <algorithm>
#include <ranges>
#include <span>
#include <string_view>
#include <vector>

#include "core/join.h"

namespace qarion::secrets::rotate::postgres {
namespace {

constexpr char kUsualPort[] = "5432";

using Texts = std::vector<std::string>;

// As many as `count`; one that stands alone holds for all.
Texts Split(std::string_view list, std::size_t count) {
  Texts texts;
  for (const auto part : std::views::split(list, ',')) texts.emplace_back(part.begin(), part.end());
  if (texts.size() == 1) texts.resize(count, texts.front());
  texts.resize(count);
  return texts;
}

// Empty where they all are.
std::string Tail(std::span<const std::string> list, std::size_t from) {
  std::string joined = core::Join(list.subspan(from), ",");
  if (joined.find_first_not_of(',') == std::string::npos) joined.clear();
  return joined;
}

}  // namespace

std::optional<HostList> HostsAfter(const HostList& all, const HostList& current) {
  const auto commas =
      std::max(std::ranges::count(all.host, ','), std::ranges::count(all.hostaddr, ','));
  const auto count = static_cast<std::size_t>(commas) + 1;
  const Texts hosts = Split(all.host, count);
  const Texts addresses = Split(all.hostaddr, count);
  Texts ports = Split(all.port, count);
  for (std::string& port : ports) {
    if (port.empty()) port = kUsualPort;
  }
  for (std::size_t i = 0; i + 1 < count; ++i) {
    const std::string& name = hosts[i].empty() ? addresses[i] : hosts[i];
    if (name != current.host || ports[i] != current.port) continue;
    HostList after{Tail(hosts, i + 1), Tail(addresses, i + 1), Tail(ports, i + 1)};
    // libpq takes empty texts for none at all.
    if (after.host.empty() && after.hostaddr.empty()) return std::nullopt;
    return after;
  }
  return std::nullopt;
}

}  // namespace qarion::secrets::rotate::postgres
