// A cached read of one field out of 13, beside what people write by hand: a mutex and an
// unordered_map. All variants look at a clock, because a cache has to know whether what it holds
// may still be served; the plain map is shown without one.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "core/field_catalog.h"
#include "qarion/secrets/runtime.h"

namespace secrets = qarion::secrets;

namespace {

constexpr char kName[] = "STORAGE_S3_SECRET_KEY";

std::string ValueOf(std::string_view name) { return "fake-value-of-" + std::string(name); }

class FixedProvider final : public secrets::SecretProvider {
 public:
  secrets::Result<secrets::Payload> Fetch(const secrets::FetchRequest&) override {
    secrets::Payload payload;
    payload.version = "1";
    for (const auto& entry : secrets::core::FieldCatalog()) {
      if (entry.name.ends_with('*')) continue;
      payload.fields.push_back(
          {std::string(entry.name), secrets::Secret::CopyOf(ValueOf(entry.name)), "bench"});
    }
    return payload;
  }
  std::string Source() const override { return "bench"; }
};

const secrets::Runtime& SharedRuntime() {
  static const secrets::Runtime runtime = [] {
    secrets::RuntimeOptions options;
    options.settings = {{"SECRETS_CACHE_TTL", "86400"}};
    options.provider = std::make_unique<FixedProvider>();
    auto made = secrets::Runtime::Create(std::move(options));
    if (!made) std::exit(secrets::Report(made.error()));
    return std::move(*made);
  }();
  return runtime;
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
  secrets::Reader reader = SharedRuntime().NewReader();
  for (auto _ : state) {
    const auto value = reader.Find(kName);
    benchmark::DoNotOptimize((*value)->Reveal().data());
  }
}

void BM_RuntimeGet(benchmark::State& state) {
  const secrets::Runtime& runtime = SharedRuntime();
  for (auto _ : state) {
    const auto value = runtime.Get(kName);
    benchmark::DoNotOptimize(value->Reveal().data());
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
BENCHMARK(BM_RuntimeGet)->Threads(1)->Threads(2)->Threads(8)->UseRealTime();
BENCHMARK(BM_GuardedMapCopy)->Threads(1)->Threads(2)->Threads(8)->UseRealTime();
