// SQLite's file system with faults: writes, syncs and deletions of files are counted, and from one
// of them on all fail, or the process ends as by `kill -9`.
#pragma once

#include <sqlite3.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

namespace qarion::secrets::test {

// While it exists, it is what connections are opened with. One at a time.
class DiskFaults {
 public:
  DiskFaults() {
    real_ = sqlite3_vfs_find(nullptr);
    shim_ = *real_;
    shim_.zName = "faults";
    shim_.pNext = nullptr;
    shim_.xOpen = Open;
    shim_.xDelete = Delete;
    sqlite3_vfs_register(&shim_, 1);
    count_ = 0;
    first_ = -1;
  }
  ~DiskFaults() { sqlite3_vfs_unregister(&shim_); }
  DiskFaults(const DiskFaults&) = delete;
  DiskFaults& operator=(const DiskFaults&) = delete;

  // From the operation `first` on, counted from 0 from now on, all give `code`. 0: the process
  // ends.
  void FailFrom(long first, int code) {
    count_ = 0;
    first_ = first;
    code_ = code;
  }
  void Mend() { first_ = -1; }
  long count() const { return count_; }

 private:
  static int Try() {
    const bool fails = first_ >= 0 && count_ >= first_;
    ++count_;
    if (!fails) return SQLITE_OK;
    if (code_ == 0) raise(SIGKILL);
    return code_;
  }
  static int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    const int code = real_->xOpen(real_, name, file, flags, out_flags);
    if (file->pMethods == nullptr) return code;
    // What is replaced here is the same for all files; how they are locked is not.
    real_methods_ = *file->pMethods;
    sqlite3_io_methods& methods = methods_[(flags & SQLITE_OPEN_MAIN_DB) != 0 ? 0 : 1];
    methods = real_methods_;
    methods.xWrite = Write;
    methods.xSync = Sync;
    methods.xTruncate = Truncate;
    file->pMethods = &methods;
    return code;
  }
  static int Delete(sqlite3_vfs*, const char* name, int sync) {
    if (const int code = Try(); code != SQLITE_OK) {
      return code == SQLITE_FULL ? SQLITE_OK : SQLITE_IOERR_DELETE;
    }
    return real_->xDelete(real_, name, sync);
  }
  static int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    if (const int code = Try(); code != SQLITE_OK) return code;
    return real_methods_.xWrite(file, bytes, size, offset);
  }
  static int Sync(sqlite3_file* file, int flags) {
    if (const int code = Try(); code != SQLITE_OK) return code;
    return real_methods_.xSync(file, flags);
  }
  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    if (const int code = Try(); code != SQLITE_OK && code != SQLITE_FULL) return code;
    return real_methods_.xTruncate(file, size);
  }

  static inline sqlite3_vfs* real_ = nullptr;
  static inline sqlite3_vfs shim_{};
  static inline sqlite3_io_methods real_methods_{};
  static inline sqlite3_io_methods methods_[2]{};
  static inline long count_ = 0;
  static inline long first_ = -1;
  static inline int code_ = 0;
};

}  // namespace qarion::secrets::test
