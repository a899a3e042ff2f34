// What a JSON Web Token says (RFC 7519, 4): read by type, and put together to be signed.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qarion/secrets/export.h>
#include <qarion/secrets/result.h>

namespace qarion::secrets::jwt {

using Time = std::chrono::system_clock::time_point;

// The members of a JSON object (RFC 8259) that was read strictly: no name twice at any depth, UTF-8
// without a byte order mark and lone surrogates, nested 16 deep at most. A claim of another type
// than the one asked for is absent.
//
// Thread-safety: const members from several threads. Lifetime: owns its text, which views are into.
class QARION_SECRETS_EXPORT Claims {
 public:
  // kBadData: not such an object; with the position, never with content.
  static Result<Claims> Parse(std::string_view json);

  Claims(Claims&&) noexcept;
  Claims& operator=(Claims&&) noexcept;
  ~Claims();

  std::optional<std::string_view> issuer() const noexcept { return Text("iss"); }
  std::optional<std::string_view> subject() const noexcept { return Text("sub"); }
  std::optional<std::string_view> id() const noexcept { return Text("jti"); }
  // One string counts as an array of it.
  std::optional<std::vector<std::string>> audience() const;
  std::optional<Time> expires_at() const noexcept { return Date("exp"); }
  std::optional<Time> not_before() const noexcept { return Date("nbf"); }
  std::optional<Time> issued_at() const noexcept { return Date("iat"); }

  bool Has(std::string_view name) const noexcept;
  std::optional<std::string_view> Text(std::string_view name) const noexcept;
  // A number that is written without fraction and exponent and fits.
  std::optional<std::int64_t> Integer(std::string_view name) const noexcept;
  std::optional<double> Number(std::string_view name) const noexcept;
  std::optional<bool> Bool(std::string_view name) const noexcept;
  // An array of strings, and nothing else in it.
  std::optional<std::vector<std::string>> Texts(std::string_view name) const;
  // Seconds since 1970, from 0 up to 2^53; of a fraction, the second before it. What the clock
  // cannot say is its last second.
  std::optional<Time> Date(std::string_view name) const noexcept;
  // A value of any type as it stands in the text; parse it further, an object by Parse().
  std::optional<std::string_view> Json(std::string_view name) const noexcept;

  std::vector<std::string_view> names() const;  // in their order
  std::string_view json() const noexcept;       // all of it, as it was read

 private:
  friend class Verifier;
  friend class UnverifiedToken;
  class Impl;
  explicit Claims(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

// Claims that are to be signed, in the order in which they were put. Mistakes (a name twice, text
// that is no UTF-8, JSON that is none, a standard claim of a wrong type, a time before 1970) are
// kept, and told by Signer::Sign.
//
// Thread-safety: one thread at a time. Lifetime: owns what it is given.
class QARION_SECRETS_EXPORT ClaimsBuilder {
 public:
  ClaimsBuilder& Issuer(std::string_view issuer) { return Text("iss", issuer); }
  ClaimsBuilder& Subject(std::string_view subject) { return Text("sub", subject); }
  ClaimsBuilder& Id(std::string_view id) { return Text("jti", id); }
  ClaimsBuilder& Audience(std::string_view audience) { return Text("aud", audience); }
  ClaimsBuilder& Audience(std::span<const std::string> audience) { return Texts("aud", audience); }
  // Where they are not given, the signer says when it signs, and how long its tokens live.
  ClaimsBuilder& ExpiresAt(Time time) { return Date("exp", time); }
  ClaimsBuilder& IssuedAt(Time time) { return Date("iat", time); }
  ClaimsBuilder& NotBefore(Time time) { return Date("nbf", time); }

  ClaimsBuilder& Text(std::string_view name, std::string_view value);
  ClaimsBuilder& Integer(std::string_view name, std::int64_t value);
  ClaimsBuilder& Bool(std::string_view name, bool value);
  ClaimsBuilder& Texts(std::string_view name, std::span<const std::string> values);
  ClaimsBuilder& Date(std::string_view name, Time time);  // in whole seconds
  // Any value, as JSON that is held to what Claims::Parse demands.
  ClaimsBuilder& Json(std::string_view name, std::string_view json);

 private:
  friend class Signer;
  enum class Kind { kText, kTexts, kDate, kOther };

  // Begins a member, and returns where its value goes.
  std::string& Value(std::string_view name, Kind kind);
  void Blame(std::string mistake);

  std::string members_;  // `"name":value`, each with a comma before it
  std::vector<std::pair<std::size_t, std::size_t>> names_;  // where they begin, and their sizes
  std::optional<std::int64_t> issued_at_;                   // in seconds, where they are given
  std::optional<std::int64_t> expires_at_;
  std::string mistake_;  // the first one
};

}  // namespace qarion::secrets::jwt
