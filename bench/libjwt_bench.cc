// The tokens of jwt_bench.cc, by libjwt: signed with the same claims; verified, and the claims that
// a verifier of ours looks at compared, which libjwt leaves to its caller.
#include <benchmark/benchmark.h>
#include <jwt.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

namespace {

const std::string& Key() {
  static const std::string key = "q7Vn2xJ0Yw4cZtLr8sKfPbMdGhTaEuIo3v6y9B1XkCs";
  return key;
}
const unsigned char* KeyBytes() { return reinterpret_cast<const unsigned char*>(Key().data()); }
int KeySize() { return static_cast<int>(Key().size()); }

std::string Sign() {
  jwt_t* token = nullptr;
  if (jwt_new(&token) != 0) std::abort();
  jwt_set_alg(token, JWT_ALG_HS256, KeyBytes(), KeySize());
  jwt_add_header(token, "kid", "0123456789abcdef");
  jwt_add_grant(token, "iss", "https://auth.example.com/");
  jwt_add_grant(token, "sub", "user-0123456789");
  jwt_add_grant(token, "aud", "api");
  jwt_add_grant(token, "jti", "5f3a9c1e7b2d4806");
  jwt_add_grant(token, "scope", "read write");
  jwt_add_grants_json(token, R"({"roles":["reader","editor"]})");
  const std::time_t now = std::time(nullptr);
  jwt_add_grant_int(token, "iat", now);
  jwt_add_grant_int(token, "exp", now + 1800);
  char* const text = jwt_encode_str(token);
  std::string copy = text;
  std::free(text);
  jwt_free(token);
  return copy;
}

bool Is(jwt_t* token, const char* claim, std::string_view wanted) {
  const char* const text = jwt_get_grant(token, claim);
  return text != nullptr && text == wanted;
}

bool Verify(const std::string& text) {
  jwt_t* token = nullptr;
  if (jwt_decode(&token, text.c_str(), KeyBytes(), KeySize()) != 0) return false;
  const std::time_t now = std::time(nullptr);
  const bool is_valid = jwt_get_alg(token) == JWT_ALG_HS256 &&
                        jwt_get_grant_int(token, "exp") > now &&
                        jwt_get_grant_int(token, "iat") <= now &&
                        Is(token, "iss", "https://auth.example.com/") && Is(token, "aud", "api");
  jwt_free(token);
  return is_valid;
}

void BM_Sign(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(Sign());
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

void BM_Verify(benchmark::State& state) {
  const std::string token = Sign();
  for (auto _ : state) {
    if (!Verify(token)) state.SkipWithError("another outcome");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

}  // namespace

BENCHMARK(BM_Sign)->Name("sign");
BENCHMARK(BM_Verify)->Name("verify");
BENCHMARK(BM_Sign)->Name("sign")->Threads(2)->UseRealTime();
BENCHMARK(BM_Verify)->Name("verify")->Threads(2)->UseRealTime();
