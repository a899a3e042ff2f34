// CRC-32C of payloads and RS256 signatures of a token's size; bench/cloud_crypto_bench.py makes the
// key and prints what Python's libraries do beside it. The environment variable RSA_KEY_FILE names
// the key.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "crypto/crc32c.h"
#include "crypto/rsa_key.h"

namespace crypto = qarion::secrets::crypto;

namespace {

template <std::uint32_t (*Calculate)(std::string_view) noexcept>
void BM_Crc32c(benchmark::State& state) {
  const std::string payload(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    std::string_view bytes = payload;
    benchmark::DoNotOptimize(bytes);
    benchmark::DoNotOptimize(Calculate(bytes));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}

void BM_SignRs256(benchmark::State& state) {
  const char* const path = std::getenv("RSA_KEY_FILE");
  std::ifstream file(path != nullptr ? path : "");
  const std::string pem{std::istreambuf_iterator<char>(file), {}};
  const auto key = crypto::ReadRsaPrivateKey(pem, "RSA_KEY_FILE");
  if (!key) {
    state.SkipWithError(key.error().reason().c_str());
    return;
  }
  const std::string message(400, 'x');
  for (auto _ : state) {
    auto signature = crypto::SignRs256(*key, message, "key");
    benchmark::DoNotOptimize(signature->Reveal().data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

}  // namespace

BENCHMARK(BM_Crc32c<crypto::Crc32c>)->Name("crc32c")->Arg(256)->Arg(65536);
BENCHMARK(BM_Crc32c<crypto::Crc32cPortable>)->Name("crc32c portable")->Arg(256)->Arg(65536);
BENCHMARK(BM_SignRs256)->Name("rs256")->Threads(1)->Threads(2)->UseRealTime();
