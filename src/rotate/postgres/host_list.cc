#include "rotate/postgres/host_list.h"

#include <algorithm>
#include <ranges>
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

std::string Tail(const Texts& list, std::size_t from) {
  const bool has_any =
      std::ranges::any_of(list.begin() + static_cast<std::ptrdiff_t>(from), list.end(),
                          [](const auto& text) { return !text.empty(); });
  return has_any ? core::Join({list.begin() + static_cast<std::ptrdiff_t>(from), list.end()}, ",")
                 : std::string();
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
