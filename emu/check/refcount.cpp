#include "emu/check/refcount.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "emu/log/entry_bits.hpp"

namespace forkscope::check {

namespace {

CodePoint announcer(const log::Event& event, uint64_t number) {
    CodePoint by = code_point(event, number);
    if (const uint64_t rip = abi::changed_by(event.b); rip != 0) by.rip = rip;
    return by;
}

}  // namespace

void Refcount::event(const log::Event& event, uint64_t number) {
    switch (event.kind) {
        case log::EventKind::Announce:
            return announced(event, number);
        case log::EventKind::Stop:
            return stopped(event, number);
        case log::EventKind::TableLink:
            if (event.b > 1) suspects_.push_back(event.pa);
            return;
        default:  // PteWrite, PteFound
            if (event.level != 1 || !log::is_lower_half(event.va) || !log::is_present(event.b)) return;
            if (event.kind == log::EventKind::PteWrite && log::is_present(event.a) &&
                log::frame_of(event.a, 1) == log::frame_of(event.b, 1))
                return;
            suspects_.push_back(log::frame_of(event.b, 1));
    }
}

void Refcount::announced(const log::Event& event, uint64_t number) {
    const auto what = static_cast<abi::Announcement>(event.aux);
    if (what == abi::Announcement::TaskReap) out_of_kernel_[static_cast<uint32_t>(event.a)] = event.icount;
    const bool refs = what == abi::Announcement::FrameRefs;
    if (!refs && what != abi::Announcement::FrameFree && what != abi::Announcement::FrameAlloc) return;
    const Frame* frame = books_.frames.find(event.a);
    if (frame == nullptr || frame->state == FrameState::Unknown) return;
    const bool is_free = frame->state == FrameState::Free;
    const uint32_t before = frame->references;
    const auto wrong = [&](uint64_t expected, uint64_t found, std::string text) {
        report_frame(event.a, event, number, announcer(event, number), expected, found, std::move(text));
    };
    if (what == abi::Announcement::FrameAlloc) {
        if (!is_free) wrong(0, before, fmt::format("it is handed out while it has {} references", before));
        return;
    }
    const uint32_t now = refs ? abi::references_of(event.b) : 0;
    if (is_free)
        return wrong(0, now, refs ? "it is free, and gets a reference" : "it is free, and is freed again");
    if (!refs && before != 1)
        return wrong(1, before, fmt::format("it is freed while it has {} references", before));
    if (refs && now != before + 1 && now + 1 != before)
        return wrong(before, now, fmt::format("it had {} references, and now {}", before, now));
    if (refs && now < before) suspects_.push_back(event.a);
}

void Refcount::user_mode(const log::Event& event, uint64_t number) {
    out_of_kernel_[event.task] = event.icount;
    if (suspects_.empty()) return;
    for (const uint64_t pa : suspects_) judge(pa, event, number);
    suspects_.clear();
}

void Refcount::judge(uint64_t pa, const log::Event& event, uint64_t number) {
    const Frame* frame = books_.frames.find(pa);
    if (frame == nullptr || frame->state != FrameState::Allocated || frame->is(abi::FrameUse::Zero)) return;
    if (frame->mappings > frame->references)
        return report_frame(
            pa, event, number, frame->last_mapped, frame->mappings, frame->references,
            fmt::format("{} entries map it, and it has {} references", frame->mappings, frame->references));
    const size_t links = books_.tables.links_of(pa);
    if (links > frame->references)
        report_frame(pa, event, number, code_point(event, number), links, frame->references,
                     fmt::format("{} entries link it as a page table, and it has {} references", links,
                                 frame->references));
}

void Refcount::stopped(const log::Event& event, uint64_t number) {
    for (const uint64_t pa : books_.frames.all()) {
        const Frame& frame = books_.frames.at(pa);
        if (!frame.is_private() || !frame.was_mapped || frame.mappings != 0 || frame.references == 0)
            continue;
        const auto out = out_of_kernel_.find(frame.last_unmapped.task);
        if (out == out_of_kernel_.end() || out->second <= frame.last_unmapped.icount) continue;
        report_frame(pa, event, number, frame.last_unmapped, 0, frame.references,
                     fmt::format("the last entry that mapped it is gone, and it has {} references for ever",
                                 frame.references));
    }
}

void Refcount::report_frame(uint64_t pa, const log::Event& event, uint64_t number, const CodePoint& culprit,
                            uint64_t expected, uint64_t found, std::string text) {
    Frame* frame = books_.frames.find(pa);
    if (frame == nullptr || !first_about(*frame)) return;
    Finding finding = finding_at(log::Finding::Refcount, event, number);
    finding.event.pa = pa;
    finding.event.va = culprit.va;
    finding.event.a = expected;
    finding.event.b = found;
    finding.culprit = culprit;
    finding.expected = fmt::format("frame {:#x}: {}", pa, text);
    report(std::move(finding));
}

}  // namespace forkscope::check
