// Hands work from one thread to another, a few pieces ahead.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace qarion::secrets::rotate {

// Thread-safety: one thread pushes, another one pops; Close() from either.
template <typename T>
class BoundedQueue {
 public:
  // Holds `capacity` items of `capacity_bytes` together, or one that is larger.
  BoundedQueue(std::size_t capacity, std::size_t capacity_bytes)
      : capacity_(capacity), capacity_bytes_(capacity_bytes) {}

  // Waits for room. False: closed, and the item is dropped.
  bool Push(T item, std::size_t bytes) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] {
      return is_closed_ || items_.empty() ||
             (items_.size() < capacity_ && bytes_ + bytes <= capacity_bytes_);
    });
    if (is_closed_) return false;
    items_.push_back({std::move(item), bytes});
    bytes_ += bytes;
    changed_.notify_all();
    return true;
  }

  // Waits for an item. Nothing: closed, and all that was pushed before has been popped.
  std::optional<T> Pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return is_closed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    T item = std::move(items_.front().item);
    bytes_ -= items_.front().bytes;
    items_.pop_front();
    changed_.notify_all();
    return item;
  }

  void Close() {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    changed_.notify_all();
  }

 private:
  struct Entry {
    T item;
    std::size_t bytes;
  };

  const std::size_t capacity_;
  const std::size_t capacity_bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Entry> items_;
  std::size_t bytes_ = 0;
  bool is_closed_ = false;
};

}  // namespace qarion::secrets::rotate
