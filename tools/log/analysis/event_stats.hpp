// Counts over a stream of events.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "emu/log/event.hpp"

namespace forkscope::analysis {

// What a page-table write did.
enum class WriteClass : uint8_t {
    Mapped,         // P 0 -> 1
    Unmapped,       // P 1 -> 0
    MadeReadOnly,   // same frame, W 1 -> 0
    MadeWritable,   // same frame, W 0 -> 1
    Moved,          // another frame
    AccessedDirty,  // nothing but A and D
    Other
};
inline constexpr size_t kWriteClasses = 7;
[[nodiscard]] WriteClass class_of(uint64_t before, uint64_t after, unsigned level);
[[nodiscard]] const char* name_of(WriteClass write);

// One actor's share: a task, or a root where no task is announced.
struct ActorStats {
    uint64_t events = 0;
    uint64_t pte_writes = 0;  // by software
    uint64_t faults = 0;
    uint64_t fills = 0;
    uint64_t flushes = 0;
    uint64_t syscalls = 0;
};

struct EventStats {
    uint64_t events = 0;
    uint64_t first_icount = ~uint64_t{0};
    uint64_t last_icount = 0;
    std::array<uint64_t, log::kEventKindCount> kinds{};
    std::array<uint64_t, 7> causes{};  // of page-table writes, by log::Cause
    std::array<uint64_t, kWriteClasses> writes{};
    std::array<uint64_t, 5> write_levels{};
    std::map<uint64_t, uint64_t> fault_errors;  // error code -> how many
    uint64_t resolved = 0;
    uint64_t resolve_instructions = 0;  // in all, from fault to access
    std::array<uint64_t, 7> flushes{};  // by log::FlushKind
    std::array<uint64_t, 4> fill_levels{};
    std::map<uint64_t, uint64_t> syscalls;
    std::map<uint16_t, uint64_t> interrupts;
    std::map<uint16_t, uint64_t> announcements;
    std::map<uint32_t, ActorStats> tasks;
    std::map<uint64_t, ActorStats> roots;  // of events of no task

    void add(const log::Event& event);

private:
    [[nodiscard]] ActorStats& actor_of(const log::Event& event);
    // std::map keeps its nodes in place, and events of one actor come in rows.
    uint32_t last_task_ = 0;
    uint64_t last_root_ = 0;
    ActorStats* last_actor_ = nullptr;
};

}  // namespace forkscope::analysis
