// Result<T>: a value, or the Error that explains why there is none.
//
// Member names are those of std::expected, which libstdc++ 12 has without monadic members and
// without [[nodiscard]].
#pragma once

#include <type_traits>
#include <utility>
#include <variant>

#include <qarion/secrets/error.h>

namespace qarion::secrets {

// Holds exactly one of a T and an Error. Reading the wrong one is undefined, as with std::expected
// (and aborts in builds with libstdc++ assertions).
//
// Thread-safety: as T. Lifetime: owns what it holds.
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  template <typename U = T>
    requires(std::is_constructible_v<T, U &&> && !std::is_same_v<std::remove_cvref_t<U>, Result> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error>)
  // NOLINTNEXTLINE(google-explicit-constructor): `return value;` is the point of the type.
  Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}

  // NOLINTNEXTLINE(google-explicit-constructor): so is `return error;`.
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& value() & noexcept { return *std::get_if<0>(&state_); }
  const T& value() const& noexcept { return *std::get_if<0>(&state_); }
  T&& value() && noexcept { return std::move(*std::get_if<0>(&state_)); }

  T& operator*() & noexcept { return value(); }
  const T& operator*() const& noexcept { return value(); }
  T&& operator*() && noexcept { return std::move(*this).value(); }
  T* operator->() noexcept { return std::get_if<0>(&state_); }
  const T* operator->() const noexcept { return std::get_if<0>(&state_); }

  Error& error() & noexcept { return *std::get_if<1>(&state_); }
  const Error& error() const& noexcept { return *std::get_if<1>(&state_); }
  Error&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

  template <typename U>
  T value_or(U&& fallback) && {
    return has_value() ? std::move(*this).value() : static_cast<T>(std::forward<U>(fallback));
  }

  // Calls `function` with the value and returns its Result; an error passes through.
  template <typename F>
  auto and_then(F&& function) && -> std::invoke_result_t<F, T&&> {
    if (!has_value()) return std::move(*this).error();
    return std::forward<F>(function)(std::move(*this).value());
  }

  // Calls `function` with the value and wraps what it returns; an error passes through.
  template <typename F>
  auto transform(F&& function) && -> Result<std::invoke_result_t<F, T&&>> {
    if (!has_value()) return std::move(*this).error();
    return std::forward<F>(function)(std::move(*this).value());
  }

 private:
  std::variant<T, Error> state_;
};

// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() noexcept = default;
  // NOLINTNEXTLINE(google-explicit-constructor): `return error;` is the point of the type.
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  Error& error() & noexcept { return *std::get_if<1>(&state_); }
  const Error& error() const& noexcept { return *std::get_if<1>(&state_); }
  Error&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<std::monostate, Error> state_;
};

using Status = Result<void>;

}  // namespace qarion::secrets
