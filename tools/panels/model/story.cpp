// A fork in steps.
#include "tools/panels/model/story.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tools/log/text/decode.hpp"
#include "tools/log/text/entry_text.hpp"
#include "tools/log/text/numbers.hpp"

namespace forkscope::panels {

using analysis::CowBreak;
using analysis::Fork;
using analysis::ForkSide;
using analysis::ForkTracker;
using analysis::Outcome;
using analysis::Side;
using tools::counted;

StoryReader::StoryReader(log::Reader& reader, uint64_t fork)
    : reader_(reader),
      fork_(fork),
      tracker_(std::make_unique<ForkTracker>(fork)),
      cursor_(reader.events({.kinds = ForkTracker::kKinds})) {}

bool StoryReader::read_on(uint64_t events) {
    for (uint64_t i = 0; i < events && !done_; ++i) {
        if (!cursor_.next()) {
            tracker_->finish();
            done_ = true;
            break;
        }
        tracker_->apply(cursor_.event(), cursor_.number());
        read_ = cursor_.number();
    }
    return done_;
}

double StoryReader::progress() const {
    const uint64_t all = reader_.event_count();
    return done_ || all == 0 ? 1.0 : static_cast<double>(read_) / static_cast<double>(all);
}

namespace {

class Teller {
public:
    Teller(const Fork& fork, const analysis::Symbolizer& symbols, Story& story)
        : fork_(fork), symbols_(symbols), story_(story) {}

    void tell() {
        call();
        child();
        for (const CowBreak& one : fork_.details.breaks) first_write(one);
        ending("child", fork_.child);
        ending("parent", fork_.parent);
        for (const std::string& note : fork_.notes) add({}, StepKind::Warning, note, "");
        std::ranges::stable_sort(story_.steps, {}, [](const StoryStep& step) {
            return step.kind == StepKind::Warning ? ~uint64_t{0} : step.icount;
        });
        if (!fork_.shares_memory() && fork_.end && !fork_.failed()) {
            side("parent " + fork_.parent.label(), fork_.parent);
            side("child " + fork_.child.label(), fork_.child);
        }
    }

private:
    void add(const analysis::When& when, StepKind kind, std::string text, std::string detail) {
        story_.steps.push_back({when.event, when.icount, kind, std::move(text), std::move(detail)});
    }
    [[nodiscard]] std::string code(uint64_t rip, unsigned cpl, const std::string& program) const {
        return symbols_.text(rip, cpl, program);
    }

    [[nodiscard]] static std::string ranges(const std::vector<analysis::PageRange>& list) {
        constexpr size_t kShown = 4;
        std::string text;
        for (size_t i = 0; i < std::min(list.size(), kShown); ++i)
            text += fmt::format("{}{:x} – {:x}, {}", i == 0 ? "" : "\n", list[i].va, list[i].end() - 1,
                                counted(list[i].count, "page"));
        if (list.size() > kShown)
            text += fmt::format("\nand {}", counted(list.size() - kShown, "more range"));
        return text;
    }

    void call() {
        add(fork_.begin, StepKind::Call,
            fmt::format("{} calls {}", fork_.parent.label(), analysis::kind_of(fork_)),
            fork_.source == analysis::ForkSource::SystemCall ? code(fork_.caller_rip, 0, "") : "");
        const analysis::ForkDetails& d = fork_.details;
        if (d.first_protect)
            add(*d.first_protect, StepKind::Protect,
                fmt::format("{} of the parent made read-only",
                            counted(fork_.write_protected + fork_.tables_protected, "entry", "entries")),
                fmt::format("by {}\n{}", code(d.protect_rip, 0, ""), ranges(d.protected_ranges)));
        for (const analysis::FlushSeen& flush : d.flushes)
            add(flush.when, StepKind::Flush, "the TLB is flushed: " + tools::flush_text(flush.how), "");
        if (fork_.unflushed != 0)
            add(fork_.end.value_or(fork_.begin), StepKind::Warning,
                fmt::format("no flush covers {} of them", tools::grouped(fork_.unflushed)), "");
        if (!fork_.end) return;
        add(*fork_.end, StepKind::Call,
            fork_.failed() ? "the call fails with " + tools::errno_text(fork_.result)
                           : "the call is done: " + fork_.child.label(),
            fork_.shares_memory() ? "memory is shared (CLONE_VM): both run on the same page tables" : "");
    }

    void child() {
        if (!fork_.end || fork_.failed() || fork_.shares_memory() || !fork_.child.first_run) return;
        add(*fork_.child.first_run, StepKind::Child,
            fmt::format("the child's page tables are used for the first time: {}",
                        counted(fork_.tables_allocated_in_all(), "table")),
            fmt::format("{} lead to the parent's frames, {} of them read-only",
                        counted(fork_.entries_copied, "entry", "entries"),
                        tools::grouped(fork_.copied_read_only)));
    }

    void first_write(const CowBreak& b) {
        add(b.fault, StepKind::Fault,
            fmt::format("{} writes {:x}: page fault", analysis::party_label(b.tid, b.name, b.root), b.va),
            fmt::format("at {}", code(b.fault_rip, b.fault_cpl, b.program)));
        const std::string change =
            fmt::format("{}\nby {}", tools::entry_change(b.old_entry, b.new_entry, b.level),
                        code(b.upgrade_rip, b.upgrade_cpl, b.program));
        if (b.outcome == Outcome::Copy)
            add(b.upgrade, StepKind::Copy,
                fmt::format("copied: frame {:x} → {:x}", log::frame_of(b.old_entry, b.level),
                            log::frame_of(b.new_entry, b.level)),
                change);
        if (b.outcome == Outcome::Reuse)
            add(b.upgrade, StepKind::Reuse,
                fmt::format("reused: frame {:x} has no other user", log::frame_of(b.old_entry, b.level)),
                change);
        if (b.outcome == Outcome::TableCopy && b.table_entries)
            add(b.upgrade.event != 0 ? b.upgrade : b.fault, StepKind::Copy, "the shared page table is copied",
                fmt::format("{:x} → {:x}", b.table_entries->first & log::kEntryAddress,
                            b.table_entries->second & log::kEntryAddress));
    }

    void ending(const char* which, const ForkSide& one) {
        if (one.exec)
            add(one.exec->when, StepKind::End, fmt::format("{} executes {}", which, one.exec->name),
                fmt::format("root {:x}", one.exec->root));
        if (one.exit)
            add(one.exit->when, StepKind::End,
                fmt::format("{} {}: {}", which, one.label(), tools::wait_status_text(one.exit->status)), "");
        if (one.reap)
            add(one.reap->when, StepKind::End, fmt::format("{} is reaped by {}", which, one.reaped_by), "");
    }

    void side(std::string label, const ForkSide& one) {
        SideBar bar;
        bar.label = std::move(label);
        bar.covered = one.covered;
        bar.copies = one.copies;
        bar.reuses = one.reuses;
        bar.unmapped = one.unmapped;
        bar.passed_on = one.passed_on;
        bar.untouched = one.untouched;
        bar.other = one.covered - std::min(one.covered, one.copies + one.reuses + one.unmapped +
                                                            one.passed_on + one.untouched);
        bar.bytes_copied = one.bytes_copied;
        story_.sides.push_back(std::move(bar));
    }

    const Fork& fork_;
    const analysis::Symbolizer& symbols_;
    Story& story_;
};

}  // namespace

Story StoryReader::story(const analysis::Symbolizer& symbols, const log::Meta& meta) const {
    Story story;
    story.number = fork_;
    if (fork_ == 0 || fork_ > tracker_->forks().size()) return story;
    const Fork& fork = tracker_->forks()[fork_ - 1];
    story.begin = fork.begin.icount;
    story.title = fork.failed() || !fork.end
                      ? fmt::format("{} by {}", analysis::kind_of(fork), fork.parent.label())
                      : fmt::format("{}: {} makes {}", analysis::kind_of(fork), fork.parent.label(),
                                    fork.child.label());
    const std::string time = tools::duration_text(fork.begin.icount, meta.instructions_per_second);
    story.subtitle = fmt::format("fork {} · {} · {}", fork.number, tools::clone_flags_text(fork.flags), time);
    story.steps_left_out = fork.details.breaks_left_out;
    Teller(fork, symbols, story).tell();
    constexpr size_t kMostSteps = 2 * StoryReader::kMostBreaks;
    if (story.steps.size() > kMostSteps) {
        story.steps_left_out += story.steps.size() - kMostSteps;
        story.steps.resize(kMostSteps);
    }
    return story;
}

}  // namespace forkscope::panels
