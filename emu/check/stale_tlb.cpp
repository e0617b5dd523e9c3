#include "emu/check/stale_tlb.hpp"

#include <fmt/format.h>

#include "emu/log/entry_bits.hpp"

namespace forkscope::check {

namespace {

std::string rights(uint64_t entry) {
    if (!log::is_present(entry)) return "nothing";
    return fmt::format("r{}{}{}", log::is_writable(entry) ? 'w' : '-',
                       (entry & log::kEntryNoExecute) == 0 ? 'x' : '-',
                       log::is_user(entry) ? "" : ", kernel only");
}

// The 4 KiB frame that a leaf maps an address to.
uint64_t page_of(uint64_t leaf, unsigned level, uint64_t va) {
    return log::frame_of(leaf, level) + (va & (log::span_bytes(level) - 1) & ~(log::span_bytes(1) - 1));
}

std::string what_tables_give(const log::Event& stale) {
    const uint64_t now = stale.b;
    const unsigned level = stale.flags != 0 ? stale.flags : stale.level;
    std::string text;
    if (level == stale.level)
        text = fmt::format("the tables give {}", rights(now));
    else if (log::is_leaf(now, level))
        text = fmt::format("the tables give {} by a level-{} page", rights(now), level);
    else
        text = fmt::format("the level-{} entry over it gives {}", level, rights(now));
    if (!log::is_leaf(now, level)) return text;
    const uint64_t page = page_of(now, level, stale.va);
    return page == page_of(stale.a, stale.level, stale.va) ? text
                                                           : fmt::format("{} of frame {:#x}", text, page);
}

}  // namespace

void StaleTlb::event(const log::Event& event, uint64_t number) {
    const auto what = static_cast<log::Finding>(event.aux);
    if (what != log::Finding::StaleTlbUser && what != log::Finding::StaleTlbKernel) return;
    if ((wanted_ & set_of(what)) == 0) return;
    Finding finding;
    finding.what = what;
    finding.event = event;
    finding.number = number;
    finding.culprit = books_.writes.blame(event);
    finding.expected = fmt::format(
        "the TLB may hold {:#x} as {} of frame {:#x}, {}, and no flush came before user mode", event.va,
        rights(event.a), page_of(event.a, event.level, event.va), what_tables_give(event));
    report(std::move(finding));
}

}  // namespace forkscope::check
