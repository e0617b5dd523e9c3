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
    const uint64_t frame = log::frame_of(event.a, event.level);
    const uint64_t now = event.b;
    const bool other = log::is_leaf(now, event.level) && log::frame_of(now, event.level) != frame;
    finding.expected = fmt::format(
        "the TLB may hold {:#x} as {} of frame {:#x}, the tables give {}{}, and no flush came "
        "before user mode",
        event.va, rights(event.a), frame, rights(now),
        other ? fmt::format(" of frame {:#x}", log::frame_of(now, event.level)) : "");
    report(std::move(finding));
}

}  // namespace forkscope::check
