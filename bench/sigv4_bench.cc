// Signatures a second of a GetSecretValue request; bench/sigv4_bench.py prints botocore's beside
// it.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>

#include "crypto/sigv4.h"

namespace crypto = qarion::secrets::crypto;
using qarion::secrets::Secret;

namespace {

void BM_SignGetSecretValue(benchmark::State& state) {
  const crypto::SigningRequest request{
      .method = "POST",
      .path = "/",
      .query = {},
      .headers = {{"Host", "secretsmanager.eu-central-1.amazonaws.com"},
                  {"Content-Type", "application/x-amz-json-1.1"},
                  {"X-Amz-Target", "secretsmanager.GetSecretValue"}},
      .payload = R"({"SecretId":"app/db"})"};
  const crypto::SigningCredentials credentials{
      .access_key_id = "AKIDEXAMPLE",
      .secret_access_key = Secret::CopyOf("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
      .session_token = Secret::CopyOf("AQoDYXdzEJr//+tok==")};
  const crypto::CredentialScope scope{.region = "eu-central-1", .service = "secretsmanager"};
  std::chrono::sys_seconds time{std::chrono::seconds(1'767'323'045)};
  for (auto _ : state) {
    auto signed_request = crypto::SignWithHeaders(request, credentials, scope, time);
    benchmark::DoNotOptimize(signed_request->signature.hex.data());
    time += std::chrono::seconds(1);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

}  // namespace

BENCHMARK(BM_SignGetSecretValue)->Threads(1)->Threads(2)->UseRealTime();
