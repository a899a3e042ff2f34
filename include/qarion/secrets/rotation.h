// The encryption key is rotated: everything that was encrypted with an old key is encrypted with
// the new one, in one transaction of the database, with proof before it is committed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qarion/secrets/export.h>
#include <qarion/secrets/fernet.h>
#include <qarion/secrets/finding.h>
#include <qarion/secrets/result.h>
#include <qarion/secrets/secret.h>

namespace qarion::secrets {

enum class RotationPhase { kRotate, kProve };

struct RotationProgress {
  RotationPhase phase = RotationPhase::kRotate;
  std::uint64_t rows = 0;            // of this phase, in all tables
  std::uint64_t estimated_rows = 0;  // as the database estimates; may be wrong, or 0
};

// A value that stands in the way. Never the value itself.
struct RotationProblem {
  std::string table;
  std::string row;     // "id=17"
  std::string column;  // with the path, where it is in JSON
  std::string reason;
};

// What was found in one column of the plan. A JSON document has a value for each of its strings at
// the column's paths.
struct RotationCounts {
  std::string table;
  std::string column;
  std::uint64_t rows = 0;
  std::uint64_t null = 0;       // NULL, or null in JSON
  std::uint64_t empty = 0;      // the empty text
  std::uint64_t absent = 0;     // paths that a document does not have
  std::uint64_t rotated = 0;    // opened by an old key, and encrypted anew
  std::uint64_t current = 0;    // opened by the new key already, and left
  std::uint64_t encrypted = 0;  // plaintext that the plan has encrypted
  std::uint64_t plaintext = 0;  // plaintext that the plan has left
  std::uint64_t lenient = 0;    // of the rotated: read only because is_lenient was set
  std::uint64_t excluded = 0;   // rows that the plan's `where` leaves out
  std::uint64_t problems = 0;
};

enum class RotationOutcome {
  kCommitted,    // done and proven
  kNothingToDo,  // every value opens with the new key already; nothing was written
  kDryRun,       // it would succeed
  kRolledBack,   // see `error`; nothing was changed
  kUnknown,      // the connection was lost while the database committed: Verify() tells
};

QARION_SECRETS_EXPORT std::string_view ToString(RotationOutcome outcome) noexcept;

struct RotationReport {
  RotationOutcome outcome = RotationOutcome::kRolledBack;
  std::optional<Error> error;  // why it was rolled back, or what is unknown
  std::string id;              // of the audit table's row
  std::string database;
  std::string new_key;  // fingerprints
  std::vector<std::string> old_keys;
  std::vector<RotationCounts> columns;
  std::uint64_t problems = 0;  // in all; the first of them were given to on_problem
  // How long each step took.
  std::vector<std::pair<std::string, std::chrono::duration<double>>> steps;
};

// What the values of a database open with.
struct KeyUsage {
  RotationCounts counts;              // `rotated` counts those of old keys, `problems` the rest
  std::vector<std::uint64_t> by_key;  // new key first, then the old ones as they were given
};

struct AuditEntry {
  std::string id;
  std::string finished_at;  // RFC 3339: when the row was written, before the proof
  std::string tool;
  std::string new_key;  // fingerprints
  std::string old_keys;
};

struct VerificationReport {
  std::string database;
  std::vector<std::string> keys;  // fingerprints, the new one first
  std::vector<KeyUsage> columns;
  std::uint64_t problems = 0;  // values that no key opens
  // Where the plan lists no token and an old key opens some: "public.hooks.body", and how many.
  std::vector<std::pair<std::string, std::uint64_t>> unlisted;
  std::optional<AuditEntry> rotation;  // the one that was asked for, or the latest
};

struct RotationStatus {
  std::string database;     // as KeyRotation::Database()
  bool is_running = false;  // a rotation is at work now
  std::optional<AuditEntry> latest;
  struct Table {
    std::string name;
    std::uint64_t estimated_rows = 0;
    std::uint64_t bytes = 0;
  };
  std::vector<Table> tables;  // of the plan, those that hold rows, partitions each
  std::string plan_problem;   // why the plan does not fit the database; empty: it does
};

// A database that is only looked at; as the members of RotationOptions with these names.
struct DatabaseAccess {
  std::string database;
  Secret password = {};
  std::chrono::milliseconds lock_timeout = std::chrono::seconds(5);
};

// Tokens outside of what the plan lists.
struct DiscoveredColumn {
  std::string table;
  std::string column;
  std::uint64_t tokens = 0;
  std::uint64_t opened = 0;  // by one of the keys
  std::string remark;        // why the plan cannot cover it, where that is so
};

struct Discovery {
  std::string database;
  std::string plan;  // TOML
  std::vector<DiscoveredColumn> columns;
};

struct RotationOptions {
  // PostgreSQL: a URL or a connection string of libpq's, or empty, where its own variables
  // (PGHOST, PGSERVICE, ...) say all. SQLite: "sqlite:" and the path.
  std::string database;
  // Used where the address and libpq's own sources have none.
  Secret password = {};
  // The plan's text, in TOML (docs/guide/key-rotation.md); not set: the built-in one.
  std::optional<std::string> plan = {};
  // What the plan is called in errors: its path.
  std::string plan_name = "the plan";

  FernetKey new_key;
  std::vector<FernetKey> old_keys = {};
  // Other secrets, by name, that the new key must not be the same as: SECRET_KEY.
  std::vector<std::pair<std::string, Secret>> other_secrets = {};

  bool is_dry_run = false;      // all but the writing
  bool allow_empty = false;     // no token at all is no error
  bool allow_unlisted = false;  // tokens elsewhere that an old key opens are no error
  bool is_lenient = false;      // see FernetDecryptOptions
  std::chrono::milliseconds lock_timeout = std::chrono::seconds(5);
  // Problems that are named at most; the others are counted.
  std::size_t max_named_problems = 10'000;

  // Both are called from the thread that called.
  std::function<void(const RotationProgress&)> on_progress = {};
  std::function<void(const RotationProblem&)> on_problem = {};
  // Ends the work early; what was written is rolled back.
  std::stop_token stop = {};
};

// One database, one plan and its keys.
//
// Thread-safety: one thread at a time. Lifetime: holds connections to the database.
class QARION_SECRETS_EXPORT KeyRotation {
 public:
  // Connects, and finds what the plan names. Nothing is locked or written.
  // kConfiguration: the address, the plan or a key will not do: an old key that is the new one or
  // shares a half with it; a new key that equals another secret, is all the same bytes or well
  // known. Else why the database cannot be used: kUnavailable, kNotPermitted, ...
  static Result<KeyRotation> Open(RotationOptions options);

  KeyRotation(KeyRotation&&) noexcept;
  KeyRotation& operator=(KeyRotation&&) noexcept;
  ~KeyRotation();

  // "PostgreSQL 15.18, database app at /run/postgresql". No password.
  std::string Database() const;

  // What to know before Rotate(): triggers, room on the disk, replicas, ...
  // kConfiguration: there is no old key.
  Result<std::vector<Finding>> Examine();

  // Does it, or all but the writing where is_dry_run is set. Values are read from the moment at
  // which all tables were locked against writers; readers never wait. A value that opens with the
  // new key already is left as it is, so a second run changes nothing. Every token keeps its
  // timestamp. Before the commit everything is read back: the new key opens all, no old key any.
  //
  // Where `error` is set: kConfiguration: there is no old key. kBadData: values that no key opens,
  // plaintext, tokens that the plan does not list, no token at all. kTryAgain: a lock is held by
  // others, another rotation is at work. kInternal: the proof failed. kUnavailable, kNotPermitted,
  // kIo: the database's. kUsage: stopped.
  RotationReport Rotate();

  // Reads all values and says which key opens them; changes nothing. `rotation`: the id of the
  // rotation whose audit row is wanted; empty: the latest.
  Result<VerificationReport> Verify(std::string_view rotation = {});

  // Writes the plan's tables anew, so that their files hold no old ciphertext any more. They are
  // locked against readers too meanwhile. `each` is called before each table.
  Status ScrubStorage(const std::function<void(std::string_view table)>& each = {});

 private:
  class Impl;
  explicit KeyRotation(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

// Looks for tokens in every column of a database and writes a plan for them. Of the tokens those
// count that one of `keys` opens; without keys, all of them.
QARION_SECRETS_EXPORT Result<Discovery> DiscoverTokens(const DatabaseAccess& access,
                                                       const std::vector<FernetKey>& keys);

// What is known of the rotations of a database, without a key and without reading a value. `plan`
// and `plan_name` as in RotationOptions. kConfiguration: the address or the plan cannot be read.
// Else why the database cannot be used.
QARION_SECRETS_EXPORT Result<RotationStatus> ReadRotationStatus(
    const DatabaseAccess& access, const std::optional<std::string>& plan = {},
    const std::string& plan_name = "the plan");

// Rotates and returns what became of it: KeyRotation::Open and Rotate in one call.
QARION_SECRETS_EXPORT Result<RotationReport> RotateEncryptionKey(RotationOptions options);

}  // namespace qarion::secrets
