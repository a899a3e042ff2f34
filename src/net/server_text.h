// What servers say, for people.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "qarion/secrets/secret.h"

namespace qarion::secrets::net {

// `text` as one line: without control characters, with *** for each of `hidden` that has 4 bytes or
// more and for each piece of 12 of its bytes or more, and not much longer than `longest`. Of the
// text no more than 16 KiB are read.
std::string OneLine(std::string_view text, std::span<const Secret> hidden,
                    std::size_t longest = 300);

}  // namespace qarion::secrets::net
