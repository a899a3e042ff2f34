// A database of SQLite as a rotation sees it.
//
// One connection, in whose transaction one thread reads rows page by page while another one writes
// those that came before. A transaction that writes locks all other writers out (BEGIN IMMEDIATE),
// which are the second rotation too. Readers go on beside it in WAL mode; in others they wait from
// when the changes do not fit into the cache until the end.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rotate/sqlite/catalogue.h"
#include "rotate/sqlite/connection.h"
#include "rotate/sqlite/keyed_rows.h"
#include "rotate/sqlite/update_writer.h"
#include "rotate/store.h"

namespace qarion::secrets::rotate::sqlite {

class SqliteStore final : public Store {
 public:
  // Address: see PathOf. The password is not used.
  static Result<std::unique_ptr<Store>> Open(const StoreAddress& address);
  ~SqliteStore() override;

  std::string Description() const override;
  Result<std::vector<Target>> Resolve(const Plan& plan) override;
  Result<std::vector<Finding>> Examine(const Plan& plan, std::span<const Target> targets) override;
  Result<std::vector<TextColumn>> TextColumns() override;
  Status Begin(const Plan& plan, std::span<const Target> targets,
               const TransactionOptions& options) override;
  Result<std::unique_ptr<RowSource>> Read(const Target& target) override;
  Status Update(const Target& target, const UpdateBatch& batch) override;
  // All updates are done when Update() returns.
  Status Finish() override;
  Result<std::unique_ptr<RowSource>> ReadBack(const Target& target) override;
  Result<std::unique_ptr<RowSource>> Search(const TextColumn& column,
                                            std::span<const std::string_view> needles) override;
  Result<std::string> NameRow(const Target& target, std::uint64_t locator) override;
  // Nothing is put off: foreign keys are not enforced, and no key changes.
  Status CheckConstraints() override;
  Status WriteAudit(const Plan& plan, AuditRecord record) override;
  CommitResult Commit() override;
  void Rollback() noexcept override;
  // Until Rollback() or the next Begin().
  void Cancel() noexcept override;
  Result<std::optional<AuditRecord>> FindAudit(const Plan& plan, std::string_view id) override;
  // Any other writer counts: SQLite does not tell who has the lock.
  Result<bool> IsBusy() override;
  // SQLite has no place for it.
  void ShowProgress(std::string_view text) override;
  Status ScrubStorage(std::span<const Target> targets,
                      const std::function<void(const Target&)>& each) override;

 private:
  // What one transaction knows of a table.
  struct Known {
    Table table;
    std::shared_ptr<KeyIndex> index;  // of a table WITHOUT ROWID
  };

  SqliteStore(std::shared_ptr<Connection> connection, std::chrono::milliseconds lock_timeout);

  // By its name; what no plan names is looked up. The connection's mutex must not be held.
  Result<Known*> Find(const std::string& name);
  Status BeginWork(const Plan& plan, std::span<const Target> targets,
                   const TransactionOptions& options);
  Result<std::unique_ptr<RowSource>> OpenRows(const Target& target);
  void EndTransaction() noexcept;
  CommitResult Settle(Error error);

  const std::string description_;
  const std::chrono::milliseconds usual_lock_timeout_;  // outside of a transaction of Begin()
  const std::shared_ptr<Connection> connection_;
  std::optional<UpdateWriter> writer_;
  std::map<std::string, Known> tables_;
  Plan plan_;             // of the transaction
  std::string audit_id_;  // of the record that it has written
  bool is_read_only_ = false;
};

}  // namespace qarion::secrets::rotate::sqlite
