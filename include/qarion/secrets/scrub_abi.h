/* The C interface of the scrubber, for other languages.
 *
 * Symbols are those of the shared library `libqarion_secrets.so`. Text is bytes with their length;
 * values are copied into locked memory at once, and the caller still has to wipe its own copy.
 *
 * Rules of the interface:
 *  - The structure of options begins with its size as the caller knows it; members are only ever
 *    appended, and those that the size does not cover have their defaults.
 *  - Functions that can fail return 0, or one of the numbers of qarion_secrets_scrub_error.
 *  - A scrubber may be used from several threads; a stream by one at a time. A stream keeps the
 *    scrubber's set alive, also when the scrubber is freed first.
 *  - A function given as `write` must not throw through this interface. */
#ifndef QARION_SECRETS_SCRUB_ABI_H_
#define QARION_SECRETS_SCRUB_ABI_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define QARION_SECRETS_C_EXPORT __attribute__((visibility("default")))
#else
#define QARION_SECRETS_C_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* NOLINTBEGIN(readability-identifier-naming,modernize-use-using): names as in C */

typedef struct qarion_secrets_scrubber qarion_secrets_scrubber;
typedef struct qarion_secrets_scrub_stream qarion_secrets_scrub_stream;

/* Numbers are fixed. */
typedef enum qarion_secrets_scrub_error {
  QARION_SECRETS_SCRUB_OK = 0,
  QARION_SECRETS_SCRUB_BAD_ARGUMENT = 1, /* a null pointer, or forms that do not exist */
  QARION_SECRETS_SCRUB_NO_MEMORY = 2
} qarion_secrets_scrub_error;

/* The ways of writing a value that are masked; scrub_forms.h says what each is. */
enum {
  QARION_SECRETS_FORM_RAW = 1 << 0,
  QARION_SECRETS_FORM_LINES = 1 << 1,
  QARION_SECRETS_FORM_PARTS = 1 << 2,
  QARION_SECRETS_FORM_BASE64 = 1 << 3,
  QARION_SECRETS_FORM_HEX = 1 << 4,
  QARION_SECRETS_FORM_PERCENT = 1 << 5,
  QARION_SECRETS_FORM_JSON = 1 << 6,
  QARION_SECRETS_FORM_SHELL = 1 << 7,
  QARION_SECRETS_FORM_XML = 1 << 8,
  QARION_SECRETS_FORM_C = 1 << 9,
  QARION_SECRETS_FORM_UTF16 = 1 << 10
};

typedef struct qarion_secrets_scrub_options {
  size_t size;       /* sizeof(qarion_secrets_scrub_options) */
  uint32_t forms;    /* QARION_SECRETS_FORM_..., or 0 for all */
  size_t min_length; /* as ScrubberOptions::min_length in scrubber.h; 0 is the default */
  const char* mask;  /* NULL for three asterisks */
} qarion_secrets_scrub_options;

/* Called with what may be seen, in order. The bytes are valid during the call. */
typedef void (*qarion_secrets_scrub_write)(void* context, const char* bytes, size_t size);

/* An empty set. `options` may be NULL. NULL where an option is wrong or memory is short. */
QARION_SECRETS_C_EXPORT qarion_secrets_scrubber* qarion_secrets_scrubber_new(
    const qarion_secrets_scrub_options* options);
QARION_SECRETS_C_EXPORT void qarion_secrets_scrubber_free(qarion_secrets_scrubber* scrubber);

/* Adds a value: it counts for everything scrubbed afterwards. The empty one is ignored. */
QARION_SECRETS_C_EXPORT int qarion_secrets_scrubber_add(qarion_secrets_scrubber* scrubber,
                                                        const char* value, size_t size);
/* Takes one addition back. */
QARION_SECRETS_C_EXPORT int qarion_secrets_scrubber_remove(qarion_secrets_scrubber* scrubber,
                                                           const char* value, size_t size);

/* Scrubs a text that is all there, such as a message of a log: calls `write` once with all of it.
 */
QARION_SECRETS_C_EXPORT int qarion_secrets_scrub(const qarion_secrets_scrubber* scrubber,
                                                 const char* text, size_t size,
                                                 qarion_secrets_scrub_write write, void* context);

/* A stream that arrives in pieces. finish() passes on what is held back and begins a new one. */
QARION_SECRETS_C_EXPORT qarion_secrets_scrub_stream* qarion_secrets_scrub_stream_new(
    const qarion_secrets_scrubber* scrubber, qarion_secrets_scrub_write write, void* context);
QARION_SECRETS_C_EXPORT void qarion_secrets_scrub_stream_free(qarion_secrets_scrub_stream* stream);
QARION_SECRETS_C_EXPORT int qarion_secrets_scrub_stream_write(qarion_secrets_scrub_stream* stream,
                                                              const char* bytes, size_t size);
QARION_SECRETS_C_EXPORT int qarion_secrets_scrub_stream_finish(qarion_secrets_scrub_stream* stream);

/* NOLINTEND(readability-identifier-naming,modernize-use-using) */

#ifdef __cplusplus
}
#endif

#endif /* QARION_SECRETS_SCRUB_ABI_H_ */
