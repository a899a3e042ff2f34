// One thread makes pieces of work while the caller does what each asks for.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "core/thread.h"
#include "qarion/secrets/result.h"
#include "rotate/bounded_queue.h"

namespace qarion::secrets::rotate {

// What a piece takes in memory, as far as that differs from piece to piece.
template <typename T>
std::size_t BytesOf(const T& piece) {
  if constexpr (requires { piece.ByteCount(); }) {
    return piece.ByteCount();
  } else {
    return sizeof(T);
  }
}

// Calls `produce` on a thread of its own until it returns nothing or an error, and `consume` with
// each piece on this one. A few pieces are made ahead, fewer of large ones. The first error of
// either ends both; it is returned when the thread is gone. `produce` must not throw.
template <typename T>
Status Pipe(const std::function<Result<std::optional<T>>()>& produce,
            const std::function<Status(const T&)>& consume) {
  constexpr std::size_t kPiecesAhead = 2;
  constexpr std::size_t kBytesAhead = std::size_t{4} * 1024 * 1024;
  BoundedQueue<T> queue(kPiecesAhead, kBytesAhead);
  Status produced;
  Status consumed;
  {
    const std::jthread producer = core::StartThread([&] {
      while (true) {
        auto piece = produce();
        if (!piece) {
          produced = std::move(piece).error();
          break;
        }
        if (!*piece) break;
        const std::size_t bytes = BytesOf(**piece);
        if (!queue.Push(**std::move(piece), bytes)) break;
      }
      queue.Close();
    });
    // Before the thread is joined, also where `consume` throws.
    struct Closing {
      BoundedQueue<T>& queue;
      ~Closing() { queue.Close(); }
    };
    const Closing closing{queue};
    while (consumed) {
      const auto piece = queue.Pop();
      if (!piece) break;
      consumed = consume(*piece);
    }
  }
  return consumed ? std::move(produced) : std::move(consumed);
}

}  // namespace qarion::secrets::rotate
