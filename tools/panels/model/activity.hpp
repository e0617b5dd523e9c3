// How much of what happened when: counts of events and levels of gauges, in equal bins of instructions. When
// the bins are full, two and two become one, so a run of any length takes the same memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "emu/log/event.hpp"

namespace forkscope::panels {

enum class Series : uint8_t { TableWrites, Faults, TlbFills, Flushes, Syscalls, CowBreaks, Events };
inline constexpr size_t kSeries = 7;
enum class Gauge : uint8_t { Tasks, PageTables, Frames };
inline constexpr size_t kGauges = 3;

class Activity {
public:
    static constexpr size_t kMostBins = 16'384;
    struct Bin {
        std::array<uint32_t, kSeries> counts{};
        std::array<uint32_t, kGauges> levels{};  // at its end
    };

    void apply(const log::Event& event);

    [[nodiscard]] uint64_t bin_instructions() const { return uint64_t{1} << shift_; }
    [[nodiscard]] const std::vector<Bin>& bins() const { return bins_; }
    [[nodiscard]] const std::array<uint64_t, kSeries>& totals() const { return totals_; }

    // What happened in [first, last), in `columns` equal parts; levels are those at the end of a part.
    [[nodiscard]] std::vector<Bin> columns(uint64_t first, uint64_t last, size_t columns) const;

private:
    void halve();

    unsigned shift_ = 8;
    std::vector<Bin> bins_;
    std::array<uint32_t, kGauges> levels_{};
    std::array<uint64_t, kSeries> totals_{};
};

[[nodiscard]] const char* name_of(Series series);
[[nodiscard]] const char* name_of(Gauge gauge);

}  // namespace forkscope::panels
