#include "cache/change_hub.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace qarion::secrets::cache {
namespace {

struct Subscriber {
  ChangeCallback callback;
  bool is_running = false;
};

}  // namespace

struct ChangeHub::State {
  std::mutex mutex;
  std::condition_variable idle;
  std::thread::id delivering;
  std::vector<std::shared_ptr<Subscriber>> subscribers;

  bool Has(const std::shared_ptr<Subscriber>& subscriber) const {
    return std::find(subscribers.begin(), subscribers.end(), subscriber) != subscribers.end();
  }

  void Remove(const std::shared_ptr<Subscriber>& subscriber) {
    std::unique_lock lock(mutex);
    std::erase(subscribers, subscriber);
    if (delivering == std::this_thread::get_id()) return;
    idle.wait(lock, [&] { return !subscriber->is_running; });
  }
};

ChangeHub::ChangeHub() : state_(std::make_shared<State>()) {}

std::shared_ptr<void> ChangeHub::Subscribe(ChangeCallback callback) {
  auto subscriber = std::make_shared<Subscriber>();
  subscriber->callback = std::move(callback);
  {
    const std::lock_guard lock(state_->mutex);
    state_->subscribers.push_back(subscriber);
  }
  return {subscriber.get(), [state = state_, subscriber](void*) { state->Remove(subscriber); }};
}

void ChangeHub::Deliver(const Snapshot& before, const Snapshot& after,
                        const std::function<void(std::string_view)>& log) {
  std::unique_lock lock(state_->mutex);
  state_->delivering = std::this_thread::get_id();
  // A copy: callbacks may subscribe and unsubscribe.
  const auto subscribers = state_->subscribers;
  for (const std::shared_ptr<Subscriber>& subscriber : subscribers) {
    if (!state_->Has(subscriber)) continue;
    subscriber->is_running = true;
    lock.unlock();
    try {
      subscriber->callback(before, after);
    } catch (...) {
      log("a subscriber to changes threw an exception; it was dropped");
    }
    lock.lock();
    subscriber->is_running = false;
    state_->idle.notify_all();
  }
  state_->delivering = {};
}

}  // namespace qarion::secrets::cache
