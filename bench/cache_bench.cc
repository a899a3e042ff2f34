// A cached read of one field out of 14, beside what people write by hand: a mutex and an
// unordered_map. All variants look at a clock, because a cache has to know whether what it holds
// may still be served; the plain map is shown without one.
#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "cache/snapshot_cache.h"
#include "core/field_catalog.h"

namespace secrets = qarion::secrets;
namespace cache = qarion::secrets::cache;

namespace {

constexpr char kName[] = "STORAGE_S3_SECRET_KEY";

std::string ValueOf(std::string_view name) { return "fake-value-of-" + std::string(name); }

cache::SnapshotCache& SharedCache() {
  static const auto made = [] {
    auto fetch = [](const cache::FetchContext&) -> secrets::Result<cache::Fetched> {
      secrets::Snapshot::Contents contents;
      contents.version = "1";
      for (const auto& entry : secrets::core::FieldCatalog()) {
        contents.fields.push_back(
            {std::string(entry.name), secrets::Secret::CopyOf(ValueOf(entry.name)), "bench"});
      }
      return cache::Fetched{.snapshot =
                                std::make_shared<const secrets::Snapshot>(std::move(contents))};
    };
    auto result = std::make_unique<cache::SnapshotCache>(
        cache::CacheOptions{.ttl = std::chrono::seconds(86'400)}, fetch, secrets::Clock::System(),
        std::make_unique<secrets::core::SystemRandom>());
    if (!result->Start()) std::abort();
    return result;
  }();
  return *made;
}

struct GuardedMap {
  std::mutex mutex;
  std::unordered_map<std::string, std::string> values;
};

GuardedMap& SharedMap() {
  static GuardedMap map;
  static const bool filled = [] {
    for (const auto& entry : secrets::core::FieldCatalog()) {
      map.values.emplace(entry.name, ValueOf(entry.name));
    }
    return true;
  }();
  static_cast<void>(filled);
  return map;
}

void BM_ReaderFind(benchmark::State& state) {
  cache::SnapshotCache::Reader reader(SharedCache());
  for (auto _ : state) {
    const auto snapshot = reader.Current();
    benchmark::DoNotOptimize((*snapshot)->Find(kName)->Reveal().data());
  }
}

void BM_CacheFind(benchmark::State& state) {
  cache::SnapshotCache& shared = SharedCache();
  for (auto _ : state) {
    const auto value = shared.Find(kName);
    benchmark::DoNotOptimize((*value)->Reveal().data());
  }
}

void BM_GuardedMapCopy(benchmark::State& state) {
  GuardedMap& map = SharedMap();
  for (auto _ : state) {
    std::unique_lock lock(map.mutex);
    std::string value = map.values.find(kName)->second;
    lock.unlock();
    benchmark::DoNotOptimize(value.data());
  }
}

}  // namespace

BENCHMARK(BM_ReaderFind)->Threads(1)->Threads(2)->Threads(8)->UseRealTime();
BENCHMARK(BM_CacheFind)->Threads(1)->Threads(2)->Threads(8)->UseRealTime();
BENCHMARK(BM_GuardedMapCopy)->Threads(1)->Threads(2)->Threads(8)->UseRealTime();
