// Tokens of 8 claims and about 350 bytes, signed and verified through the public interface;
// bench/jwt_bench.py prints what other libraries do beside it.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "qarion/secrets/jwt_signer.h"
#include "qarion/secrets/jwt_verifier.h"

namespace secrets = qarion::secrets;
namespace jwt = qarion::secrets::jwt;

namespace {

const secrets::Secret& Key(std::size_t number) {
  static const std::vector<secrets::Secret> keys = [] {
    std::vector<secrets::Secret> made;
    for (int i = 0; i < 4; ++i) made.push_back(*jwt::GenerateKey());
    return made;
  }();
  return keys[number];
}

jwt::Signer SignerWith(std::size_t number) { return *jwt::Signer::With(Key(number).Share()); }

// The claims that a service puts into an access token; `iat` and `exp` are the signer's.
jwt::ClaimsBuilder Claims() {
  static const std::vector<std::string> roles = {"reader", "editor"};
  jwt::ClaimsBuilder claims;
  claims.Issuer("https://auth.example.com/")
      .Subject("user-0123456789")
      .Audience("api")
      .Id("5f3a9c1e7b2d4806")
      .Text("scope", "read write")
      .Texts("roles", roles);
  return claims;
}

const jwt::Verifier& Verifier() {
  static const jwt::Verifier verifier =
      jwt::Verifier::With(
          {.current = Key(0).Share(), .previous = Key(1).Share(), .next = Key(2).Share()})
          .RequireIssuer("https://auth.example.com/")
          .RequireAudience("api");
  return verifier;
}

void Verify(benchmark::State& state, const std::string& token, bool is_valid) {
  for (auto _ : state) {
    auto verified = Verifier().Verify(token);
    if (verified.has_value() != is_valid) state.SkipWithError("another outcome");
    benchmark::DoNotOptimize(verified);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

std::string Valid(std::size_t key) { return *SignerWith(key).Sign(Claims()); }
std::string WithoutKeyId(std::size_t key) { return *SignerWith(key).OmitKeyId().Sign(Claims()); }

void BM_Sign(benchmark::State& state) {
  static const jwt::Signer signer = SignerWith(0);
  for (auto _ : state) {
    auto token = signer.Sign(Claims());
    if (!token) state.SkipWithError("failed");
    benchmark::DoNotOptimize(token);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

void BM_Verify(benchmark::State& state) { Verify(state, Valid(0), true); }
void BM_VerifyByPrevious(benchmark::State& state) { Verify(state, Valid(1), true); }
void BM_VerifyByNextWithoutKeyId(benchmark::State& state) { Verify(state, WithoutKeyId(2), true); }

void BM_RejectForged(benchmark::State& state) { Verify(state, WithoutKeyId(3), false); }
void BM_RejectUnknownKey(benchmark::State& state) { Verify(state, Valid(3), false); }
void BM_RejectAlgorithm(benchmark::State& state) {
  const std::string token = Valid(0);
  Verify(state, "eyJhbGciOiJub25lIn0" + token.substr(token.find('.')), false);
}
void BM_RejectShape(benchmark::State& state) {
  const std::string token = Valid(0);
  Verify(state, token.substr(0, token.rfind('.')), false);
}
void BM_RejectMegabyte(benchmark::State& state) { Verify(state, std::string(1 << 20, 'A'), false); }
void BM_RejectExpired(benchmark::State& state) {
  const auto signer = SignerWith(0);
  const auto long_ago = jwt::Time(std::chrono::seconds(1));
  Verify(state, *signer.Sign(Claims().IssuedAt(long_ago)), false);
}

// What a rotated key costs each thread at its next token.
void BM_ChangeKeys(benchmark::State& state) {
  const std::string token = Valid(0);
  for (auto _ : state) {
    const auto verifier =
        jwt::Verifier::With({.current = Key(0).Share(), .previous = Key(1).Share()})
            .AcceptAnyAudience();
    auto verified = verifier.Verify(token);
    if (!verified) state.SkipWithError("failed");
    benchmark::DoNotOptimize(verified);
  }
}

}  // namespace

BENCHMARK(BM_Sign)->Name("sign");
BENCHMARK(BM_Verify)->Name("verify");
BENCHMARK(BM_VerifyByPrevious)->Name("verify, by the previous key");
BENCHMARK(BM_VerifyByNextWithoutKeyId)->Name("verify, by the third key, without kid");
BENCHMARK(BM_Sign)->Name("sign")->Threads(2)->UseRealTime();
BENCHMARK(BM_Verify)->Name("verify")->Threads(2)->UseRealTime();
BENCHMARK(BM_RejectForged)->Name("reject: forged, without kid");
BENCHMARK(BM_RejectUnknownKey)->Name("reject: forged, unknown kid");
BENCHMARK(BM_RejectAlgorithm)->Name("reject: alg none");
BENCHMARK(BM_RejectShape)->Name("reject: two parts");
BENCHMARK(BM_RejectMegabyte)->Name("reject: 1 MiB");
BENCHMARK(BM_RejectExpired)->Name("reject: expired");
BENCHMARK(BM_ChangeKeys)->Name("new keys");
