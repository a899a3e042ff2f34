#include "gcp/principal.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/ascii.h"
#include "core/json_document.h"
#include "core/shell_words.h"
#include "crypto/base64.h"

namespace qarion::secrets::gcp {
namespace {

constexpr std::string_view kAccount = "serviceAccount:";
constexpr std::size_t kLongestClaim = 320;  // of an e-mail address; subjects have at most 127

// A claim of a JSON Web Token that can be shown; empty where there is none.
std::string ClaimIn(std::string_view token, std::string_view name) {
  const std::size_t first = token.find('.');
  const std::size_t second = token.find('.', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return "";
  const auto claims = crypto::DecodeBase64Url(token.substr(first + 1, second - first - 1));
  if (!claims) return "";
  const auto json = core::JsonDocument::Parse(claims->Reveal(), "the claims");
  const auto text = json ? (*json)[name].Text() : std::nullopt;
  const bool is_shown = text && text->size() <= kLongestClaim && core::IsVisible(*text);
  return is_shown ? std::string(*text) : "";
}

// As a shell reads it, without quotes where it needs none.
std::string ShellWord(std::string_view text) {
  constexpr std::string_view kPlainSigns = "@%+=:,./_-";
  const auto is_plain = [&](char c) { return core::IsLetterOrDigit(c) || kPlainSigns.contains(c); };
  return std::ranges::all_of(text, is_plain) ? std::string(text) : core::ShellQuoted(text);
}

// Whether it is IAM's answer that a permission is missing, and not one of what stands before it.
bool IsOfPermission(const Error& error) {
  if (error.code() != ErrorCode::kNotPermitted) return false;
  const auto is = [&](std::string_view key, std::string_view value) {
    return std::ranges::any_of(error.context(), [&](const auto& detail) {
      return detail.first == key && detail.second == value;
    });
  };
  const bool has_reason =
      std::ranges::any_of(error.context(), [](const auto& d) { return d.first == "reason"; });
  return is("status", "403") && (!has_reason || is("reason", "IAM_PERMISSION_DENIED"));
}

}  // namespace

std::string UserIn(std::string_view id_token) {
  const std::string email = ClaimIn(id_token, "email");
  return email.contains('@') ? "user:" + email : "";
}

std::string PoolMemberIn(std::string_view audience, std::string_view subject_token) {
  constexpr std::string_view kPools = "//iam.googleapis.com/";
  const std::size_t providers = audience.find("/providers/");
  if (!audience.starts_with(kPools) || providers == std::string_view::npos) return "";
  const std::string subject = ClaimIn(subject_token, "sub");
  if (subject.empty()) return "";
  return "principal:" + std::string(audience.substr(0, providers)) + "/subject/" + subject;
}

std::string_view AccountIn(std::string_view principal) {
  return principal.starts_with(kAccount) ? principal.substr(kAccount.size()) : std::string_view();
}

std::string MemberFlag(std::string_view principal) {
  return " --member=" + (principal.empty() ? "PRINCIPAL" : ShellWord(principal));
}

Error WithGrants(Error error, std::string_view asker, std::span<const std::string> accounts) {
  if (!IsOfPermission(error)) return error;
  std::string cure = "permit it: ";
  std::string member(asker);
  for (const std::string& account : accounts) {
    const std::string email = account.substr(account.rfind('/') + 1);
    if (&account != accounts.data()) cure += "; ";
    cure += "gcloud iam service-accounts add-iam-policy-binding " + email + MemberFlag(member) +
            " --role=roles/iam.serviceAccountTokenCreator";
    member = std::string(kAccount) + email;
  }
  return std::move(error).Cure(std::move(cure));
}

}  // namespace qarion::secrets::gcp
