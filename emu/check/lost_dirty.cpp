#include "emu/check/lost_dirty.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "emu/log/entry_bits.hpp"

namespace forkscope::check {

namespace {

// Bits that hardware ignores: 9..11 and 52..58 (Intel SDM vol. 3A, 4.5.4 "Linear-Address Translation with
// 4-Level Paging and 5-Level Paging").
constexpr uint64_t kSoftwareBits = 0x07f0'0000'0000'0e00;

bool is_user_leaf(uint64_t entry, unsigned level) {
    return log::is_leaf(entry, level) && log::is_user(entry);
}

}  // namespace

void LostDirty::event(const log::Event& event, uint64_t number) {
    switch (event.kind) {
        case log::EventKind::PteWrite:
            return pte_write(event, number);
        case log::EventKind::TlbFill: {
            if (steps_.size() <= event.cpu) steps_.resize(event.cpu + 1u);
            auto& steps = steps_[event.cpu];
            if (steps.size() == kMostSteps) steps.erase(steps.begin(), steps.begin() + kMostSteps / 2);
            steps.push_back({event.va, event.level, true});
            return;
        }
        case log::EventKind::Flush:
            return flush(event);
        case log::EventKind::PageFault:
            return drop(event.cpu, event.va);
        default:
            return;
    }
}

void LostDirty::pte_write(const log::Event& event, uint64_t number) {
    if (event.cause != log::Cause::Software || !log::is_lower_half(event.va)) return;
    const uint64_t lost = event.a & ~event.b;
    if ((lost & log::kEntryDirty) == 0) return;
    if (!is_user_leaf(event.a, event.level) || !log::is_leaf(event.b, event.level)) return;
    if (log::frame_of(event.a, event.level) != log::frame_of(event.b, event.level)) return;
    const uint64_t changed = event.a ^ event.b;
    const uint64_t gained = event.b & ~event.a;
    const bool other_rights =
        (gained & log::kEntryWritable) != 0 || (changed & (log::kEntryUser | log::kEntryNoExecute)) != 0;
    if (other_rights && (gained & kSoftwareBits) == 0)
        return report_lost({event, number}, event, number, "by a store that changes its rights");
    if (log::is_writable(event.b) && event.space == event.root && may_be_cached(event.cpu, event.va))
        cleared_.push_back({event, number});
}

void LostDirty::flush(const log::Event& event) {
    const auto kind = static_cast<log::FlushKind>(event.aux);
    if (kind == log::FlushKind::Invlpg) return drop(event.cpu, event.va);
    if (kind == log::FlushKind::EferWrite) return;
    if (event.cpu < steps_.size()) steps_[event.cpu].clear();
    std::erase_if(cleared_, [&](const Cleared& cleared) { return cleared.write.cpu == event.cpu; });
}

void LostDirty::drop(uint8_t cpu, uint64_t va) {
    if (cpu < steps_.size() && !steps_[cpu].empty() && steps_[cpu].size() < kMostSteps)
        steps_[cpu].push_back({va, 1, false});
    std::erase_if(cleared_, [&](const Cleared& cleared) {
        return cleared.write.cpu == cpu && va - cleared.write.va < log::span_bytes(cleared.write.level);
    });
}

bool LostDirty::may_be_cached(uint8_t cpu, uint64_t va) const {
    if (cpu >= steps_.size()) return false;
    const auto& steps = steps_[cpu];
    for (auto step = steps.rbegin(); step != steps.rend(); ++step)
        if (((va ^ step->va) & ~(log::span_bytes(step->level) - 1)) == 0) return step->filled;
    return false;
}

void LostDirty::user_mode(const log::Event& event, uint64_t number) {
    if (cleared_.empty()) return;
    for (const Cleared& cleared : cleared_) {
        if (cleared.write.cpu != event.cpu) continue;
        // Set again meanwhile, by software.
        if ((books_.tables.entry_at(cleared.write.pa) & log::kEntryDirty) != 0) continue;
        report_lost(cleared, event, number,
                    "and no flush came before user mode, so that the next store does not set it again");
    }
    std::erase_if(cleared_, [&](const Cleared& cleared) { return cleared.write.cpu == event.cpu; });
}

void LostDirty::report_lost(const Cleared& cleared, const log::Event& at, uint64_t number, const char* how) {
    const log::Event& write = cleared.write;
    const uint64_t pa = log::frame_of(write.a, write.level);
    Frame* frame = books_.frames.find(pa);
    if (frame != nullptr && !first_about(*frame)) return;
    Finding finding = finding_at(log::Finding::LostDirty, at, number);
    finding.event.va = write.va;
    finding.event.pa = write.pa;
    finding.event.level = write.level;
    finding.event.space = write.space;
    finding.event.a = write.b | log::kEntryDirty;
    finding.event.b = write.b;
    finding.culprit = code_point(write, cleared.number);
    finding.expected =
        fmt::format("frame {:#x} at {:#x} was written, and its dirty bit is cleared {}", pa, write.va, how);
    report(std::move(finding));
}

}  // namespace forkscope::check
