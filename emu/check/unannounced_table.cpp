#include "emu/check/unannounced_table.hpp"

#include <fmt/format.h>

#include <array>

#include "emu/base/address.hpp"
#include "emu/log/entry_bits.hpp"

namespace forkscope::check {

namespace {

const char* use_text(const Frame& frame) {
    constexpr std::array<const char*, 7> kUses = {"something else",    "private memory", "a page of a file",
                                                  "a page table",      "a kernel stack", "kernel objects",
                                                  "the frame of zeros"};
    if (frame.state == FrameState::Free) return "free";
    const auto use = static_cast<size_t>(frame.use);
    return use < kUses.size() ? kUses[use] : kUses[0];
}

}  // namespace

void UnannouncedTable::event(const log::Event& event, uint64_t number) {
    if (event.cause != log::Cause::Software) return;
    const uint64_t table = event.pa & ~kPageOffsetMask;
    Frame* frame = books_.frames.find(table);
    if (frame == nullptr || frame->state == FrameState::Unknown || frame->is(abi::FrameUse::PageTable))
        return;
    if (event.level == log::kTopLevel && event.root != table) return;
    if (!first_about(*frame)) return;
    Finding finding = finding_at(log::Finding::UnannouncedTable, event, number);
    finding.event.va = event.va;
    finding.event.pa = event.pa;
    finding.event.level = event.level;
    finding.event.space = event.space;
    finding.event.a = event.a;
    finding.event.b = event.b;
    finding.culprit = code_point(event, number);
    finding.expected = fmt::format(
        "the entry for {:#x} is written in frame {:#x}, a page table of level {}; the guest "
        "announced that frame as {}",
        event.va, table, event.level, use_text(*frame));
    report(std::move(finding));
}

}  // namespace forkscope::check
