// The kernel around the file layer, as the tests make it: memory that can be made to fail, a clock, a user, a
// user's memory, and a scheduler that runs what the test says while the one task sleeps.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <vector>

namespace host_kernel {

// What panic() does.
struct Panic : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Objects, buffers and frames that are allocated now.
int64_t live_allocations();
int64_t live_pages();
// The nth allocation from now fails, once; 0: none.
void fail_allocation(uint64_t nth);
// Whether that allocation was reached.
bool failure_happened();

// Who asks: root, until a test says otherwise.
void become(uint32_t uid, uint32_t gid, bool privileged);

// Nanoseconds since 1970.
inline uint64_t now = 1'000'000'000;

// Run at each schedule(), first one first; sleeping with none left ends the test with a Panic.
void on_sleep(std::function<void()> other_task);
// A signal is pending while this is true.
inline bool signal_is_pending = false;
// Signals that were sent to the task.
inline std::vector<int> signals;

// Addresses below this are no user memory: copies to and from them fail.
inline constexpr uint64_t kBadAddresses = 0x10000;

// What unmap_mapping_range was last asked for.
inline uint64_t unmapped_from = 0;

}  // namespace host_kernel
