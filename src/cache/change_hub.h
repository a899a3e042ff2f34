// Subscribers and what they are told.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "qarion/secrets/snapshot.h"

namespace qarion::secrets::cache {

using ChangeCallback = std::function<void(const Snapshot& before, const Snapshot& after)>;

// Thread-safety: every member from several threads; Deliver from one at a time.
class ChangeHub {
 public:
  ChangeHub();

  // Dropping what is returned ends the subscription: it waits for a running call, unless it is
  // dropped inside that call. It may outlive the hub.
  std::shared_ptr<void> Subscribe(ChangeCallback callback);

  // Calls everybody, outside of any lock. What a callback throws is reported to `log` and dropped.
  void Deliver(const Snapshot& before, const Snapshot& after,
               const std::function<void(std::string_view)>& log);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace qarion::secrets::cache
