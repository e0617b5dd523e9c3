// Units that appear in signatures.
#pragma once

#include <cstdint>

namespace forkscope {

using CpuId = uint8_t;

// Retired guest instructions of one CPU since reset.
using InstrCount = uint64_t;

// Virtual nanoseconds since reset. Derived from retired instructions, never from the host's clock.
using VirtualNs = uint64_t;

inline constexpr uint64_t kKiB = 1024;
inline constexpr uint64_t kMiB = 1024 * kKiB;
inline constexpr uint64_t kGiB = 1024 * kMiB;

inline constexpr VirtualNs kNsPerSecond = 1'000'000'000;

}  // namespace forkscope
