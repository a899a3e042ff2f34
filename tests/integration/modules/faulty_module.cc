// A module with one fault, chosen by a macro; its name is the fault's. What it does right it does
// as little as possible.
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <qarion/secrets/provider_abi.h>

#if defined(FAULT_missing_function)
extern "C" void qarion_secrets_a_function_that_nobody_has(void);
#endif

namespace {

int Create(const qarion_secrets_host*, const qarion_secrets_error_sink* error, void** instance) {
  static int nothing = 0;
  *instance = &nothing;
  static_cast<void>(error);
#if defined(FAULT_throws_in_create)
  throw std::runtime_error("fake");
#elif defined(FAULT_crashes_in_create)
  std::fputs("printed by the module\n", stderr);
  std::raise(SIGSEGV);
#elif defined(FAULT_hangs_in_create)
  for (;;) pause();
#elif defined(FAULT_exits_in_create)
  std::exit(0);
#elif defined(FAULT_fails_in_create)
  error->set(error->context, "FAKE_SETTING\nis not set", "set FAKE_SETTING");
  return QARION_SECRETS_CONFIGURATION;
#elif defined(FAULT_unknown_status)
  return 4711;
#elif defined(FAULT_makes_no_instance)
  *instance = nullptr;
#elif defined(FAULT_missing_function)
  qarion_secrets_a_function_that_nobody_has();
#endif
  return QARION_SECRETS_OK;
}

void Destroy(void*) {}

int Fetch(void*, const qarion_secrets_request*, const qarion_secrets_payload_sink*,
          const qarion_secrets_error_sink*) {
  return QARION_SECRETS_UNAVAILABLE;
}

const char* Source(void*) { return "nowhere"; }

#if defined(FAULT_crashes_when_loaded)
[[gnu::constructor]] void Crash() { std::abort(); }
#elif defined(FAULT_throws_when_loaded)
struct Thrower {
  Thrower() { throw std::runtime_error("fake"); }
} thrower;
#endif

[[maybe_unused]] qarion_secrets_provider_table MakeTable() {
  qarion_secrets_provider_table table = {
      sizeof table, QARION_SECRETS_ABI_VERSION, FAULT_NAME, Create, Destroy, Fetch, Source};
#if defined(FAULT_other_abi)
  table.abi_version = 99;
#elif defined(FAULT_small_table)
  table.size = offsetof(qarion_secrets_provider_table, source);
#elif defined(FAULT_tiny_table)
  table.size = sizeof(size_t);
#elif defined(FAULT_other_name)
  table.name = "somebody_else";
#elif defined(FAULT_no_name)
  table.name = nullptr;
#elif defined(FAULT_no_fetch)
  table.fetch = nullptr;
#elif defined(FAULT_larger_table)
  table.size += 64;  // no fault: a module of a later version that keeps to this one
#endif
  return table;
}

}  // namespace

#if !defined(FAULT_no_symbol)
const qarion_secrets_provider_table* qarion_secrets_provider() {
#if defined(FAULT_no_table)
  return nullptr;
#elif defined(FAULT_throws_when_asked)
  throw std::runtime_error("fake");
#endif
  static const qarion_secrets_provider_table table = MakeTable();
  return &table;
}
#endif
