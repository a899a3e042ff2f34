// What every backend has to keep to, whatever store is behind it. A backend joins by describing its
// store as a Backend and instantiating the suite (see env_conformance_test.cc).
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "qarion/secrets/provider.h"

namespace qarion::secrets::conformance {

// A store of the test's own with one secret in it, and the way to open a provider for it.
class Backend {
 public:
  using Fields = std::map<std::string, std::string>;

  virtual ~Backend() = default;

  // Makes the secret hold exactly these fields. A provider opened before sees them at its next
  // fetch.
  virtual void Store(const Fields& fields) = 0;

  // Makes the secret unreadable (cut short, malformed), with `value` somewhere in it.
  virtual void Corrupt(const std::string& value) = 0;

  // Makes the secret not exist.
  virtual void Remove() = 0;

  // Opens a provider. It may be used as long as this object lives.
  virtual Result<std::unique_ptr<SecretProvider>> Open() = 0;

  // Whether a value may hold zero bytes and bytes that are not UTF-8.
  virtual bool holds_any_byte() const = 0;

  // How many bytes a value may have at least.
  virtual std::size_t longest_value() const { return std::size_t{256} * 1024; }
};

struct Case {
  const char* name;
  std::unique_ptr<Backend> (*make)();
};

template <typename StoreOfATest>
std::unique_ptr<Backend> Make() {
  return std::make_unique<StoreOfATest>();
}

inline std::string NameOf(const testing::TestParamInfo<Case>& tested) { return tested.param.name; }

inline void PrintTo(const Case& tested, std::ostream* out) { *out << tested.name; }

class ProviderConformance : public testing::TestWithParam<Case> {
 protected:
  ProviderConformance() : backend_(GetParam().make()) {}

  // Opens the provider where a test did not, and fetches.
  Result<Payload> Fetch(const std::string& known_version = "");

  // Fetches what must be there, as names and values.
  Backend::Fields FetchFields();

  FieldSet fields_ = FieldSet::BuiltIn();
  std::chrono::steady_clock::time_point deadline_ =
      std::chrono::steady_clock::now() + std::chrono::seconds(30);
  std::stop_source stop_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<SecretProvider> provider_;
};

}  // namespace qarion::secrets::conformance
