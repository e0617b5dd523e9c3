// Counting into bins.
#include "tools/panels/model/activity.hpp"

#include <algorithm>

#include "guest/abi/event_port.hpp"

namespace forkscope::panels {

using abi::Announcement;
using log::Event;
using log::EventKind;

namespace {

[[nodiscard]] Series series_of(const Event& e) {
    switch (e.kind) {
        case EventKind::PteWrite:
            return Series::TableWrites;
        case EventKind::PageFault:
            return Series::Faults;
        case EventKind::TlbFill:
            return Series::TlbFills;
        case EventKind::Flush:
            return Series::Flushes;
        case EventKind::Syscall:
            return Series::Syscalls;
        case EventKind::Announce:
            return e.aux == static_cast<uint16_t>(Announcement::CowBreak) ? Series::CowBreaks
                                                                          : Series::Events;
        default:
            return Series::Events;
    }
}

// What an event adds to a gauge.
[[nodiscard]] int change_of(Gauge gauge, const Event& e) {
    const bool announced = e.kind == EventKind::Announce;
    const auto is = [&e, announced](Announcement what) {
        return announced && e.aux == static_cast<uint16_t>(what) ? 1 : 0;
    };
    switch (gauge) {
        case Gauge::Tasks:
            return is(Announcement::TaskCreate) - is(Announcement::TaskExit);
        case Gauge::PageTables:
            if (e.kind == EventKind::TableLink) return (e.flags & log::kFirstLink) != 0 ? 1 : 0;
            if (e.kind == EventKind::TableUnlink) return (e.flags & log::kLastLink) != 0 ? -1 : 0;
            return 0;
        case Gauge::Frames:
            return is(Announcement::FrameAlloc) - is(Announcement::FrameFree);
    }
    return 0;
}

}  // namespace

void Activity::apply(const Event& e) {
    while ((e.icount >> shift_) >= kMostBins) halve();
    const size_t place = e.icount >> shift_;
    for (size_t i = bins_.size(); i <= place; ++i) {
        bins_.emplace_back();
        bins_.back().levels = levels_;
    }
    for (size_t i = 0; i < kGauges; ++i) {
        const int change = change_of(static_cast<Gauge>(i), e);
        if (change < 0 && levels_[i] == 0) continue;
        levels_[i] += static_cast<uint32_t>(change);
    }
    Bin& bin = bins_[place];
    const auto count = [&](Series series) {
        ++bin.counts[static_cast<size_t>(series)];
        ++totals_[static_cast<size_t>(series)];
    };
    count(Series::Events);
    if (const Series series = series_of(e); series != Series::Events) count(series);
    bin.levels = levels_;
}

void Activity::halve() {
    ++shift_;
    const size_t half = (bins_.size() + 1) / 2;
    for (size_t i = 0; i < half; ++i) {
        Bin bin = bins_[2 * i];
        if (2 * i + 1 < bins_.size()) {
            const Bin& next = bins_[2 * i + 1];
            for (size_t s = 0; s < kSeries; ++s) bin.counts[s] += next.counts[s];
            bin.levels = next.levels;
        }
        bins_[i] = bin;
    }
    bins_.resize(half);
}

std::vector<Activity::Bin> Activity::columns(uint64_t first, uint64_t last, size_t columns) const {
    std::vector<Bin> result(columns);
    if (columns == 0 || last <= first) return result;
    const size_t begin = first >> shift_;
    const size_t end = std::min<size_t>(bins_.size(), ((last - 1) >> shift_) + 1);
    std::vector<bool> filled(columns);
    const double scale = static_cast<double>(columns) / static_cast<double>(last - first);
    for (size_t i = begin; i < end; ++i) {
        const uint64_t start = std::max(static_cast<uint64_t>(i) << shift_, first);
        const auto column =
            std::min(columns - 1, static_cast<size_t>(static_cast<double>(start - first) * scale));
        for (size_t s = 0; s < kSeries; ++s) result[column].counts[s] += bins_[i].counts[s];
        result[column].levels = bins_[i].levels;
        filled[column] = true;
    }
    // Between bins that are wider than a column nothing changes.
    for (size_t i = 1; i < columns; ++i)
        if (!filled[i]) result[i].levels = result[i - 1].levels;
    return result;
}

const char* name_of(Series series) {
    constexpr std::array<const char*, kSeries> kNames = {"page-table writes", "page faults",  "TLB fills",
                                                         "TLB flushes",       "system calls", "COW breaks",
                                                         "all events"};
    return kNames[static_cast<size_t>(series)];
}

const char* name_of(Gauge gauge) {
    constexpr std::array<const char*, kGauges> kNames = {"tasks alive", "page tables", "frames in use"};
    return kNames[static_cast<size_t>(gauge)];
}

}  // namespace forkscope::panels
