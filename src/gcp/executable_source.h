// Programs that hand out tokens of another identity provider (AIP-4117, "executable-sourced
// credentials").
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gcp/credential_file.h"
#include "gcp/source_context.h"
#include "net/call.h"
#include "qarion/secrets/error.h"
#include "qarion/secrets/result.h"
#include "qarion/secrets/secret.h"

namespace qarion::secrets::gcp {

// What a program says, in the form that was agreed on.
struct ExecutableAnswer {
  Secret token;  // empty where there is a `refusal`
  // Why there is no token that can be used: the program failed (kNotPermitted, with its code and
  // message), the token has expired (kUnavailable), the form is a later one or the token of another
  // kind (kBadData).
  std::optional<Error> refusal;
  bool says_when_it_expires = false;
};

// Reads one. `what` begins errors. `hidden` and the answer's own tokens are not shown in them.
// kBadData: it has not that form. Pure.
Result<ExecutableAnswer> ReadExecutableAnswer(std::string_view text, const std::string& what,
                                              std::chrono::system_clock::time_point now,
                                              std::span<const Secret> hidden);

// The token in the source's output file, where it has one that is good still; else what its program
// prints, or, where it prints nothing, writes to that file. Nothing is run, and no file read,
// without GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1. An output file that cannot be read, or is no
// JSON, is passed over, as Google's Python library does.
//
// kConfiguration: it may not be run, or cannot be started; kUnavailable: see net::OutputOf;
// beside them the errors of ReadExecutableAnswer, and its refusals.
// Thread-safety: from several threads.
Result<Secret> GetExecutableToken(const ExecutableSource& source, const ExternalAccount& account,
                                  const SourceContext& context, const net::Call& call);

}  // namespace qarion::secrets::gcp
