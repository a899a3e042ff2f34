// A service that signs and verifies tokens under the keys of its backend, for tests.
//   token_service LIFETIME_SECONDS
// Tokens are of a KIND: `short` ones live for so long, `long` ones for an hour. A request is a line
// of standard input, and its answer one of standard output; their end ends it.
//   sign KIND COUNT      BYTES and then as many bytes: the tokens, a line each; or: failed CODE
//   verify KIND BYTES    (as many bytes follow, tokens, a line each) how often there was which
//                        outcome: the role of a key, a reason for a rejection, or failed:CODE
//   status               the version in use, when it was fetched in seconds since 1970, the ids of
//   its
//                        keys, the statistics of both verifiers
//   refresh              "", or what kept it from fetching
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>

#include <qarion/secrets/jwt_signer.h>
#include <qarion/secrets/jwt_verifier.h>
#include <qarion/secrets/runtime.h>

namespace secrets = qarion::secrets;
namespace jwt = qarion::secrets::jwt;

namespace {

constexpr std::chrono::hours kLongLife{1};

// A JSON object of numbers.
std::string Object(const std::map<std::string, std::uint64_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts) {
    text += (text.empty() ? "\"" : ",\"") + name + "\":" + std::to_string(count);
  }
  return "{" + text + "}";
}

struct Kind {
  jwt::Signer signer;
  jwt::Verifier verifier;

  Kind(secrets::Runtime& runtime, const std::string& type, std::chrono::seconds life)
      : signer(jwt::Signer::For(runtime).Type(type).Lifetime(life)),
        verifier(jwt::Verifier::For(runtime).RequireType(type).AcceptLifetimesUpTo(life)) {}
};

class Service {
 public:
  Service(secrets::Runtime& runtime, std::chrono::seconds life)
      : runtime_(runtime),
        short_(runtime, "short+jwt", life),
        long_(runtime, "long+jwt", kLongLife) {}

  std::string Answer(const std::string& line) {
    std::istringstream request(line);
    std::string verb;
    std::string kind;
    std::size_t amount = 0;
    request >> verb >> kind >> amount;
    Kind& asked = kind == "long" ? long_ : short_;
    if (verb == "sign") return Sign(asked.signer, amount);
    if (verb == "verify") return Verify(asked.verifier, amount) + "\n";
    if (verb == "status") return Status() + "\n";
    const auto refreshed = runtime_.Refresh();
    return (refreshed ? "" : refreshed.error().reason()) + "\n";
  }

 private:
  std::string Sign(const jwt::Signer& signer, std::size_t count) {
    std::string tokens;
    for (std::size_t i = 0; i < count; ++i) {
      jwt::ClaimsBuilder claims;
      claims.Subject("fake-user").Id(std::to_string(++signed_)).Text("scope", "read write");
      const auto token = signer.Sign(claims);
      if (!token) return "failed " + std::string(ToString(token.error().code())) + "\n";
      tokens += *token + '\n';
    }
    return std::to_string(tokens.size()) + "\n" + tokens;
  }

  std::string Verify(const jwt::Verifier& verifier, std::size_t bytes) {
    text_.resize(bytes);
    std::cin.read(text_.data(), static_cast<std::streamsize>(bytes));
    std::map<std::string, std::uint64_t> outcomes;
    for (std::string_view rest = text_; !rest.empty();) {
      const std::size_t end = rest.find('\n');
      ++outcomes[Outcome(verifier.Verify(rest.substr(0, end)))];
      rest.remove_prefix(end + 1);
    }
    return Object(outcomes);
  }

  static std::string Outcome(const secrets::Result<jwt::VerifiedToken>& verified) {
    if (verified) return std::string(ToString(verified->key()));
    if (const auto reason = jwt::RejectionOf(verified.error())) {
      return std::string(ToString(*reason));
    }
    return "failed:" + std::string(ToString(verified.error().code()));
  }

  std::string Status() const {
    std::string keys;
    for (const auto& [role, field] : {std::pair("current", "SECRET_KEY"),
                                      {"previous", "SECRET_KEY_PREVIOUS"},
                                      {"next", "SECRET_KEY_NEXT"}}) {
      const auto key = runtime_.Get(field);
      if (!key) continue;
      keys += (keys.empty() ? "\"" : ",\"") + std::string(role) + "\":\"" + jwt::KeyId(*key) + '"';
    }
    const secrets::RuntimeStatus status = runtime_.status();
    const std::chrono::duration<double> fetched_at = status.fetched_at.time_since_epoch();
    return R"({"version":")" + status.version + R"(","fetched_at":)" +
           std::to_string(fetched_at.count()) + R"(,"keys":{)" + keys + R"(},"short":)" +
           StatisticsOf(short_) + R"(,"long":)" + StatisticsOf(long_) + "}";
  }

  static std::string StatisticsOf(const Kind& kind) {
    const jwt::VerifierStatistics statistics = kind.verifier.statistics();
    std::map<std::string, std::uint64_t> counts{{"refreshes", statistics.refreshes}};
    for (std::size_t i = 0; i < statistics.accepted.size(); ++i) {
      counts[std::string(ToString(static_cast<jwt::KeyRole>(i)))] = statistics.accepted[i];
    }
    for (std::size_t i = 0; i < jwt::kRejections; ++i) {
      const auto reason = static_cast<jwt::Rejection>(i);
      if (const auto count = statistics.Rejected(reason); count > 0) {
        counts[std::string(ToString(reason))] = count;
      }
    }
    return Object(counts);
  }

  secrets::Runtime& runtime_;
  Kind short_;
  Kind long_;
  std::uint64_t signed_ = 0;
  std::string text_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  auto runtime = secrets::Runtime::FromEnvironment();
  if (!runtime) return secrets::Report(runtime.error());
  Service service(*runtime, std::chrono::seconds(std::atoi(argv[1])));
  std::ios::sync_with_stdio(false);
  std::cin.tie(nullptr);
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << service.Answer(line) << std::flush;
  }
  return 0;
}
