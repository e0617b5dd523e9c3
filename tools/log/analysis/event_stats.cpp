// Counting events.
#include "tools/log/analysis/event_stats.hpp"

#include <algorithm>

#include "emu/log/entry_bits.hpp"

namespace forkscope::analysis {

using log::Event;
using log::EventKind;

WriteClass class_of(uint64_t before, uint64_t after, unsigned level) {
    if (!log::is_present(before)) return log::is_present(after) ? WriteClass::Mapped : WriteClass::Other;
    if (!log::is_present(after)) return WriteClass::Unmapped;
    if (log::frame_of(before, level) != log::frame_of(after, level)) return WriteClass::Moved;
    if (log::is_writable(before) != log::is_writable(after))
        return log::is_writable(after) ? WriteClass::MadeWritable : WriteClass::MadeReadOnly;
    constexpr uint64_t kMarks = log::kEntryAccessed | log::kEntryDirty;
    return ((before ^ after) & ~kMarks) == 0 ? WriteClass::AccessedDirty : WriteClass::Other;
}

const char* name_of(WriteClass write) {
    switch (write) {
        case WriteClass::Mapped:
            return "mapped";
        case WriteClass::Unmapped:
            return "unmapped";
        case WriteClass::MadeReadOnly:
            return "made read-only";
        case WriteClass::MadeWritable:
            return "made writable";
        case WriteClass::Moved:
            return "another frame";
        case WriteClass::AccessedDirty:
            return "accessed/dirty only";
        case WriteClass::Other:
            return "other";
    }
    return "";
}

ActorStats& EventStats::actor_of(const Event& e) {
    if (last_actor_ != nullptr && e.task == last_task_ && (e.task != 0 || e.root == last_root_))
        return *last_actor_;
    last_task_ = e.task;
    last_root_ = e.root;
    last_actor_ = e.task != 0 ? &tasks[e.task] : &roots[e.root];
    return *last_actor_;
}

void EventStats::add(const Event& e) {
    ++events;
    first_icount = std::min(first_icount, e.icount);
    last_icount = std::max(last_icount, e.icount);
    const auto kind = static_cast<size_t>(e.kind);
    if (kind < kinds.size()) ++kinds[kind];
    ActorStats& actor = actor_of(e);
    ++actor.events;
    switch (e.kind) {
        case EventKind::PteWrite:
            ++causes[std::min<size_t>(static_cast<size_t>(e.cause), causes.size() - 1)];
            ++write_levels[std::min<size_t>(e.level, write_levels.size() - 1)];
            ++writes[static_cast<size_t>(class_of(e.a, e.b, e.level))];
            if (e.cause == log::Cause::Software) ++actor.pte_writes;
            break;
        case EventKind::TlbFill:
            ++fill_levels[std::min<size_t>(e.level, fill_levels.size() - 1)];
            ++actor.fills;
            break;
        case EventKind::Flush:
            ++flushes[std::min<size_t>(e.aux, flushes.size() - 1)];
            ++actor.flushes;
            break;
        case EventKind::PageFault:
            ++fault_errors[e.a];
            ++actor.faults;
            break;
        case EventKind::FaultResolved:
            ++resolved;
            resolve_instructions += e.icount - std::min(e.a, e.icount);
            break;
        case EventKind::Syscall:
            ++syscalls[e.a];
            ++actor.syscalls;
            break;
        case EventKind::Interrupt:
            ++interrupts[e.aux];
            break;
        case EventKind::Announce:
            ++announcements[e.aux];
            break;
        default:
            break;
    }
}

}  // namespace forkscope::analysis
