// With the host's clock there is no hook at every block; a thread tells the CPU when it is time to look
// up. It requests an interrupt of the engine, which svm_intercepts.hpp turns into a call between two
// blocks; uc_emu_stop from another thread could make the engine skip hooks of the running block.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "emu/base/units.hpp"
#include "emu/cpu/live_state.hpp"

namespace forkscope::cpu {

class Doorbell {
public:
    Doorbell() = default;
    ~Doorbell();
    Doorbell(const Doorbell&) = delete;
    Doorbell& operator=(const Doorbell&) = delete;

    // The state must outlive the doorbell, which begins silent.
    void start(const LiveState& state);

    // Rings at this time of the host's steady clock, nanoseconds, and again every millisecond until told
    // another time.
    void ring_at(int64_t steady_ns);

    // From the CPU's own thread: the engine looks up before the next block, for its NMI or INTR request.
    static void ring(const LiveState& state, uint32_t request);

private:
    void watch();

    LiveState state_;
    std::thread thread_;
    std::mutex mutex_;
    std::condition_variable changed_;
    int64_t deadline_ = INT64_MAX;
    bool ending_ = false;
};

// Nanoseconds of the host's steady clock.
[[nodiscard]] int64_t steady_now();

}  // namespace forkscope::cpu
