#include "emu/check/freed_while_mapped.hpp"

#include <fmt/format.h>

namespace forkscope::check {

void FreedWhileMapped::event(const log::Event& event, uint64_t number) {
    if (event.aux != static_cast<uint16_t>(abi::Announcement::FrameFree)) return;
    Frame* frame = books_.frames.find(event.a);
    if (frame == nullptr) return;
    const bool table = books_.tables.links_of(event.a) != 0 || event.root == event.a;
    if (frame->mappings == 0 && !table) return;
    const auto ways = table ? books_.tables.ways_to_table(event.a) : books_.tables.mappings_of(event.a);
    // A table that no root reaches is linked by another dead one only.
    if (ways.empty() && event.root != event.a) return;
    if (!first_about(*frame)) return;

    Finding finding = finding_at(log::Finding::FreedWhileMapped, event, number);
    finding.event.a = event.a;
    finding.culprit = code_point(event, number);
    if (const uint64_t by = abi::changed_by(event.b); by != 0) finding.culprit->rip = by;
    if (ways.empty()) {
        finding.expected = fmt::format("frame {:#x} is given back and is the top page table in CR3", event.a);
    } else {
        finding.event.va = ways.front().va;
        finding.event.pa = ways.front().entry_pa;
        finding.event.b = ways.front().value;
        finding.event.space = ways.front().root;
        finding.event.level = table ? 2 : 1;
        finding.expected = fmt::format(
            "frame {:#x} is given back while {:#x} of address space {:#x} {} it; expected no entry", event.a,
            ways.front().va, ways.front().root, table ? "has its page table in" : "maps");
    }
    report(std::move(finding));
}

}  // namespace forkscope::check
