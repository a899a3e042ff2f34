// Fernet of 80 bytes through the public interface; bench/fernet_bench.py prints what Python's
// cryptography does beside it.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "qarion/secrets/fernet.h"

namespace secrets = qarion::secrets;

namespace {

const std::string& Value() {
  static const std::string value(80, 'x');
  return value;
}

const secrets::FernetKey& Previous() {
  static const auto key = secrets::FernetKey::Generate();
  return *key;
}

// Of one key, and of two of which the second made the token: the case of a rotation.
const secrets::Fernet& One() {
  static const auto fernet = secrets::Fernet::Create(Previous().Share());
  return *fernet;
}
const secrets::Fernet& Two() {
  static const auto fernet = [] {
    std::vector<secrets::FernetKey> keys;
    keys.push_back(*secrets::FernetKey::Generate());
    keys.push_back(Previous().Share());
    return secrets::Fernet::Create(std::move(keys));
  }();
  return *fernet;
}
const std::string& Token() {
  static const auto token = One().Encrypt(Value());
  return *token;
}

template <typename Call>
void Measure(benchmark::State& state, const Call& call) {
  for (auto _ : state) {
    auto result = call();
    if (!result) state.SkipWithError("failed");
    benchmark::DoNotOptimize(result);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

void BM_Encrypt(benchmark::State& state) {
  Measure(state, [] { return One().Encrypt(Value()); });
}
void BM_Decrypt(benchmark::State& state) {
  Measure(state, [] { return One().Decrypt(Token()); });
}
void BM_DecryptByPrevious(benchmark::State& state) {
  Measure(state, [] { return Two().Decrypt(Token()); });
}
void BM_Rotate(benchmark::State& state) {
  Measure(state, [] { return Two().Rotate(Token()); });
}

}  // namespace

BENCHMARK(BM_Encrypt)->Name("encrypt");
BENCHMARK(BM_Decrypt)->Name("decrypt");
BENCHMARK(BM_DecryptByPrevious)->Name("decrypt by the second key");
BENCHMARK(BM_Rotate)->Name("rotate");
BENCHMARK(BM_Encrypt)->Name("encrypt")->Threads(2)->UseRealTime();
BENCHMARK(BM_Decrypt)->Name("decrypt")->Threads(2)->UseRealTime();
BENCHMARK(BM_Rotate)->Name("rotate")->Threads(2)->UseRealTime();
