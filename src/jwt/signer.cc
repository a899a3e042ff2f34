#include "qarion/secrets/jwt_signer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "core/json_escape.h"
#include "core/loan_pool.h"
#include "core/utf8.h"
#include "crypto/token_text.h"
#include "jwt/claims_json.h"
#include "jwt/compact.h"
#include "jwt/key_ring.h"

namespace qarion::secrets::jwt {
namespace {

Error Mistake(std::string what) {
  return Error(ErrorCode::kUsage, "the token is not signed: " + std::move(what))
      .Cure("correct the claims");
}

}  // namespace

class Signer::Impl {
 public:
  Impl(KeySource source, Algorithm algorithm) : source_(std::move(source)), algorithm_(algorithm) {}

  std::string type = "JWT";
  std::chrono::seconds lifetime = kDefaultLifetime;
  std::shared_ptr<Clock> clock = Clock::System();
  bool has_key_id = true;

  Status Check() const {
    auto keys = source_.Take();
    if (!keys) return std::move(keys).error();
    return CheckKeys({.current = keys->current.Share()}, algorithm_, false);
  }

  Result<std::string> Sign(const ClaimsBuilder& claims) const {
    if (!claims.mistake_.empty()) return Mistake(claims.mistake_);
    if (core::FindInvalidUtf8(type)) return Mistake("its type is not UTF-8");
    auto loan = desks_.Borrow();
    if (!loan) return std::move(loan).error();
    Desk& desk = **loan;
    if (auto updated = desk.ring.Update(false); !updated) return std::move(updated).error();
    if (const Error* problem = desk.ring.current_problem()) return *problem;
    if (desk.generation != desk.ring.generation()) {
      desk.header = HeaderText(desk.ring.keys().front().id);
      desk.generation = desk.ring.generation();
    }
    if (auto written = WritePayload(claims, desk.payload); !written) {
      return std::move(written).error();
    }
    return Assemble(desk);
  }

 private:
  // What one thread signs with.
  struct Desk {
    KeyRing ring;
    std::uint64_t generation = 0;  // of the ring, when the header was written
    std::string header = {};       // encoded, with the dot after it
    std::string payload = {};
  };

  std::string HeaderText(const std::string& key_id) const {
    std::string json =
        R"({"alg":")" + std::string(ToString(algorithm_)) + R"(","typ":)" + core::QuotedJson(type);
    if (has_key_id) json += R"(,"kid":")" + key_id + '"';
    json += '}';
    std::string text;
    AppendEncoded(json, text);
    return text + '.';
  }

  Status WritePayload(const ClaimsBuilder& claims, std::string& payload) const {
    const std::int64_t issued_at =
        claims.issued_at_ ? *claims.issued_at_ : SecondsOf(clock->SystemNow());
    const std::int64_t expires_at =
        claims.expires_at_ ? *claims.expires_at_ : issued_at + lifetime.count();
    if (expires_at <= issued_at) return Mistake("it would end before it begins");
    payload = claims.members_;
    if (!claims.issued_at_) AppendDate("iat", issued_at, payload);
    if (!claims.expires_at_) AppendDate("exp", expires_at, payload);
    payload.front() = '{';  // in place of a comma
    payload += '}';
    return {};
  }

  static void AppendDate(const char* name, std::int64_t seconds, std::string& payload) {
    payload += ",\"";
    payload += name;
    payload += "\":";
    payload += std::to_string(seconds);
  }

  static std::string Assemble(Desk& desk) {
    using crypto::UnpaddedTextSize;
    std::string token;
    token.reserve(desk.header.size() + UnpaddedTextSize(desk.payload.size()) + 1 +
                  crypto::TokenTextSize(kMostHashBytes));
    token = desk.header;
    AppendEncoded(desk.payload, token);
    const Mac::Code code = desk.ring.keys().front().mac.Of(token);
    token += '.';
    AppendEncoded(code.text(), token);
    return token;
  }

  const KeySource source_;
  const Algorithm algorithm_;
  core::LoanPool<Desk> desks_{[this]() -> Result<std::unique_ptr<Desk>> {
    return std::make_unique<Desk>(Desk{.ring = KeyRing(source_, algorithm_)});
  }};
};

Signer::Signer(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;
Signer::~Signer() = default;

Signer Signer::For(const Runtime& runtime, Algorithm algorithm) {
  return Signer(std::make_unique<Impl>(KeySource{.runtime = &runtime}, algorithm));
}

Result<Signer> Signer::With(Secret key, Algorithm algorithm) {
  Signer signer(std::make_unique<Impl>(KeySource{.given = {.current = std::move(key)}}, algorithm));
  if (auto fit = signer.Check(); !fit) return std::move(fit).error();
  return signer;
}

Signer Signer::Type(std::string type) && {
  impl_->type = std::move(type);
  return std::move(*this);
}

Signer Signer::Lifetime(std::chrono::seconds lifetime) && {
  impl_->lifetime = std::clamp(lifetime, std::chrono::seconds(0), kLastDate);
  return std::move(*this);
}

Signer Signer::UseClock(std::shared_ptr<Clock> clock) && {
  impl_->clock = clock ? std::move(clock) : Clock::System();
  return std::move(*this);
}

Signer Signer::OmitKeyId() && {
  impl_->has_key_id = false;
  return std::move(*this);
}

Status Signer::Check() const { return impl_->Check(); }
Result<std::string> Signer::Sign(const ClaimsBuilder& claims) const { return impl_->Sign(claims); }

}  // namespace qarion::secrets::jwt
