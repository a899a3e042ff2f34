/* The C interface of a backend that is a module of its own.
 *
 * A module is a shared object named `qarion_secrets_<name>.so`, where <name> is what
 * SECRETS_BACKEND selects. It exports one symbol, QARION_SECRETS_PROVIDER_SYMBOL, a function that
 * returns a constant table. Everything else goes through that table and through the host's, so a
 * module links nothing of this library and may be written in any language that speaks C.
 *
 * Rules of the interface:
 *  - Structures begin with their size as the writer knows it. Members are only ever appended; a
 *    reader uses a member only where the size says that it is there. The ABI number changes when
 *    this does not suffice, and then old modules are refused.
 *  - Strings are UTF-8 and end with a zero byte; values come with their length and may hold
 *    any byte.
 *  - What one side passes to the other is valid during that call; who wants to keep it copies it.
 *  - No function may throw through this interface or end the process.
 *  - The host never unloads a module, and before it uses one it may load it and call create() in a
 *    child process that it then ends: create() must be harmless to repeat.
 *  - A module passes values to the host's functions only; it never prints or logs them.
 *
 * docs/guide/provider-authors.md walks through examples/provider/. */
#ifndef QARION_SECRETS_PROVIDER_ABI_H_
#define QARION_SECRETS_PROVIDER_ABI_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QARION_SECRETS_ABI_VERSION 1u
#define QARION_SECRETS_PROVIDER_SYMBOL "qarion_secrets_provider"

/* NOLINTBEGIN(readability-identifier-naming): names as in C */

/* What a function of a module returns. Numbers are fixed. */
typedef enum qarion_secrets_status {
  QARION_SECRETS_OK = 0,
  QARION_SECRETS_BAD_DATA = 1,      /* the secret cannot be read as it should be */
  QARION_SECRETS_UNAVAILABLE = 2,   /* cannot be reached, fails; transient */
  QARION_SECRETS_TRY_AGAIN = 3,     /* throttled, in transition; transient */
  QARION_SECRETS_NOT_PERMITTED = 4, /* this identity may not */
  QARION_SECRETS_CONFIGURATION =
      5,                          /* a setting is missing or wrong, or the secret does not exist */
  QARION_SECRETS_INTERNAL = 6,    /* a defect of the module */
  QARION_SECRETS_NOT_MODIFIED = 7 /* from fetch only: known_version is still current */
} qarion_secrets_status;

/* What the host offers a module for as long as an instance lives, until destroy() returns. Every
 * function may be called from any thread. */
typedef struct qarion_secrets_host {
  size_t size;
  void* context; /* first argument of every function below */

  /* The value of a setting (explicit option, process environment, .env), or NULL. Valid during
   * create(). */
  const char* (*setting)(void* context, const char* name);

  /* A line for the log; no values. Also between calls of the module, if it has threads. */
  void (*log)(void* context, const char* line);
} qarion_secrets_host;

/* Where create() and fetch() say what went wrong before they return a status other than OK. Like
 * the payload sink it may be called by one thread at a time, and not after the function returned.
 */
typedef struct qarion_secrets_error_sink {
  size_t size;
  void* context;
  /* `reason`: what is wrong, naming the setting or address. `cure`: how to mend it, or NULL. The
   * last call counts. No values; the host keeps 500 bytes of each. */
  void (*set)(void* context, const char* reason, const char* cure);
  /* Of UNAVAILABLE and TRY_AGAIN: the store does not want the same asked again at once. A first
   * fetch ends with it. */
  void (*do_not_repeat)(void* context);
} qarion_secrets_error_sink;

/* What fetch() is asked for. */
typedef struct qarion_secrets_request {
  size_t size;
  const char* known_version; /* what the host holds, or "" */
  int64_t timeout_ms;        /* time left; return UNAVAILABLE by then */

  /* Whether the host can use this key: for modules that would have to search for keys. */
  int (*wanted)(void* context, const char* name);
  /* Non-zero once the host no longer waits; return anything, early. */
  int (*cancelled)(void* context);
  void* context;
  /* Asks to be told once, from another thread, when the host no longer waits: then wake(argument)
   * is called, and must return at once. With a null `wake` takes that back; when that returns,
   * `wake` is not running and will not run. To be taken back before fetch() returns. */
  void (*on_cancel)(void* context, void (*wake)(void* argument), void* argument);
} qarion_secrets_request;

/* Where fetch() puts what it read. The host copies values into its secret memory at once. */
typedef struct qarion_secrets_payload_sink {
  size_t size;
  void* context;

  /* The store's name for what was read: the same as long as nothing changed. Required, not "". */
  void (*set_version)(void* context, const char* version);
  /* `origin`: where the value stands, for people, or NULL. Each name at most once; letters, digits,
   * `_`, `-` and `.`, 128 at most. At most 1 MiB in all. */
  void (*add_field)(void* context, const char* name, const char* value, size_t value_size,
                    const char* origin);
  /* The secret as one JSON object, read by the host's own rules (docs/guide/provider-authors.md);
   * instead of add_field. */
  void (*add_json_object)(void* context, const char* json, size_t json_size, const char* origin);
  /* Something `qsecrets check` should tell; `is_error` or else a warning. */
  void (*add_finding)(void* context, int is_error, const char* subject, const char* problem,
                      const char* cure);
  /* When the values cease to be valid by the store's own word, in seconds since 1970 UTC. Also
   * before NOT_MODIFIED, where that moment is another one now. */
  void (*set_expiry)(void* context, int64_t unix_seconds);
  /* When the store made this version, in seconds since 1970 UTC. */
  void (*set_created)(void* context, int64_t unix_seconds);
} qarion_secrets_payload_sink;

/* Where describe() puts what it tells. */
typedef struct qarion_secrets_detail_sink {
  size_t size;
  void* context;
  /* A name such as "token expires" and a text. No values. */
  void (*add)(void* context, const char* name, const char* text);
} qarion_secrets_detail_sink;

/* What a module is. */
typedef struct qarion_secrets_provider_table {
  size_t size;          /* sizeof(qarion_secrets_provider_table) */
  uint32_t abi_version; /* QARION_SECRETS_ABI_VERSION */
  const char* name;     /* as in the file's name */

  /* Reads its settings, opens nothing that takes long, makes an instance. `host` stays valid until
   * destroy() returns, which is called once for each instance made; after a failure there is none.
   */
  int (*create)(const qarion_secrets_host* host, const qarion_secrets_error_sink* error,
                void** instance);
  void (*destroy)(void* instance);

  /* Reads the secret once. Called by one thread at a time. */
  int (*fetch)(void* instance, const qarion_secrets_request* request,
               const qarion_secrets_payload_sink* payload, const qarion_secrets_error_sink* error);

  /* Where it reads from, for people. Valid until the next call. */
  const char* (*source)(void* instance);

  /* The rest may be null. */

  /* What else is worth knowing of its state: who is logged in, until when. May be called at any
   * time, also while another call is running, by several threads. */
  void (*describe)(void* instance, const qarion_secrets_detail_sink* details);

  /* Gives the store's own credentials: as its settings hold them, and what it got for them and uses
   * now, such as the token of a login. They are not fields, but the host masks them in output too:
   * what it is given after create() for good, what it is given after a fetch() from then on, and a
   * while after later ones do without it. Never called while fetch() is running; by earlier hosts
   * once, after create(). */
  void (*credentials)(void* instance, void* context,
                      void (*add)(void* context, const char* value, size_t value_size));

  /* Examines step by step whether fetch() can succeed, and adds to `findings` (with add_finding
   * alone) what is in its way. Never while fetch() is running. */
  void (*diagnose)(void* instance, const qarion_secrets_request* request,
                   const qarion_secrets_payload_sink* findings);
} qarion_secrets_provider_table;

/* NOLINTEND(readability-identifier-naming) */

/* The one symbol a module exports, and its type. The table must stay valid for good. */
#if defined(__GNUC__)
#define QARION_SECRETS_PROVIDER_EXPORT __attribute__((visibility("default")))
#else
#define QARION_SECRETS_PROVIDER_EXPORT
#endif
QARION_SECRETS_PROVIDER_EXPORT const qarion_secrets_provider_table* qarion_secrets_provider(void);
typedef const qarion_secrets_provider_table* (*qarion_secrets_provider_function)(void);

#ifdef __cplusplus
}
#endif

#endif /* QARION_SECRETS_PROVIDER_ABI_H_ */
