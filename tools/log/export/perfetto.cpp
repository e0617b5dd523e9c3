// The log as a Perfetto trace, for https://ui.perfetto.dev and trace_processor: a track a task, who runs on
// each CPU, and counters.
#include <array>

#include "guest/abi/event_port.hpp"
#include "tools/log/export/event_row.hpp"
#include "tools/log/export/job.hpp"
#include "tools/log/export/progress.hpp"
#include "tools/log/export/trace_tasks.hpp"
#include "tools/log/verbs/past.hpp"

namespace forkscope::tools {

using abi::Announcement;
using log::Event;
using log::EventKind;

namespace {

// Beyond the tracks of any number of tasks.
constexpr uint64_t kCounterTracks = uint64_t{1} << 60;
constexpr uint64_t kCpuTracks = uint64_t{1} << 61;
constexpr uint64_t kLogTrack = uint64_t{1} << 62;

class Counters {
public:
    static constexpr log::KindMask kKinds =
        log::mask_of(EventKind::TableLink) | log::mask_of(EventKind::TableUnlink) |
        log::mask_of(EventKind::TlbFill) | log::mask_of(EventKind::PteWrite) |
        log::mask_of(EventKind::Flush) | log::mask_of(EventKind::Announce);
    static constexpr uint64_t kPoints = 5000;  // at most, of one counter, about

    Counters(TraceFile& trace, uint64_t span_ns) : trace_(trace), step_(span_ns / kPoints) {}

    // `told`: counts that begin with the trace.
    void apply(const Event& e, uint64_t ns, bool told) {
        switch (e.kind) {
            case EventKind::TableLink:
                return add(Tables, (e.flags & log::kFirstLink) != 0 ? 1 : 0, ns, told);
            case EventKind::TableUnlink:
                return add(Tables, (e.flags & log::kLastLink) != 0 ? -1 : 0, ns, told);
            case EventKind::Announce:
                return frame(e, ns, told);
            case EventKind::TlbFill:
                return told ? add(Fills, 1, ns, told) : void();
            case EventKind::PteWrite:
                return told ? add(Writes, 1, ns, told) : void();
            case EventKind::Flush:
                return told ? add(Flushes, 1, ns, told) : void();
            default:
                return;
        }
    }
    void finish(uint64_t ns) {
        for (size_t i = 0; i < counters_.size(); ++i)
            if (counters_[i].used) put(i, ns);
    }

private:
    enum Which : size_t { Tables, Frames, Fills, Writes, Flushes, kCount };
    static constexpr std::array<const char*, kCount> kNames = {
        "page tables", "frames allocated", "TLB fills, so far", "page-table writes, so far",
        "flushes, so far"};
    struct Counter {
        int64_t value = 0;
        uint64_t next_ns = 0;  // not to be told again before
        bool used = false;
    };

    void frame(const Event& e, uint64_t ns, bool told) {
        const auto announcement = static_cast<Announcement>(e.aux);
        if (announcement == Announcement::FrameAlloc) add(Frames, 1, ns, told);
        if (announcement == Announcement::FrameFree) add(Frames, -1, ns, told);
    }

    void add(Which which, int64_t difference, uint64_t ns, bool told) {
        Counter& counter = counters_[which];
        counter.value += difference;
        if (told && ns >= counter.next_ns) put(which, ns);
    }

    void put(size_t which, uint64_t ns) {
        Counter& counter = counters_[which];
        if (!counter.used) trace_.counter_track(kCounterTracks + which, kNames[which]);
        counter.used = true;
        counter.next_ns = ns + step_;
        trace_.count(kCounterTracks + which, ns, static_cast<uint64_t>(std::max<int64_t>(0, counter.value)));
    }

    TraceFile& trace_;
    uint64_t step_;
    std::array<Counter, kCount> counters_{};
};

// Who runs, as the guest announces it.
class Cpus {
public:
    Cpus(TraceFile& trace, const analysis::TaskTable& all) : trace_(trace), all_(all) {}

    void apply(const Event& e, uint64_t ns) {
        if (e.kind != EventKind::Announce || e.aux != static_cast<uint16_t>(Announcement::TaskSwitch)) return;
        const uint64_t track = kCpuTracks + e.cpu;
        if (!used_[e.cpu]) trace_.plain_track(track, fmt::format("CPU {}", e.cpu));
        if (runs_[e.cpu]) trace_.end(track, ns);
        used_[e.cpu] = true;
        trace_.begin(track, ns, "cpu", all_.label(static_cast<uint32_t>(e.a)));
        runs_[e.cpu] = true;
    }

private:
    TraceFile& trace_;
    const analysis::TaskTable& all_;
    std::array<bool, 256> used_{};
    std::array<bool, 256> runs_{};
};

}  // namespace

Result<ExportCounts> export_perfetto(const ExportJob& job) {
    log::Reader& reader = job.reader;
    const log::EventFilter& filter = job.filter;
    const analysis::Symbolizer symbols(reader.symbols());
    analysis::TaskTable all;
    auto announcements = reader.events({.kinds = analysis::TaskTable::kKinds});
    while (announcements.next()) all.apply(announcements.event(), announcements.number());

    const log::Census census = reader.census();
    // Where nobody knows how long an instruction takes, one is a nanosecond.
    const auto ns_of = [&](uint64_t icount) {
        return reader.meta().instructions_per_second == 0 ? icount : time_ns_of(icount, reader.meta());
    };
    const uint64_t last = std::min(filter.to_icount, census.last_icount);
    TraceFile trace(job.file);
    TraceTasks tasks(trace, all, symbols);
    Counters counters(trace, ns_of(last - std::min(last, filter.from_icount)));
    Cpus cpus(trace, all);
    Progress progress("exporting", reader.event_count());
    uint64_t ns = 0;
    auto cursor =
        reader.events({.to_event = filter.to_event, .kinds = TraceTasks::kKinds | Counters::kKinds});
    while (cursor.next() && !job.file.failed()) {
        const Event& e = cursor.event();
        progress.at(cursor.number());
        if (e.icount > filter.to_icount) continue;
        const bool in_time = e.icount >= filter.from_icount && cursor.number() >= filter.from_event;
        ns = ns_of(e.icount);
        tasks.apply(e, cursor.number(), ns, in_time && filter.passes(e));
        counters.apply(e, ns, in_time);
        if (in_time) cpus.apply(e, ns);
    }
    counters.finish(ns);
    if (!reader.damage().none()) {
        trace.plain_track(kLogTrack, "log");
        trace.instant(kLogTrack, ns, "log", "this log is not whole: " + reader.damage().describe());
    }
    return ExportCounts{{{"task", "tasks", tasks.tracks()},
                         {"slice", "slices", tasks.slices()},
                         {"packet", "packets", trace.packets()}},
                        0,
                        {}};
}

}  // namespace forkscope::tools
