#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

#include "core/json_escape.h"
#include "core/utf8.h"
#include "jwt/claims_json.h"

namespace qarion::secrets::jwt {
namespace {

using core::JsonEvent;

template <typename Number>
std::optional<Number> NumberOf(const JsonMember* member) noexcept {
  if (member == nullptr || member->kind != JsonEvent::kNumber) return std::nullopt;
  Number number{};
  const char* const end = member->json.data() + member->json.size();
  const auto [at, error] = std::from_chars(member->json.data(), end, number);
  if (error != std::errc() || at != end) return std::nullopt;
  return number;
}

// What a Verifier demands of the standard claims.
template <typename Kind>
bool MayBe(std::string_view name, Kind kind) {
  if (name == "iss" || name == "sub" || name == "jti") return kind == Kind::kText;
  if (name == "aud") return kind == Kind::kText || kind == Kind::kTexts;
  if (name == "exp" || name == "nbf" || name == "iat") return kind == Kind::kDate;
  return true;
}

}  // namespace

std::optional<NumericDate> NumericDateOf(const JsonMember& member) noexcept {
  constexpr std::int64_t kLast = kLastDate.count();
  if (const auto whole = NumberOf<std::int64_t>(&member)) {
    if (*whole < 0 || *whole > kLast) return std::nullopt;
    return NumericDate{*whole, false};
  }
  const auto number = NumberOf<double>(&member);
  if (!number || *number < 0 || *number > static_cast<double>(kLast)) return std::nullopt;
  const double seconds = std::floor(*number);
  return NumericDate{static_cast<std::int64_t>(seconds), seconds != *number};
}

Claims::Claims(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Claims::Claims(Claims&&) noexcept = default;
Claims& Claims::operator=(Claims&&) noexcept = default;
Claims::~Claims() = default;

Result<Claims> Claims::Parse(std::string_view json) {
  auto impl = std::make_unique<Impl>();
  impl->json = json;
  if (auto read = impl->object.Read(impl->json); !read) return std::move(read).error();
  return Claims(std::move(impl));
}

bool Claims::Has(std::string_view name) const noexcept {
  return impl_->object.Find(name) != nullptr;
}

std::optional<std::string_view> Claims::Text(std::string_view name) const noexcept {
  const JsonMember* const found = impl_->object.Find(name);
  if (found == nullptr || found->kind != JsonEvent::kString) return std::nullopt;
  return found->text;
}

std::optional<std::int64_t> Claims::Integer(std::string_view name) const noexcept {
  return NumberOf<std::int64_t>(impl_->object.Find(name));
}

std::optional<double> Claims::Number(std::string_view name) const noexcept {
  return NumberOf<double>(impl_->object.Find(name));
}

std::optional<bool> Claims::Bool(std::string_view name) const noexcept {
  const JsonMember* const found = impl_->object.Find(name);
  if (found == nullptr || found->kind != JsonEvent::kBool) return std::nullopt;
  return found->json == "true";
}

std::optional<std::vector<std::string>> Claims::Texts(std::string_view name) const {
  const JsonMember* const found = impl_->object.Find(name);
  if (found == nullptr) return std::nullopt;
  return TextsOf(found->json);
}

std::optional<std::vector<std::string>> Claims::audience() const {
  if (const auto one = Text("aud")) return std::vector<std::string>{std::string(*one)};
  return Texts("aud");
}

std::optional<Time> Claims::Date(std::string_view name) const noexcept {
  using std::chrono::seconds;
  constexpr auto kLast = std::chrono::floor<seconds>(Time::max()).time_since_epoch().count();
  const JsonMember* const found = impl_->object.Find(name);
  const auto date = found != nullptr ? NumericDateOf(*found) : std::nullopt;
  if (!date) return std::nullopt;
  return Time(seconds(std::min<std::int64_t>(date->seconds, kLast)));
}

std::optional<std::string_view> Claims::Json(std::string_view name) const noexcept {
  const JsonMember* const found = impl_->object.Find(name);
  if (found == nullptr) return std::nullopt;
  return found->json;
}

std::vector<std::string_view> Claims::names() const {
  std::vector<std::string_view> names;
  for (const JsonMember& member : impl_->object.members()) names.push_back(member.name);
  return names;
}

std::string_view Claims::json() const noexcept { return impl_->json; }

void ClaimsBuilder::Blame(std::string mistake) {
  if (mistake_.empty()) mistake_ = std::move(mistake);
}

// A name is written in one way, so that one that is given twice is the same text twice.
std::string& ClaimsBuilder::Value(std::string_view name, Kind kind) {
  constexpr std::size_t kUsualBytes = 512;
  constexpr std::size_t kUsualNames = 12;
  if (members_.empty()) {
    members_.reserve(kUsualBytes);
    names_.reserve(kUsualNames);
  }
  members_ += ',';
  const std::size_t begin = members_.size();
  core::AppendQuotedJson(name, members_);
  const std::string_view quoted = std::string_view(members_).substr(begin);
  const bool is_there = std::ranges::any_of(names_, [&](const auto& earlier) {
    return std::string_view(members_).substr(earlier.first, earlier.second) == quoted;
  });
  if (is_there) Blame("a claim is given twice");
  if (core::FindInvalidUtf8(name)) Blame("the name of a claim is not UTF-8");
  if (!MayBe(name, kind)) Blame("the claim " + std::string(name) + " is of a wrong type");
  constexpr std::size_t kMostClaims = 1000;  // more than fit into any token that is accepted
  if (names_.size() == kMostClaims) Blame("there are more than 1000 claims");
  if (names_.size() < kMostClaims) names_.emplace_back(begin, quoted.size());
  members_ += ':';
  return members_;
}

ClaimsBuilder& ClaimsBuilder::Text(std::string_view name, std::string_view value) {
  core::AppendQuotedJson(value, Value(name, Kind::kText));
  if (core::FindInvalidUtf8(value)) Blame("a claim is not UTF-8");
  return *this;
}

ClaimsBuilder& ClaimsBuilder::Integer(std::string_view name, std::int64_t value) {
  const bool may_be_date = value >= 0 && value <= kLastDate.count();
  Value(name, may_be_date ? Kind::kDate : Kind::kOther) += std::to_string(value);
  if (name == "iat" && may_be_date) issued_at_ = value;
  if (name == "exp" && may_be_date) expires_at_ = value;
  return *this;
}

ClaimsBuilder& ClaimsBuilder::Bool(std::string_view name, bool value) {
  Value(name, Kind::kOther) += value ? "true" : "false";
  return *this;
}

ClaimsBuilder& ClaimsBuilder::Texts(std::string_view name, std::span<const std::string> values) {
  std::string& out = Value(name, Kind::kTexts);
  out += '[';
  for (const std::string& value : values) {
    if (&value != values.data()) out += ',';
    core::AppendQuotedJson(value, out);
    if (core::FindInvalidUtf8(value)) Blame("a claim is not UTF-8");
  }
  out += ']';
  return *this;
}

ClaimsBuilder& ClaimsBuilder::Date(std::string_view name, Time time) {
  return Integer(name, SecondsOf(time));
}

ClaimsBuilder& ClaimsBuilder::Json(std::string_view name, std::string_view json) {
  // Held to what is demanded of it where it is going to stand.
  const std::string object = R"({"":)" + std::string(json) + '}';
  JsonObject read;
  const Status strict = read.Read(object);
  if (!strict || read.members().size() != 1) {
    Blame("a claim that is given as JSON " +
          (strict ? "is more than one value" : strict.error().reason()));
    return *this;
  }
  const JsonMember& member = read.members().front();
  switch (member.kind) {
    case JsonEvent::kString: return Text(name, member.text);
    case JsonEvent::kNumber:
      if (const auto integer = NumberOf<std::int64_t>(&member)) return Integer(name, *integer);
      break;
    default: break;
  }
  Value(name, TextsOf(member.json) ? Kind::kTexts : Kind::kOther) += member.json;
  return *this;
}

}  // namespace qarion::secrets::jwt
