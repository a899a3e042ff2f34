// Who asks, as IAM writes it: "serviceAccount:a@b", "user:a@b",
// "principal://iam.googleapis.com/...". Pure functions, thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "qarion/secrets/error.h"

namespace qarion::secrets::gcp {

// Of a user, by the claim `email` of an ID token (OpenID Connect Core 1.0, 2), whose signature is
// not looked at: the text is for people. Empty: it is none, or says nothing.
std::string UserIn(std::string_view id_token);

// Of somebody whom an identity pool knows, by the claim `sub` of the token of their own provider:
// as pools have it where nobody told them otherwise (google.subject=assertion.sub). `audience`:
// "//iam.googleapis.com/.../providers/P". Empty: the audience is of no pool, or the token no JSON
// Web Token with a subject.
std::string PoolMemberIn(std::string_view audience, std::string_view subject_token);

// The e-mail address of a service account; empty where `principal` is none.
std::string_view AccountIn(std::string_view principal);

// " --member=" and the principal as one word of a shell; PRINCIPAL where it is empty.
std::string MemberFlag(std::string_view principal);

// Where IAM refuses that `asker` acts as service accounts, each of `accounts` as the next, the same
// error with the commands that permit it; any other as it is. `asker`: may be empty.
Error WithGrants(Error error, std::string_view asker, std::span<const std::string> accounts);

}  // namespace qarion::secrets::gcp
