// Fills and flushes.
#include "tools/log/analysis/tlb_view.hpp"

#include <algorithm>

namespace forkscope::analysis {

using log::Event;
using log::EventKind;
using log::FlushKind;

namespace {

// What of CR4 drops global pages, too (SDM vol. 3A, 4.10.4.1 "Operations that Invalidate TLBs and
// Paging-Structure Caches").
[[nodiscard]] bool cr4_write_drops_all(uint64_t before, uint64_t after) {
    constexpr uint64_t kPae = bit(5);
    constexpr uint64_t kPge = bit(7);
    constexpr uint64_t kSmep = bit(20);
    return ((before ^ after) & (kPae | kPge)) != 0 || (~before & after & kSmep) != 0;
}

}  // namespace

void TlbView::apply(const Event& e, uint64_t number) {
    Cpu& cpu = cpus_[e.cpu];
    const auto drop_all = [&] {
        counts_.by_all += cpu.local.size() + cpu.global.size();
        cpu.local.clear();
        cpu.global.clear();
    };
    switch (e.kind) {
        case EventKind::TlbFill: {
            ++counts_.fills;
            auto& fills = (e.flags & log::kGlobal) != 0 ? cpu.global : cpu.local;
            fills[{e.va & ~(log::span_bytes(e.level) - 1), e.level}] = {e, number};
            return;
        }
        case EventKind::PageFault:
            return drop_page(cpu, e.va);
        case EventKind::Flush:
            switch (static_cast<FlushKind>(e.aux)) {
                case FlushKind::Invlpg:
                    return drop_page(cpu, e.va);
                case FlushKind::Cr3Load:
                case FlushKind::TaskSwitch:
                    counts_.by_space += cpu.local.size();
                    cpu.local.clear();
                    return;
                case FlushKind::Cr0Write: {
                    constexpr uint64_t kPaging = bit(31);
                    if (((e.a ^ e.b) & kPaging) != 0) drop_all();
                    return;
                }
                case FlushKind::Cr4Write:
                    if (cr4_write_drops_all(e.a, e.b)) drop_all();
                    return;
                case FlushKind::EferWrite:
                    return;
            }
            return;
        default:
            return;
    }
}

void TlbView::drop_page(Cpu& cpu, uint64_t va) {
    for (auto* fills : {&cpu.local, &cpu.global})
        for (unsigned level = 1; level <= 3; ++level)
            counts_.by_page += fills->erase({va & ~(log::span_bytes(level) - 1), level});
}

size_t TlbView::size() const {
    size_t entries = 0;
    for (const auto& [number, cpu] : cpus_) entries += cpu.local.size() + cpu.global.size();
    return entries;
}

std::vector<TlbEntry> TlbView::entries() const {
    std::vector<TlbEntry> result;
    for (const auto& [number, cpu] : cpus_) {
        for (const auto& [key, entry] : cpu.local) result.push_back(entry);
        for (const auto& [key, entry] : cpu.global) result.push_back(entry);
    }
    std::ranges::sort(result, {}, [](const TlbEntry& entry) {
        return std::tuple(entry.fill.cpu, entry.fill.va, entry.fill.level, entry.number);
    });
    return result;
}

}  // namespace forkscope::analysis
