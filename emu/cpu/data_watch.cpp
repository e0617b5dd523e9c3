#include "emu/cpu/data_watch.hpp"

#include "emu/base/bits.hpp"

namespace forkscope::cpu {

namespace {

constexpr uint64_t kWrites = 1, kReadsAndWrites = 3;
constexpr unsigned kLengths[4] = {1, 2, 8, 4};
constexpr uint64_t kPageBytes = 4096;

}  // namespace

void DataWatch::update(const LiveState& state) {
    const uint64_t dr7 = state.dr(7);
    count_ = 0;
    for (unsigned n = 0; n < 4; ++n) {
        const bool enabled = bits(dr7, 2 * n + 1, 2 * n) != 0;
        const uint64_t kind = bits(dr7, 17 + 4 * n, 16 + 4 * n);
        if (!enabled || (kind != kWrites && kind != kReadsAndWrites)) continue;
        const unsigned bytes = kLengths[bits(dr7, 19 + 4 * n, 18 + 4 * n)];
        ranges_[count_++] = {state.dr(n) & ~uint64_t{bytes - 1}, bytes, kind == kReadsAndWrites, bit(n)};
    }
}

bool DataWatch::covers(uint64_t page, bool write) const {
    for (size_t i = 0; i < count_; ++i)
        if (ranges_[i].first / kPageBytes == page / kPageBytes && (write || ranges_[i].reads)) return true;
    return false;
}

uint64_t DataWatch::hits(uint64_t linear, unsigned bytes, bool write) const {
    uint64_t found = 0;
    for (size_t i = 0; i < count_; ++i) {
        const Range& range = ranges_[i];
        if (!write && !range.reads) continue;
        if (linear < range.first + range.bytes && range.first < linear + bytes) found |= range.bit;
    }
    return found;
}

}  // namespace forkscope::cpu
