// What is known of one fork, vfork or clone. What the host saw (page-table writes, faults, flushes) is the
// evidence; what the guest announced gives names and limits, and where the two do not agree there is a note.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "emu/log/entry_bits.hpp"
#include "tools/log/analysis/page_range.hpp"
#include "tools/log/analysis/task_table.hpp"

namespace forkscope::analysis {

enum class Side : uint8_t { Parent = 0, Child = 1 };

// How a write to memory that a fork made read-only ended.
enum class Outcome : uint8_t {
    Copy = 0,       // a new frame, writable
    Reuse = 1,      // the same frame, writable again: nobody else had it
    TableCopy = 2,  // a page table that both sides used was copied or given back writable; that was enough
    NotMended =
        3,  // the fault ended with no change of the entry: a signal, or an instruction that was given up
    Unfinished = 4,  // the log ends before
};
inline constexpr size_t kOutcomes = 5;

// A flush and what it covered.
struct FlushSeen {
    When when;
    uint16_t how = 0;  // log::FlushKind
    uint64_t va = 0;   // of INVLPG
};

// One write fault on a page that a fork made read-only, from the fault to the access that went through.
struct CowBreak {
    Side side = Side::Parent;
    uint32_t tid = 0;
    std::string name;
    std::string program;  // whose code it runs
    uint64_t root = 0;
    uint64_t va = 0;  // of the access
    uint64_t error_code = 0;
    uint64_t fault_rip = 0;
    unsigned fault_cpl = 0;
    When fault;

    Outcome outcome = Outcome::NotMended;
    unsigned level = 1;
    uint64_t old_entry = 0;
    uint64_t new_entry = 0;
    // Of a shared table that had to be copied first: the entry that links it, before and after.
    std::optional<std::pair<uint64_t, uint64_t>> table_entries;
    When upgrade;  // the page-table write
    uint64_t upgrade_rip = 0;
    unsigned upgrade_cpl = 0;
    std::optional<FlushSeen> invalidation;  // after the upgrade
    std::optional<When> resolved;           // the access went through
    // What the guest announced, if it did: frames.
    struct Announced {
        When when;
        uint64_t old_frame = 0;
        uint64_t new_frame = 0;
    };
    std::optional<Announced> announced;

    [[nodiscard]] uint64_t bytes_copied() const {
        return outcome == Outcome::Copy ? log::span_bytes(level) : 0;
    }
};

// One of the two tasks after the fork, and what became of the pages that it shared with the other one.
struct ForkSide {
    uint32_t tid = 0;
    std::string name;
    uint64_t root = 0;
    std::optional<size_t> task;  // in TaskTable::all()

    // Pages (entries) that were read-only for copy-on-write on this side after the fork. Each of them is in
    // exactly one of the counts that follow.
    uint64_t covered = 0;
    uint64_t copies = 0;
    uint64_t reuses = 0;
    uint64_t without_fault = 0;  // made writable by the kernel with no fault of this side
    uint64_t unmapped = 0;       // taken away (munmap, exec, exit) before anybody wrote; mremap only moves
    uint64_t passed_on = 0;      // covered again by a later fork of this side
    uint64_t untouched = 0;      // still as the fork left them when the log ends

    uint64_t faults = 0;        // write faults on covered pages, whatever their outcome
    uint64_t table_copies = 0;  // shared page tables copied, or given back writable
    uint64_t table_only = 0;    // faults that needed no more than that
    uint64_t not_mended = 0;
    uint64_t unfinished = 0;
    uint64_t bytes_copied = 0;

    std::optional<TaskExec> exec;  // the first after the fork
    std::optional<TaskExit> exit;
    std::optional<TaskReap> reap;
    std::string reaped_by;          // label
    std::optional<When> first_run;  // of the child: its tables were loaded

    [[nodiscard]] std::string label() const { return party_label(tid, name, root); }
};

// Everything about one fork that is not a count; kept only for the fork whose story is told.
struct ForkDetails {
    std::vector<PageRange> protected_ranges;  // parent's entries, W 1 -> 0
    std::vector<PageRange> copied_ranges;     // child's entries, same frame as the parent's
    std::optional<When> first_protect;
    uint64_t protect_rip = 0;  // of the first write
    std::optional<When> last_protect;
    std::vector<FlushSeen> flushes;  // in the call
    std::vector<CowBreak> breaks;
    uint64_t breaks_left_out = 0;  // beyond the limit
};

enum class ForkSource : uint8_t { Announced, SystemCall };

struct Fork {
    uint64_t number = 0;  // from 1, in the order of the calls
    ForkSource source = ForkSource::Announced;
    unsigned cpu = 0;
    When begin;
    std::optional<When> end;  // nothing: the log ends inside the call
    uint64_t caller_rip = 0;  // of the event that delimits the call
    uint64_t flags = 0;       // CLONE_* and exit signal
    int64_t result = 0;       // child's tid, or -errno
    ForkSide parent;
    ForkSide child;

    // In the call, by the caller.
    uint64_t write_protected = 0;   // parent's leaf entries, W 1 -> 0
    uint64_t tables_protected = 0;  // parent's entries that link tables, W 1 -> 0 (shared tables)
    uint64_t flushes = 0;
    uint64_t other_writes = 0;   // of page-table entries in the lower half
    uint64_t kernel_writes = 0;  // in the upper half
    // Protected entries that no flush had covered when the caller was back in user mode.
    uint64_t unflushed = 0;

    // The child's tables, as they were when they were first seen.
    std::array<uint64_t, log::kTopLevel + 1> tables_allocated{};  // by level
    uint64_t tables_shared = 0;                                   // of the lower half, linked by both
    uint64_t entries_copied = 0;     // same place and frame as the parent's when it forked
    uint64_t copied_read_only = 0;   // of these: W = 0
    uint64_t left_writable = 0;      // of these: W = 1 although the parent's was made read-only
    uint64_t entries_different = 0;  // the child's own

    std::vector<std::string> notes;  // disagreements and gaps, in plain words
    uint64_t notes_left_out = 0;
    ForkDetails details;

    [[nodiscard]] bool failed() const { return end && result < 0; }
    [[nodiscard]] bool shares_memory() const;  // CLONE_VM
    [[nodiscard]] uint64_t tables_allocated_in_all() const;
    [[nodiscard]] ForkSide& side(Side which) { return which == Side::Parent ? parent : child; }
    [[nodiscard]] const ForkSide& side(Side which) const { return which == Side::Parent ? parent : child; }
};

// "fork", "vfork", "thread", "clone".
[[nodiscard]] const char* kind_of(const Fork& fork);

}  // namespace forkscope::analysis
