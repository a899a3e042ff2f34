// A PostgreSQL database as a rotation sees it.
//
// Two connections: one holds the transaction, its locks and its writes; the other reads the rows
// from the snapshot that the first one exported, while the first one writes.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rotate/postgres/catalogue.h"
#include "rotate/postgres/commit.h"
#include "rotate/postgres/connection.h"
#include "rotate/postgres/row_names.h"
#include "rotate/postgres/update_writer.h"
#include "rotate/store.h"

namespace qarion::secrets::rotate::postgres {

class PostgresStore final : public Store {
 public:
  static Result<std::unique_ptr<Store>> Open(const StoreAddress& address);
  ~PostgresStore() override;

  std::string Description() const override;
  Result<std::vector<Target>> Resolve(const Plan& plan) override;
  Result<std::vector<Finding>> Examine(const Plan& plan, std::span<const Target> targets) override;
  Result<std::vector<TextColumn>> TextColumns() override;
  Status Begin(const Plan& plan, std::span<const Target> targets,
               const TransactionOptions& options) override;
  Result<std::unique_ptr<RowSource>> Read(const Target& target) override;
  Status Update(const Target& target, const UpdateBatch& batch) override;
  Status Finish() override;
  Result<std::unique_ptr<RowSource>> ReadBack(const Target& target) override;
  Result<std::unique_ptr<RowSource>> Search(const TextColumn& column,
                                            std::span<const std::string_view> needles) override;
  Result<std::string> NameRow(const Target& target, std::uint64_t locator) override;
  Status CheckConstraints() override;
  Status WriteAudit(const Plan& plan, AuditRecord record) override;
  CommitResult Commit() override;
  void Rollback() noexcept override;
  void Cancel() noexcept override;
  Result<std::optional<AuditRecord>> FindAudit(const Plan& plan, std::string_view id) override;
  Result<bool> IsBusy() override;
  void ShowProgress(std::string_view text) override;
  Status ScrubStorage(std::span<const Target> targets,
                      const std::function<void(const Target&)>& each) override;

 private:
  PostgresStore(std::shared_ptr<Connection> connection, std::chrono::milliseconds lock_timeout);

  Status CheckCancelled() const;
  Result<const Table*> Find(const Target& target) const;
  // A transaction that only looks, on the first connection, which is made anew where it was lost.
  Status BeginLooking();
  void EndLooking() noexcept;
  Status Reconnect();
  Status BeginWork(const Plan& plan, std::span<const Target> targets,
                   const TransactionOptions& options);
  // Rolls back. Whether the work was cancelled.
  bool Abandon() noexcept;
  // Makes the second connection, where it is not there still.
  Status PrepareReader();
  Status BeginReading();
  // What would refuse a writing transaction, as far as that can be known without locks that last.
  Status Rehearse(const Plan& plan);

  const std::string description_;
  const std::chrono::milliseconds usual_lock_timeout_;  // outside of a transaction of Begin()
  mutable std::mutex mutex_;  // of which connections there are, for Cancel()
  std::shared_ptr<Connection> main_;
  std::shared_ptr<Connection> reader_;  // null before the first transaction
  std::optional<UpdateWriter> writer_;
  Resolved resolved_;
  RowNames names_;
  std::optional<AuditMark> audit_mark_;
  std::string snapshot_;
  std::chrono::milliseconds lock_timeout_{};
  bool is_open_ = false;        // a transaction
  bool is_barred_ = false;      // the second connection could not have its locks
  bool is_committing_ = false;  // under mutex_
  std::atomic<bool> is_cancelled_ = false;
};

}  // namespace qarion::secrets::rotate::postgres
