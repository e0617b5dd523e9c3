#include "emu/cpu/doorbell.hpp"

#include <chrono>

#include "emu/base/quiet_thread.hpp"

namespace forkscope::cpu {

namespace {

constexpr int64_t kAgain = 1'000'000;  // ns

}  // namespace

int64_t steady_now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

Doorbell::~Doorbell() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void Doorbell::start(const LiveState& state) {
    state_ = state;
    thread_ = start_quiet_thread([this] { watch(); });
}

void Doorbell::ring_at(int64_t steady_ns) {
    {
        const std::lock_guard lock(mutex_);
        deadline_ = steady_ns;
    }
    changed_.notify_one();
}

void Doorbell::ring(const LiveState& state, uint32_t request) {
    // The engine clears bits of its own without care for other threads; a ring that is lost comes again.
    std::atomic_ref(state.interrupt_request()).fetch_or(request);
    std::atomic_ref(state.exit_request()).store(-1);
}

void Doorbell::watch() {
    std::unique_lock lock(mutex_);
    while (!ending_) {
        const int64_t now = steady_now();
        if (now < deadline_) {
            if (deadline_ == INT64_MAX)
                changed_.wait(lock);
            else
                changed_.wait_for(lock, std::chrono::nanoseconds(deadline_ - now));
            continue;
        }
        ring(state_, kRequestNmi);
        changed_.wait_for(lock, std::chrono::nanoseconds(kAgain));
    }
}

}  // namespace forkscope::cpu
