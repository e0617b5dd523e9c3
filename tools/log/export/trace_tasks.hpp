// Tasks as tracks of a Perfetto trace: a process with its program as a slice, and a thread with slices for
// system calls, forks and page faults, one in the other.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "tools/log/analysis/symbolizer.hpp"
#include "tools/log/analysis/task_table.hpp"
#include "tools/log/export/event_row.hpp"
#include "tools/log/export/trace_file.hpp"

namespace forkscope::tools {

class TraceTasks {
public:
    static constexpr log::KindMask kKinds =
        log::mask_of(log::EventKind::Announce) | log::mask_of(log::EventKind::Syscall) |
        log::mask_of(log::EventKind::SyscallReturn) | log::mask_of(log::EventKind::PageFault) |
        log::mask_of(log::EventKind::FaultResolved);

    // `all`: the tasks of the whole log, for their last names.
    TraceTasks(TraceFile& trace, const analysis::TaskTable& all, const analysis::Symbolizer& symbols)
        : trace_(trace), all_(all), codes_(symbols) {}

    // Events in order, from the first one of the log on for announcements; `told`: whether it is in the
    // trace.
    void apply(const log::Event& event, uint64_t number, uint64_t ns, bool told);
    [[nodiscard]] uint64_t slices() const { return slices_; }
    [[nodiscard]] uint64_t tracks() const { return next_track_ / 2; }

private:
    enum class Open : uint8_t { Syscall, Fork, Fault };
    struct OpenSlice {
        Open sort;
        uint64_t key;  // number of the call, page of the fault
    };
    struct Track {
        uint64_t process = 0;
        uint64_t thread = 0;
        bool runs_program = false;  // its program's slice is open
        std::vector<OpenSlice> open;
    };

    [[nodiscard]] Track& track_of(uint32_t tid, uint64_t root);
    void describe(Track& track, std::optional<size_t> task, uint64_t root);
    void announced(const log::Event& event, uint64_t ns);
    void created(const log::Event& event, uint64_t ns);
    void begin(Track& track, uint64_t ns, Open sort, uint64_t key, const char* category,
               std::string_view name, std::span<const Fact> facts);
    void end(Track& track, uint64_t ns, Open sort, uint64_t key);
    void end_all(Track& track, uint64_t ns);
    void program(Track& track, uint64_t ns, std::string_view name, Flow flow = {});
    void fault(const log::Event& event, uint64_t ns);

    TraceFile& trace_;
    const analysis::TaskTable& all_;
    CodeNames codes_;
    analysis::TaskTable tasks_;                  // as they are now
    std::unordered_map<size_t, Track> by_task_;  // by place in the table
    std::unordered_map<uint64_t, Track> by_root_;
    uint64_t next_track_ = 2;
    uint64_t slices_ = 0;
};

}  // namespace forkscope::tools
