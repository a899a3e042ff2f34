/* A backend of one's own: the secret is one JSON object in the file that EXAMPLE_FILE names.
 *
 * It shows all that a module does: settings, errors with a cure, versions, "not modified", giving
 * up when nobody waits any more, findings, and wiping what it read. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <qarion/secrets/provider_abi.h>

enum { kMaxBytes = 1024 * 1024, kReadAtOnce = 64 * 1024 };

typedef struct example_provider {
  char* path;
} example_provider;

/* Sets reason ("<path> <problem>") and cure, and returns `status` for the caller to pass on. */
static int fail(const qarion_secrets_error_sink* error, int status, const char* path,
                const char* problem, const char* cure) {
  char reason[512];
  snprintf(reason, sizeof reason, "%s %s", path, problem);
  error->set(error->context, reason, cure);
  return status;
}

static int create(const qarion_secrets_host* host, const qarion_secrets_error_sink* error,
                  void** instance) {
  const char* path = host->setting(host->context, "EXAMPLE_FILE");
  if (path == NULL || path[0] == '\0') {
    error->set(error->context, "EXAMPLE_FILE is not set",
               "set EXAMPLE_FILE to the path of a file that holds one JSON object");
    return QARION_SECRETS_CONFIGURATION;
  }
  /* The setting is gone when this function returns, so keep a copy. */
  example_provider* provider = calloc(1, sizeof *provider);
  if (provider != NULL) provider->path = strdup(path);
  if (provider == NULL || provider->path == NULL) {
    free(provider);
    error->set(error->context, "there is no memory left", NULL);
    return QARION_SECRETS_INTERNAL;
  }
  *instance = provider;
  return QARION_SECRETS_OK;
}

static void destroy(void* instance) {
  example_provider* provider = instance;
  free(provider->path);
  free(provider);
}

static const char* source(void* instance) { return ((example_provider*)instance)->path; }

/* Definite answers and passing troubles must be told apart: only the latter are UNAVAILABLE. */
static int fail_to_open(const qarion_secrets_error_sink* error, const char* path, int cause) {
  switch (cause) {
    case ENOENT:
    case ENOTDIR:
      return fail(error, QARION_SECRETS_CONFIGURATION, path, "does not exist",
                  "correct EXAMPLE_FILE or create the file");
    case EACCES:
    case EPERM:
      return fail(error, QARION_SECRETS_NOT_PERMITTED, path, "may not be read by this user",
                  "give this user the right to read it");
    default: return fail(error, QARION_SECRETS_UNAVAILABLE, path, strerror(cause), NULL);
  }
}

/* Any change of the file changes its version. */
static void version_of(const struct stat* file, char* version, size_t size) {
  snprintf(version, size, "%lld.%09ld-%lld-%llu", (long long)file->st_mtim.tv_sec,
           file->st_mtim.tv_nsec, (long long)file->st_size, (unsigned long long)file->st_ino);
}

/* Reads up to `size` bytes. Returns their number; -1 on failure; -2 if nobody waits any more. */
static ssize_t read_all(int fd, char* bytes, size_t size, const qarion_secrets_request* request) {
  size_t done = 0;
  while (done < size) {
    if (request->cancelled(request->context)) return -2;
    const size_t left = size - done;
    const ssize_t count = read(fd, bytes + done, left < kReadAtOnce ? left : kReadAtOnce);
    if (count == 0) break;
    if (count < 0 && errno != EINTR) return -1;
    if (count > 0) done += (size_t)count;
  }
  return (ssize_t)done;
}

static void report_open_file(const struct stat* file, const char* path,
                             const qarion_secrets_payload_sink* payload) {
  if ((file->st_mode & (S_IRGRP | S_IROTH)) == 0) return;
  payload->add_finding(payload->context, 0, path, "can be read by other users",
                       "take the right away: chmod go= on the file");
}

static int fetch_open_file(const example_provider* provider, int fd,
                           const qarion_secrets_request* request,
                           const qarion_secrets_payload_sink* payload,
                           const qarion_secrets_error_sink* error) {
  const char* path = provider->path;
  struct stat before;
  if (fstat(fd, &before) != 0) return fail_to_open(error, path, errno);
  if (!S_ISREG(before.st_mode)) {
    return fail(error, QARION_SECRETS_CONFIGURATION, path, "is not a regular file",
                "set EXAMPLE_FILE to a file");
  }
  if (before.st_size > kMaxBytes) {
    return fail(error, QARION_SECRETS_BAD_DATA, path, "is larger than 1 MiB", NULL);
  }
  char version[96];
  version_of(&before, version, sizeof version);
  if (strcmp(version, request->known_version) == 0) return QARION_SECRETS_NOT_MODIFIED;

  const size_t size = (size_t)before.st_size;
  char* bytes = malloc(size + 1);
  if (bytes == NULL) {
    return fail(error, QARION_SECRETS_INTERNAL, path, "does not fit into memory", NULL);
  }
  const ssize_t count = read_all(fd, bytes, size, request);
  struct stat after;
  int status = QARION_SECRETS_OK;
  if (count == -2) {
    status = fail(error, QARION_SECRETS_UNAVAILABLE, path, "was not read in time", NULL);
  } else if (count < 0) {
    status = fail_to_open(error, path, errno);
  } else if (fstat(fd, &after) != 0 || (size_t)count != size ||
             after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
             after.st_mtim.tv_nsec != before.st_mtim.tv_nsec) {
    status = fail(error, QARION_SECRETS_TRY_AGAIN, path, "changed while it was read",
                  "replace the file with rename(2) instead of writing to it");
  } else {
    payload->set_version(payload->context, version);
    payload->add_json_object(payload->context, bytes, size, path);
    report_open_file(&before, path, payload);
  }
  explicit_bzero(bytes, size + 1);
  free(bytes);
  return status;
}

static int fetch(void* instance, const qarion_secrets_request* request,
                 const qarion_secrets_payload_sink* payload,
                 const qarion_secrets_error_sink* error) {
  const example_provider* provider = instance;
  /* O_NONBLOCK: opening a pipe must not wait for whoever writes to it. */
  const int fd = open(provider->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return fail_to_open(error, provider->path, errno);
  const int status = fetch_open_file(provider, fd, request, payload, error);
  close(fd);
  return status;
}

const qarion_secrets_provider_table* qarion_secrets_provider(void) {
  static const qarion_secrets_provider_table table = {
      .size = sizeof table,
      .abi_version = QARION_SECRETS_ABI_VERSION,
      .name = "example",
      .create = create,
      .destroy = destroy,
      .fetch = fetch,
      .source = source,
  };
  return &table;
}
