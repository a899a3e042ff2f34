#include "core/signing_key_text.h"

#include <algorithm>
#include <array>

#include "core/ascii.h"

namespace qarion::secrets::core {
namespace {

// Those of 32 bytes and more: shorter ones are refused anyway.
constexpr std::array<std::string_view, 14> kPublishedKeys = {
    // jwt.io
    "a-string-secret-at-least-256-bits-long",
    "a-valid-string-secret-that-is-at-least-384-bits-long",
    "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
    // RFC 7515, A.1, and RFC 7520, 3.5
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
    // FastAPI, Flask, Spring, JHipster, Supabase, Superset, Nacos, LibreChat: their documentation,
    // or what they come with
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    "404E635266556A586E3272357538782F413F4428472B4B6250645367566B5970",
    "my-secret-token-to-change-in-production",
    "super-secret-jwt-token-with-at-least-32-characters-long",
    "YOUR_OWN_RANDOM_GENERATED_SECRET_KEY",
    "SecretKey012345678901234567890123456789012345678901234567890123456789",
    "16f8c0ef4a5d391b26034086c628469d3f9f497f08163ab9b40137092f2909ef",
    "eaa5191f2914e30b9387fd84e254e4ba6fc51b4654968a9b0803b456a54b8418",
};

bool BeginsIgnoringCase(std::string_view text, std::string_view beginning) {
  return text.size() >= beginning.size() &&
         EqualsIgnoringCase(text.substr(0, beginning.size()), beginning);
}

// A few bytes again and again.
bool Repeats(std::string_view key) {
  constexpr std::size_t kLongestPart = 8;
  for (std::size_t part = 1; part <= kLongestPart && part < key.size(); ++part) {
    if (key.substr(part) == key.substr(0, key.size() - part)) return true;
  }
  return false;
}

}  // namespace

bool IsPlaceholder(std::string_view value) {
  constexpr std::array<std::string_view, 16> kWords = {
      "changeme",    "change-me", "change_me", "secret",     "password",   "example",
      "placeholder", "todo",      "fixme",     "replace-me", "replace_me", "replaceme",
      "none",        "null",      "insecure",  "dummy"};
  constexpr std::array<std::string_view, 10> kBeginnings = {
      "your-",       "your_",   "changeme",         "change-me",     "change_me",
      "change-this", "insert-", "django-insecure-", "please-change", "replace-with"};
  if (value.empty()) return false;
  if (std::ranges::any_of(kWords, [&](auto word) { return EqualsIgnoringCase(value, word); })) {
    return true;
  }
  if (std::ranges::any_of(kBeginnings,
                          [&](auto word) { return BeginsIgnoringCase(value, word); })) {
    return true;
  }
  if (value.starts_with('<') && value.ends_with('>')) return true;
  return std::ranges::all_of(value, [&](char c) { return c == value.front(); });
}

std::string SigningKeyProblem(std::string_view key, std::size_t shortest) {
  if (IsPlaceholder(key)) return "is a placeholder, not a key";
  if (key.size() < shortest) {
    return "has " + std::to_string(key.size()) + (key.size() == 1 ? " byte" : " bytes") +
           "; a signing key needs at least " + std::to_string(shortest);
  }
  if (std::ranges::find(kPublishedKeys, key) != kPublishedKeys.end()) {
    return "is printed in a standard or comes with a framework, so that anybody has it";
  }
  if (Repeats(key)) return "repeats a few bytes again and again";
  return {};
}

}  // namespace qarion::secrets::core
