// Searches the tables in RAM and compares what it finds with the mirror.
#include "emu/mmu/audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "emu/log/audit_hash.hpp"

namespace forkscope::mmu {

namespace {

// What RAM says a frame is.
struct LiveFrame {
    uint64_t pfn;
    std::array<uint32_t, kTopLevel + 1> references;  // index: level
};

// Finds all tables below the mirror's roots by reading RAM, not the mirror's copies.
class Search {
public:
    Search(const Mirror& mirror, const mem::GuestRam& ram) : ram_(ram), at_(mirror.pfn_end(), 0) {
        for (const Slot root : mirror.roots()) reach(mirror.frame(root).pfn, kTopLevel);
        std::sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) { return a.pfn < b.pfn; });
    }

    // In ascending order.
    [[nodiscard]] const std::vector<LiveFrame>& found() const { return found_; }

    [[nodiscard]] log::TableSpan entries_of(uint64_t pfn) const {
        const uint8_t* host = ram_.at(PhysAddr(pfn << kPageShift), kPageSize);
        return log::TableSpan(reinterpret_cast<const uint64_t*>(host), kTableEntries);
    }

private:
    void reach(uint64_t pfn, unsigned level) {
        if (at_[pfn] == 0) {
            found_.push_back({pfn, {}});
            at_[pfn] = static_cast<uint32_t>(found_.size());
        }
        if (++found_[at_[pfn] - 1].references[level] > 1 || level == 1) return;
        for (const uint64_t raw : entries_of(pfn)) {
            const Pte entry(raw);
            if (!entry.present() || is_leaf(level, entry)) continue;
            if (ram_.is_ram_frame(entry.frame())) reach(entry.frame().page_number(), level - 1);
        }
    }

    const mem::GuestRam& ram_;
    std::vector<uint32_t> at_;  // index: page number; 1 + index into found_, 0: not reached
    std::vector<LiveFrame> found_;
};

class Differences {
public:
    explicit Differences(AuditReport& report) : report_(report) {}
    template <typename... Args>
    void add(fmt::format_string<Args...> format, Args&&... args) {
        ++report_.differences;
        if (report_.described.size() < AuditReport::kDescribed)
            report_.described.push_back(fmt::format(format, std::forward<Args>(args)...));
    }

private:
    AuditReport& report_;
};

void compare_references(const LiveFrame& live, const TableFrame& tracked, Differences& differences) {
    for (unsigned level = 1; level <= kTopLevel; ++level) {
        if (live.references[level] == tracked.references[level]) continue;
        differences.add("frame {:#x} has {} references as a table of level {}, the mirror counts {}",
                        tracked.base().raw(), live.references[level], level, tracked.references[level]);
    }
}

void compare_entries(log::TableSpan live, const TableFrame& tracked, Differences& differences) {
    for (unsigned index = 0; index < kTableEntries; ++index) {
        if (live[index] == tracked.entries[index].raw()) continue;
        differences.add("entry at {:#x} holds {:#x}, the mirror has {:#x}",
                        tracked.entry_address(index).raw(), live[index], tracked.entries[index].raw());
    }
}

}  // namespace

AuditReport audit(const Mirror& mirror, const mem::GuestRam& ram) {
    AuditReport report;
    Differences differences(report);
    const Search search(mirror, ram);
    report.roots = mirror.roots().size();
    report.frames = search.found().size();

    std::vector<bool> reached(mirror.slot_end(), false);
    for (const LiveFrame& live : search.found()) {
        const PhysAddr base(live.pfn << kPageShift);
        const Slot slot = mirror.slot_of(base);
        if (slot == 0) {
            differences.add("frame {:#x} is a live table and not tracked", base.raw());
            continue;
        }
        reached[slot] = true;
        compare_references(live, mirror.frame(slot), differences);
        compare_entries(search.entries_of(live.pfn), mirror.frame(slot), differences);
    }
    for (Slot slot = 1; slot < mirror.slot_end(); ++slot) {
        const TableFrame* tracked = mirror.frame_in(slot);
        if (tracked == nullptr || reached[slot]) continue;
        if (tracked->is_only_watched())
            compare_entries(search.entries_of(tracked->pfn), *tracked, differences);
        else
            differences.add("frame {:#x} is tracked and no live table", mirror.frame(slot).base().raw());
    }
    if (const uint64_t missed = mirror.missed_writes(); missed != 0) {
        differences.add("{} stores found another old value in RAM than the mirror had", missed);
        report.differences += missed - 1;
    }

    log::AuditHash hash;
    for (unsigned level = 1; level <= kTopLevel; ++level)
        for (const LiveFrame& live : search.found())
            if (live.references[level] != 0)
                hash.add_table(level, PhysAddr(live.pfn << kPageShift), search.entries_of(live.pfn));
    report.hash = hash.digest();
    report.entries = hash.entries();
    return report;
}

}  // namespace forkscope::mmu
