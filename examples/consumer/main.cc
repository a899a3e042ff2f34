// A service that gets its secrets from whatever store its operator chose.
#include <iostream>
#include <string>

#include <qarion/secrets/runtime.h>

namespace secrets = qarion::secrets;

namespace {

// Stands for a database driver: the one place where the bytes are needed.
void Connect(std::string_view password) {
  std::cout << "connected with a password of " << password.size() << " bytes\n";
}

}  // namespace

int main() {
  auto runtime = secrets::Runtime::FromEnvironment();
  if (!runtime) return secrets::Report(runtime.error());

  auto password = runtime->Get("POSTGRES_PASSWORD");
  if (!password) return secrets::Report(password.error());
  Connect(password->Reveal());

  auto subscription = runtime->OnChange([&](const secrets::Change& change) {
    if (!change.Has("POSTGRES_PASSWORD")) return;
    if (auto changed = runtime->Get("POSTGRES_PASSWORD")) Connect(changed->Reveal());
  });

  // Fields that must belong together are read from one snapshot.
  auto snapshot = runtime->TakeSnapshot();
  if (!snapshot) return secrets::Report(snapshot.error());
  const bool rotating = (*snapshot)->Find("SECRET_KEY_PREVIOUS") != nullptr;
  std::cout << "signing keys: " << (rotating ? "two" : "one") << "\n";

  // What is logged goes through the scrubber.
  const std::string careless = "postgres://app:" + std::string(password->Reveal()) + "@db/app";
  std::cout << runtime->scrubber().Scrub("connecting to " + careless) << "\n";
  return 0;
}
