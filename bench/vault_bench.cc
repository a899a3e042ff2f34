// vault_bench requests: reads a second over one connection, beside libcurl's own least loop.
// vault_bench cached PID: cached reads while the server PID is stopped and a refresh hangs.
// VAULT_ADDR and VAULT_TOKEN name the server.
#include <curl/curl.h>
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include <qarion/secrets/runtime.h>

#include "core/system_clock.h"
#include "providers/vault/api.h"

namespace secrets = qarion::secrets;
namespace vault = qarion::secrets::vault;
using std::chrono::steady_clock;

namespace {

constexpr int kRequests = 3000;
constexpr int kRounds = 5;
constexpr long long kCachedReads = 3'000'000;

std::size_t Ignore(char*, std::size_t, std::size_t size, void*) { return size; }

double SecondsSince(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

double LeastLoop(const std::string& url, const std::string& token) {
  CURL* easy = curl_easy_init();
  curl_slist* headers = curl_slist_append(nullptr, ("X-Vault-Token: " + token).c_str());
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, Ignore);
  const auto begin = steady_clock::now();
  for (int i = 0; i < kRequests; ++i) {
    if (curl_easy_perform(easy) != CURLE_OK) std::abort();
  }
  const double seconds = SecondsSince(begin);
  curl_slist_free_all(headers);
  curl_easy_cleanup(easy);
  return kRequests / seconds;
}

double OurLoop(vault::Api& api, secrets::Clock& clock, const secrets::Secret& token) {
  const auto begin = steady_clock::now();
  for (int i = 0; i < kRequests; ++i) {
    auto answer = api.Send({.path = "secret/data/qarion", .token = &token},
                           {.deadline = clock.SteadyNow() + std::chrono::seconds(10)});
    if (!answer || answer->status != 200) std::abort();
  }
  return kRequests / SecondsSince(begin);
}

int Requests() {
  secrets::core::SystemClock clock;
  auto settings = vault::LoadVaultSettings([](const std::string& name) {
    const char* text = std::getenv(name.c_str());
    return text == nullptr ? std::nullopt : std::optional<std::string_view>(text);
  });
  if (!settings) return secrets::Report(settings.error());
  vault::Api api(*settings, clock, nullptr);
  const auto token = settings->auth.token.ReadToken();
  if (!token) return secrets::Report(token.error());
  const std::string url = settings->addresses.front().url + "/v1/secret/data/qarion";
  double ours = 0;
  double least = 0;
  for (int i = 0; i < kRounds; ++i) {
    least += LeastLoop(url, std::string(token->Reveal())) / kRounds;
    ours += OurLoop(api, clock, *token) / kRounds;
  }
  std::printf("  libcurl's least loop  %7.0f/s\n  ours, parsed          %7.0f/s  %.2fx\n", least,
              ours, ours / least);
  return 0;
}

double NanosecondsPerRead(secrets::Reader& reader) {
  const auto begin = steady_clock::now();
  for (long long i = 0; i < kCachedReads; ++i) {
    if (!reader.Find("SECRET_KEY")) std::abort();
  }
  return SecondsSince(begin) * 1e9 / kCachedReads;
}

int Cached(pid_t server) {
  auto runtime = secrets::Runtime::FromEnvironment();
  if (!runtime) return secrets::Report(runtime.error());
  secrets::Reader reader = runtime->NewReader();
  const double before = NanosecondsPerRead(reader);
  kill(server, SIGSTOP);
  std::thread refresh([&] { static_cast<void>(runtime->Refresh()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const double during = NanosecondsPerRead(reader);
  kill(server, SIGCONT);
  refresh.join();
  std::printf("  healthy %6.1f ns\n  hanging %6.1f ns  %.2fx\n", before, during, during / before);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "requests") return Requests();
  if (mode == "cached" && argc == 3) return Cached(static_cast<pid_t>(std::atoi(argv[2])));
  return 64;
}
