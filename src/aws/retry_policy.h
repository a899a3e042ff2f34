// When calls of AWS services are tried again: as botocore's modes do it.
#pragma once

#include <span>
#include <string_view>

#include "aws/client_settings.h"
#include "net/retry.h"

namespace qarion::secrets::aws {

// `standard`: with a budget, pauses of chance in [0, b * 2^i], at most 20 s, b being 1 s after
// throttling and 50 ms else, prolonged by x-amz-retry-after. `legacy`: without a budget, chance in
// [0, 2^i] s. `more_codes`: errors that the operation asks to try again.
net::RetryPolicy MakeRetryPolicy(RetryMode mode, int most_attempts,
                                 std::span<const std::string_view> more_codes);

}  // namespace qarion::secrets::aws
