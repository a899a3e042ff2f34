// How long a caller waits.
#pragma once

#include <stop_token>

#include "qarion/secrets/clock.h"

namespace qarion::secrets::net {

struct Call {
  Clock::SteadyTime deadline;
  std::stop_token stop;
};

}  // namespace qarion::secrets::net
