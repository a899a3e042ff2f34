#include "qarion/secrets/field_cipher.h"
#include "fernet/key_fields.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "qarion/secrets/snapshot.h"

namespace qarion::secrets {
namespace {

// The keys of one snapshot.
struct Keys {
  Secret current;
  Secret previous;  // empty where there is none

  bool ConstantTimeEquals(const Keys& other) const noexcept {
    return current.ConstantTimeEquals(other.current) && previous.ConstantTimeEquals(other.previous);
  }
};

Secret FieldOf(const Snapshot& snapshot, std::string_view name) {
  const Secret* found = snapshot.Find(name);
  return found != nullptr ? found->Share() : Secret();
}

Error SameKeys() {
  return Error(ErrorCode::kConfiguration, std::string(fernet::kPreviousKeyField) +
                                              " is the same as " + fernet::kCurrentKeyField)
      .With("field", fernet::kPreviousKeyField)
      .Cure("set it to the key that was there before, or remove it");
}

Result<FernetKey> ParseCurrent(const Secret& text) {
  auto key = FernetKey::Parse(text.Reveal(), fernet::kCurrentKeyField);
  if (!key) return key;
  if (auto fit = RefuseUnfitKey(*key, fernet::kCurrentKeyField); !fit) {
    return std::move(fit).error().Cure(
        "make it INSTANCE_ENCRYPTION_KEY_PREVIOUS, set INSTANCE_ENCRYPTION_KEY to a new one, and "
        "rotate the data to that: `qsecrets rotate encryption-key`");
  }
  return key;
}

Result<Fernet> MakeFernet(const Keys& keys) {
  auto current = ParseCurrent(keys.current);
  if (!current) return std::move(current).error();
  std::vector<FernetKey> parsed;
  parsed.push_back(*std::move(current));
  if (!keys.previous.empty()) {
    auto previous = FernetKey::Parse(keys.previous.Reveal(), fernet::kPreviousKeyField);
    if (!previous) return std::move(previous).error();
    if (previous->ConstantTimeEquals(parsed.front())) return SameKeys();
    parsed.push_back(*std::move(previous));
  }
  return Fernet::Create(std::move(parsed));
}

}  // namespace

class FieldCipher::Impl {
 public:
  explicit Impl(const Runtime& runtime) : runtime_(runtime) {}

  // Under the keys that the runtime has now.
  Result<std::shared_ptr<const Fernet>> Current() {
    auto snapshot = runtime_.TakeSnapshot();
    if (!snapshot) return std::move(snapshot).error();
    const std::lock_guard lock(mutex_);
    if (fernet_ != nullptr && IsLatest(*snapshot)) return fernet_;
    return Renew(*snapshot);
  }

  Result<std::string> Encrypt(std::string_view plaintext) {
    const auto fernet = Current();
    if (!fernet) return fernet.error();
    auto token = (*fernet)->Encrypt(plaintext);
    if (token) Count(encrypted_);
    return token;
  }

  Result<FernetMessage> Decrypt(std::string_view token, const FernetDecryptOptions& options) {
    const auto fernet = Current();
    if (!fernet) return fernet.error();
    auto message = (*fernet)->Decrypt(token, options);
    if (message) {
      Count(message->key == 0 ? opened_by_current_ : opened_by_previous_);
      if (message->was_lenient) Count(lenient_);
    } else if (message.error().code() == ErrorCode::kBadData) {
      Count(refused_);
    }
    return message;
  }

  FieldCipherStatistics statistics() const noexcept {
    return {.encrypted = encrypted_,
            .opened_by_current = opened_by_current_,
            .opened_by_previous = opened_by_previous_,
            .lenient = lenient_,
            .refused = refused_};
  }

 private:
  using Counter = std::atomic<std::uint64_t>;

  static void Count(Counter& counter) noexcept { counter.fetch_add(1, std::memory_order_relaxed); }

  bool IsLatest(const std::shared_ptr<const Snapshot>& snapshot) const noexcept {
    return !seen_.owner_before(snapshot) && !snapshot.owner_before(seen_);
  }

  // Most refreshes bring the same keys again.
  Result<std::shared_ptr<const Fernet>> Renew(const std::shared_ptr<const Snapshot>& snapshot) {
    if (snapshot->Find(fernet::kCurrentKeyField) == nullptr) return NotSet();
    Keys keys{FieldOf(*snapshot, fernet::kCurrentKeyField),
              FieldOf(*snapshot, fernet::kPreviousKeyField)};
    if (fernet_ == nullptr || !keys.ConstantTimeEquals(keys_)) {
      auto fernet = MakeFernet(keys);
      if (!fernet) return std::move(fernet).error();
      fernet_ = std::make_shared<const Fernet>(*std::move(fernet));
      keys_ = std::move(keys);
    }
    seen_ = snapshot;
    return fernet_;
  }

  // As the runtime says it, with the cure for its backend.
  Error NotSet() const {
    auto key = runtime_.Get(fernet::kCurrentKeyField);
    if (!key) return std::move(key).error();
    return Error(ErrorCode::kTryAgain, std::string(fernet::kCurrentKeyField) + " is just being set")
        .Cure("try again");
  }

  const Runtime& runtime_;
  std::mutex mutex_;
  std::weak_ptr<const Snapshot> seen_;  // what the rest was taken from
  Keys keys_;
  std::shared_ptr<const Fernet> fernet_;
  Counter encrypted_ = 0;
  Counter opened_by_current_ = 0;
  Counter opened_by_previous_ = 0;
  Counter lenient_ = 0;
  Counter refused_ = 0;
};

FieldCipher::FieldCipher(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
FieldCipher::FieldCipher(FieldCipher&&) noexcept = default;
FieldCipher& FieldCipher::operator=(FieldCipher&&) noexcept = default;
FieldCipher::~FieldCipher() = default;

Result<FieldCipher> FieldCipher::For(const Runtime& runtime) {
  auto impl = std::make_unique<Impl>(runtime);
  if (auto fernet = impl->Current(); !fernet) return std::move(fernet).error();
  return FieldCipher(std::move(impl));
}

Result<std::string> FieldCipher::Encrypt(std::string_view plaintext) const {
  return impl_->Encrypt(plaintext);
}

Result<FernetMessage> FieldCipher::Decrypt(std::string_view token,
                                           const FernetDecryptOptions& options) const {
  return impl_->Decrypt(token, options);
}

FieldCipherStatistics FieldCipher::statistics() const noexcept { return impl_->statistics(); }

}  // namespace qarion::secrets
