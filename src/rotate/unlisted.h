// Tokens in columns that the plan does not list: what a rotation would leave behind.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "qarion/secrets/result.h"
#include "rotate/plan.h"
#include "rotate/store.h"
#include "rotate/value_reader.h"

namespace qarion::secrets::rotate {

struct UnlistedTokens {
  std::string place;  // "public.audit.copy"
  std::uint64_t tokens = 0;
};

// Calls `visit` with each cell of `column` that contains the beginning of a token, maybe with
// escapes of JSON in it.
Status VisitCandidates(Store& store, const TextColumn& column,
                       const std::function<Status(std::string_view cell)>& visit);

// Whether the plan lists the column, for a table that `targets` has.
bool IsListed(const Plan& plan, std::span<const Target> targets, const TextColumn& column);

// Searches all columns that are not listed for tokens that `keys` opens; returns those that have
// some.
Result<std::vector<UnlistedTokens>> SearchUnlisted(Store& store, const Plan& plan,
                                                   std::span<const Target> targets,
                                                   ValueReader& keys);

}  // namespace qarion::secrets::rotate
