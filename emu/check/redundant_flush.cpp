#include "emu/check/redundant_flush.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "emu/log/entry_bits.hpp"

namespace forkscope::check {

namespace {
constexpr size_t kMostSpans = 4096;  // beyond that every flush counts as needed
}  // namespace

bool RedundantFlush::Changed::take(uint64_t va) {
    if (pages.erase(va & ~kPageOffsetMask) != 0) return true;
    return spans.size() == kMostSpans || std::ranges::any_of(spans, [va](const CodePoint& span) {
               return va - span.va < log::span_bytes(span.level);
           });
}

void RedundantFlush::Changed::clear() {
    pages.clear();
    spans.clear();
}

RedundantFlush::Cpu& RedundantFlush::cpu(unsigned number) {
    if (cpus_.size() <= number) cpus_.resize(number + 1);
    return cpus_[number];
}

void RedundantFlush::event(const log::Event& event, uint64_t number) {
    if (event.kind == log::EventKind::Flush) return flush(event, number);
    const bool by_hardware =
        event.cause == log::Cause::HardwareAccessed || event.cause == log::Cause::HardwareDirty;
    if (by_hardware || !log::is_present(event.a)) return;
    const bool kernel = !log::is_lower_half(event.va);
    (void)cpu(event.cpu);
    for (unsigned n = 0; n < cpus_.size(); ++n) {
        // What another CPU has loaded is not in the event: there it may matter.
        if (n == event.cpu && !kernel && event.space != event.root) continue;
        Changed& changed = kernel ? cpus_[n].kernel : cpus_[n].user;
        cpus_[n].kernel_fresh |= kernel;
        if (event.level == 1)
            changed.pages.insert(event.va & ~kPageOffsetMask);
        else if (changed.spans.size() < kMostSpans)
            changed.spans.push_back(code_point(event, number));
    }
}

// Whether anything needed this flush, which covers it from now on.
bool RedundantFlush::takes(Cpu& cpu, const log::Event& flush) {
    const auto kind = static_cast<log::FlushKind>(flush.aux);
    if (kind == log::FlushKind::Invlpg)
        return (log::is_lower_half(flush.va) ? cpu.user : cpu.kernel).take(flush.va);
    const bool needed = !cpu.user.none() || cpu.kernel_fresh;
    cpu.user.clear();
    cpu.kernel_fresh = false;
    if (kind == log::FlushKind::Cr4Write || kind == log::FlushKind::Cr0Write) cpu.kernel.clear();
    return needed;
}

void RedundantFlush::flush(const log::Event& event, uint64_t number) {
    const auto kind = static_cast<log::FlushKind>(event.aux);
    const bool needed = takes(cpu(event.cpu), event);
    // Other full flushes are there to change a mode.
    const bool judged =
        kind == log::FlushKind::Invlpg || (kind == log::FlushKind::Cr3Load && event.a == event.b);
    if (needed || !judged) return;
    Finding finding = finding_at(log::Finding::RedundantFlush, event, number);
    finding.event.va = event.va;
    finding.event.a = event.a;
    finding.event.b = event.b;
    finding.culprit = code_point(event, number);
    finding.expected =
        kind == log::FlushKind::Invlpg
            ? fmt::format("INVLPG of {:#x}, whose entries nobody changed since the flush before", event.va)
            : std::string("CR3 was loaded anew, and nobody changed an entry since the flush before");
    report(std::move(finding));
}

}  // namespace forkscope::check
