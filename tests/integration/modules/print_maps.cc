// Reads its secrets from the environment and prints /proc/self/maps.
#include <fstream>
#include <iostream>

#include <qarion/secrets/runtime.h>

int main() {
  auto runtime = qarion::secrets::Runtime::FromEnvironment();
  if (!runtime) return qarion::secrets::Report(runtime.error());
  auto password = runtime->Get("POSTGRES_PASSWORD");
  if (!password) return qarion::secrets::Report(password.error());
  std::cout << std::ifstream("/proc/self/maps").rdbuf();
  return 0;
}
