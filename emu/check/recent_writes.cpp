#include "emu/check/recent_writes.hpp"

#include <algorithm>

#include "emu/log/entry_bits.hpp"

namespace forkscope::check {

bool takes_something(uint64_t was, uint64_t now, unsigned level) {
    if (!log::is_present(was)) return false;
    if (!log::is_present(now) || log::frame_of(was, level) != log::frame_of(now, level)) return true;
    constexpr uint64_t kRights = log::kEntryWritable | log::kEntryUser;
    return (was & ~now & kRights) != 0 || (now & ~was & log::kEntryNoExecute) != 0;
}

void RecentWrites::apply(const log::Event& event, uint64_t number) {
    if (event.kind == log::EventKind::Flush) {
        const auto kind = static_cast<log::FlushKind>(event.aux);
        if (kind == log::FlushKind::Cr3Load || kind == log::FlushKind::TaskSwitch) flushed(event.cpu);
        return;
    }
    seen_[event.cpu] = true;
    if (!takes_something(event.a, event.b, event.level)) return;
    const bool user = log::is_lower_half(event.va);
    auto& writes = user ? user_ : kernel_;
    // What is this old is not asked for any more.
    if (writes.size() == (user ? kMostWrites : kMostKernelWrites)) {
        const auto half = static_cast<std::ptrdiff_t>(writes.size() / 2);
        writes.erase(writes.begin(), writes.begin() + half);
        if (user)
            for (size_t& at : flushed_) at -= std::min(at, static_cast<size_t>(half));
    }
    writes.push_back({code_point(event, number), event.space, event.a, event.b});
}

void RecentWrites::flushed(unsigned cpu) {
    seen_[cpu] = true;
    flushed_[cpu] = user_.size();
    for (unsigned other = 0; other < seen_.size(); ++other)
        if (seen_[other] && flushed_[other] != user_.size()) return;
    user_.clear();
    flushed_.fill(0);
}

std::optional<CodePoint> RecentWrites::blame(const log::Event& stale) const {
    const bool user = log::is_lower_half(stale.va);
    const auto& writes = user ? user_ : kernel_;
    const auto latest = [&writes](const auto& fits) -> std::optional<CodePoint> {
        const auto write = std::find_if(writes.rbegin(), writes.rend(), fits);
        return write == writes.rend() ? std::nullopt : std::optional(write->by);
    };
    const auto covers = [&](const Write& write) {
        return stale.va - write.by.va < log::span_bytes(write.by.level) &&
               (!user || write.space == stale.root);
    };
    auto found = latest([&](const Write& write) {
        return write.by.level == stale.level && covers(write) &&
               takes_something(stale.a, write.now, stale.level) &&
               !takes_something(stale.a, write.was, stale.level);
    });
    if (!found) found = latest([&](const Write& write) { return write.by.pa == stale.pa; });
    if (!found) found = latest(covers);
    return found;
}

}  // namespace forkscope::check
