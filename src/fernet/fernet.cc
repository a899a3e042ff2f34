#include "qarion/secrets/fernet.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <limits>
#include <utility>

#include "core/loan_pool.h"
#include "crypto/fernet_ring.h"

namespace qarion::secrets {
namespace {

using crypto::FernetFault;
using crypto::FernetReading;
using std::chrono::floor;
using std::chrono::seconds;
using std::chrono::system_clock;

// How far the clock of another machine may be ahead; as much as Python's `cryptography` grants.
constexpr std::uint64_t kMaxClockSkewSeconds = 60;

constexpr std::size_t kMostKeptBytes = std::size_t{16} * 1024;

Error NotOpened(FernetFault fault) {
  if (fault == FernetFault::kInternal) {
    return Error(ErrorCode::kInternal, "OpenSSL fails to decrypt")
        .Cure("look for a want of memory");
  }
  return Error(ErrorCode::kBadData,
               "the token is not valid: it was changed, is too old, or was made with another key")
      .Cure("see that it is whole, and add the key that it was made with");
}

// A time as tokens have it; one before 1970 is 1970.
std::uint64_t SecondsOf(system_clock::time_point time) {
  return static_cast<std::uint64_t>(
      std::max<seconds::rep>(floor<seconds>(time).time_since_epoch().count(), 0));
}

// A clock that lags by a tick of 4 ms is good enough for seconds, and takes a tenth of the time.
std::uint64_t NowSeconds() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return static_cast<std::uint64_t>(std::max<time_t>(now.tv_sec, 0));
}

// What a token says may be anything: what the clock cannot say becomes its last second.
system_clock::time_point TimeOf(std::uint64_t timestamp) {
  constexpr auto kLast = floor<seconds>(system_clock::time_point::max()).time_since_epoch();
  const auto last = static_cast<std::uint64_t>(kLast.count());
  return system_clock::time_point(seconds(static_cast<seconds::rep>(std::min(timestamp, last))));
}

// "If the user has specified a maximum age (or "time-to-live") for the token, ensure the recorded
// timestamp is not too far in the past." Of age `ttl` it is not, and a TTL of less than 0 accepts
// nothing. The subtractions cannot overflow, whatever the token says.
FernetFault CheckAge(std::uint64_t timestamp, const FernetDecryptOptions& options) {
  if (!options.ttl) return FernetFault::kNone;
  const std::uint64_t now = options.now ? SecondsOf(*options.now) : NowSeconds();
  if (timestamp > now) {
    return timestamp - now > kMaxClockSkewSeconds ? FernetFault::kFuture : FernetFault::kNone;
  }
  const auto ttl = options.ttl->count();
  if (ttl < 0 || now - timestamp > static_cast<std::uint64_t>(ttl)) return FernetFault::kExpired;
  return FernetFault::kNone;
}

struct PooledRing {
  crypto::FernetRing ring;
  crypto::OpenedFernet opened;  // room for whoever has the ring; to be left empty
};

}  // namespace

class Fernet::Impl {
 public:
  explicit Impl(std::vector<FernetKey> keys) : keys_(std::move(keys)) {}

  Result<crypto::OpenedFernet> Open(std::string_view token, FernetReading reading) const {
    auto ring = rings_.Borrow();
    if (!ring) return std::move(ring).error();
    crypto::OpenedFernet opened;
    const FernetFault fault = (*ring)->ring.Open(token, reading, opened);
    if (fault != FernetFault::kNone) return NotOpened(fault);
    return opened;
  }

  Result<std::string> Seal(std::string_view plaintext, std::uint64_t timestamp) const {
    auto ring = rings_.Borrow();
    if (!ring) return std::move(ring).error();
    return Seal((*ring)->ring, plaintext, timestamp);
  }

  Result<std::string> Rotate(std::string_view token) const {
    auto ring = rings_.Borrow();
    if (!ring) return std::move(ring).error();
    crypto::OpenedFernet& opened = (*ring)->opened;
    const FernetFault fault = (*ring)->ring.Open(token, FernetReading::kStrict, opened);
    if (fault != FernetFault::kNone) return NotOpened(fault);
    auto rotated = Seal((*ring)->ring, opened.plaintext.Reveal(), opened.timestamp);
    // Room for a long value is not kept for the short ones after it.
    if (opened.plaintext.size() > kMostKeptBytes) opened.plaintext = {};
    opened.plaintext.Clear();
    return rotated;
  }

 private:
  static Result<std::string> Seal(crypto::FernetRing& ring, std::string_view plaintext,
                                  std::uint64_t timestamp) {
    std::string token;
    if (auto sealed = ring.Seal(plaintext, timestamp, token); !sealed) {
      return std::move(sealed).error();
    }
    return token;
  }

  Result<std::unique_ptr<PooledRing>> MakeRing() const {
    auto ring = crypto::FernetRing::Create(keys_);
    if (!ring) return std::move(ring).error();
    return std::make_unique<PooledRing>(PooledRing{*std::move(ring), {}});
  }

  const std::vector<FernetKey> keys_;
  core::LoanPool<PooledRing> rings_{[this] { return MakeRing(); }};
};

Fernet::Fernet(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Fernet::Fernet(Fernet&&) noexcept = default;
Fernet& Fernet::operator=(Fernet&&) noexcept = default;
Fernet::~Fernet() = default;

Result<Fernet> Fernet::Create(std::vector<FernetKey> keys) {
  if (keys.empty()) {
    return Error(ErrorCode::kUsage, "Fernet needs a key").Cure("give at least one");
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (!keys[i].ConstantTimeEquals(keys[j])) continue;
      return Error(ErrorCode::kUsage, "the Fernet key " + keys[i].fingerprint() + " is given twice")
          .Cure("give each key once");
    }
  }
  auto impl = std::make_unique<Impl>(std::move(keys));
  // Whatever OpenSSL lacks is seen now.
  if (auto sealed = impl->Seal({}, 0); !sealed) return std::move(sealed).error();
  return Fernet(std::move(impl));
}

Result<Fernet> Fernet::Create(FernetKey key) {
  std::vector<FernetKey> keys;
  keys.push_back(std::move(key));
  return Create(std::move(keys));
}

Result<std::string> Fernet::Encrypt(std::string_view plaintext) const {
  return impl_->Seal(plaintext, NowSeconds());
}

Result<std::string> Fernet::EncryptAt(std::string_view plaintext,
                                      system_clock::time_point time) const {
  if (time < system_clock::time_point()) {
    return Error(ErrorCode::kUsage, "a token cannot be dated before 1970")
        .Cure("give a later time");
  }
  return impl_->Seal(plaintext, SecondsOf(time));
}

Result<FernetMessage> Fernet::Decrypt(std::string_view token,
                                      const FernetDecryptOptions& options) const {
  auto opened =
      impl_->Open(token, options.is_lenient ? FernetReading::kLenient : FernetReading::kStrict);
  if (!opened) return std::move(opened).error();
  const FernetFault fault = CheckAge(opened->timestamp, options);
  if (fault != FernetFault::kNone) return NotOpened(fault);
  return FernetMessage{.plaintext = std::move(opened->plaintext).Seal(),
                       .encrypted_at = TimeOf(opened->timestamp),
                       .key = opened->key,
                       .was_lenient = opened->was_lenient};
}

Result<system_clock::time_point> Fernet::ExtractTimestamp(std::string_view token) const {
  const auto opened = impl_->Open(token, FernetReading::kStrict);
  if (!opened) return opened.error();
  return TimeOf(opened->timestamp);
}

Result<std::string> Fernet::Rotate(std::string_view token) const { return impl_->Rotate(token); }

}  // namespace qarion::secrets
