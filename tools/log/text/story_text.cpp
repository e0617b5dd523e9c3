// The story of one fork, for people: what happened in order, what it cost, and how to read it.
#include <fmt/format.h>

#include <algorithm>

#include "emu/base/address.hpp"
#include "tools/log/text/decode.hpp"
#include "tools/log/text/entry_text.hpp"
#include "tools/log/text/fork_text.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/text/story_totals.hpp"
#include "tools/log/text/timeline.hpp"

namespace forkscope::tools {

using analysis::CowBreak;
using analysis::Fork;
using analysis::ForkSide;
using analysis::Outcome;
using analysis::Side;

namespace {

constexpr size_t kRangesShown = 12;

class Story {
public:
    Story(const StoryView& view, Output& out) : view_(view), fork_(view.fork), out_(out) {}

    void tell() {
        title();
        how_to_read();
        the_call();
        the_child();
        first_writes();
        the_ends();
        disagreements();
        print_totals(fork_, out_);
        print_timeline(view_, out_);
    }

private:
    // "+1,234": instructions since the call began.
    [[nodiscard]] std::string since(const analysis::When& when) const {
        if (when.icount < fork_.begin.icount)
            return fmt::format("-{}", grouped(fork_.begin.icount - when.icount));
        return fmt::format("+{}", grouped(when.icount - fork_.begin.icount));
    }
    void step(const analysis::When& when, const std::string& text) {
        out_.print("  {:>12}  {}\n", since(when), text);
    }
    void more(const std::string& text) { out_.print("  {:>12}    {}\n", "", text); }
    void heading(std::string_view text) { out_.print("\n{}\n", out_.paint(Style::Bold, text)); }
    void chapter(std::string_view text) { heading(fmt::format("{}. {}", ++chapters_, text)); }
    [[nodiscard]] std::string code(uint64_t rip, unsigned cpl, const std::string& program) const {
        return view_.symbols.text(rip, cpl, program);
    }

    void title() {
        std::string who =
            fork_.failed()
                ? fmt::format("{} failed to make a child: {}", fork_.parent.label(), errno_text(fork_.result))
            : !fork_.end ? fmt::format("{} calls, and the log ends inside the call", fork_.parent.label())
                         : fmt::format("{} makes {}", fork_.parent.label(), fork_.child.label());
        out_.print("{}\n", out_.paint(Style::Bold, fmt::format("Fork {}: {}", fork_.number, who)));
        const std::string time = duration_text(fork_.begin.icount, view_.meta.instructions_per_second);
        out_.print("{} with {}, at instruction {}{} on CPU {}, event {}.\n", kind_of(fork_),
                   clone_flags_text(fork_.flags), grouped(fork_.begin.icount),
                   time.empty() ? "" : fmt::format(" ({} after reset)", time), fork_.cpu, fork_.begin.event);
        if (fork_.source == analysis::ForkSource::SystemCall)
            out_.print(
                "The guest announces nothing: the call is told by its system call, processes by the address "
                "of their top page table (\"root\").\n");
    }

    void how_to_read() {
        out_.print(
            "\n{}\n"
            "  Each process sees addresses of its own. Its page tables say, for every page of 4 KiB, which "
            "frame of\n"
            "  RAM stands behind it and what may be done with it: P it is there, W it may be written, U by "
            "user\n"
            "  code, A it was accessed, D it was written (dirty), NX no code. A fork does not copy memory: "
            "parent\n"
            "  and child get entries for the same frames, with W taken away. The first write to such a page "
            "is\n"
            "  stopped by the CPU (a page fault), and only then is that one page copied, or, if nobody else "
            "uses\n"
            "  the frame any more, simply made writable again (reuse). The CPU keeps entries in its TLB; a "
            "flush\n"
            "  makes it forget old ones. Times are instructions since the call began.\n",
            out_.paint(Style::Dim, "How to read this"));
    }

    void ranges(const std::vector<analysis::PageRange>& list) {
        for (size_t i = 0; i < std::min(list.size(), kRangesShown); ++i)
            more(fmt::format(
                "{:#014x}-{:#014x}  {}{}", list[i].va, list[i].end() - 1, counted(list[i].count, "page"),
                list[i].page_bytes == kPageSize ? ""
                                                : fmt::format(" of {}", bytes_text(list[i].page_bytes))));
        if (list.size() > kRangesShown) {
            uint64_t pages = 0;
            for (size_t i = kRangesShown; i < list.size(); ++i) pages += list[i].count;
            more(fmt::format("and {} in {} more", counted(pages, "page"),
                             counted(list.size() - kRangesShown, "range")));
        }
    }

    void the_call() {
        chapter("The call");
        const std::string root = fork_.parent.tid == 0
                                     ? ""
                                     : fmt::format("; its root (top page table) is {:#x}", fork_.parent.root);
        step(fork_.begin, fmt::format("{} calls {}{}", fork_.parent.label(), kind_of(fork_), root));
        const analysis::ForkDetails& d = fork_.details;
        if (d.first_protect) {
            step(*d.first_protect,
                 fmt::format("{} of the parent made read-only (W 1 -> 0) by {}",
                             counted(fork_.write_protected, "entry", "entries"), code(d.protect_rip, 0, "")));
            ranges(d.protected_ranges);
            if (fork_.tables_protected == 0)
                covered_elsewhere("were read-only already, since an earlier fork");
        } else if (!fork_.shares_memory() && fork_.end && !fork_.failed()) {
            more("no entry had to be made read-only: nothing private was writable");
        }
        if (fork_.tables_protected != 0)
            more(
                fmt::format("{} that link whole page tables made read-only: the tables themselves are shared",
                            counted(fork_.tables_protected, "entry", "entries")));
        if (fork_.tables_protected != 0)
            covered_elsewhere("in these tables are read-only through them, or were so before");
        flushes();
        if (fork_.shares_memory() && fork_.end && !fork_.failed())
            more(fmt::format("memory is shared (CLONE_VM): the child has the same root, and {} written",
                             fork_.other_writes == 0 ? "no page-table entry was"
                                                     : counted(fork_.other_writes, "page-table entry was",
                                                               "page-table entries were")));
        if (fork_.end)
            step(*fork_.end,
                 fork_.failed()
                     ? fmt::format("the call fails with {}", errno_text(fork_.result))
                     : fmt::format(
                           "the call is done: child {}{}", fork_.result,
                           fork_.child.root == 0 ? "" : fmt::format(", root {:#x}", fork_.child.root)));
    }

    // Pages under copy-on-write whose entries this call did not have to touch.
    void covered_elsewhere(std::string_view why) {
        if (fork_.parent.covered > fork_.write_protected)
            more(fmt::format("{} more {}", grouped(fork_.parent.covered - fork_.write_protected), why));
    }

    void flushes() {
        const auto& list = fork_.details.flushes;
        constexpr size_t kShown = 4;
        for (size_t i = 0; i < std::min(list.size(), kShown); ++i)
            step(list[i].when, fmt::format("TLB flush: {}", flush_text(list[i].how)) +
                                   (list[i].va != 0 ? fmt::format(" {:#x}", list[i].va) : ""));
        if (list.size() > kShown)
            more(fmt::format("and {} more", counted(list.size() - kShown, "flush", "flushes")));
        if (fork_.unflushed != 0)
            more(out_.paint(
                Style::Red,
                fmt::format("NO FLUSH covers {} of the entries before the parent is back in user mode",
                            grouped(fork_.unflushed))));
    }

    void the_child() {
        if (!fork_.end || fork_.failed() || fork_.shares_memory()) return;
        chapter("The child's page tables");
        if (!fork_.child.first_run) {
            more("the child never ran in this log, so its tables were never seen in use");
            return;
        }
        step(*fork_.child.first_run,
             fmt::format("root {:#x} is loaded for the first time", fork_.child.root));
        std::string levels;
        for (unsigned level = log::kTopLevel; level >= 1; --level)
            if (fork_.tables_allocated[level] != 0)
                levels +=
                    fmt::format("{}L{} {}", levels.empty() ? "" : ", ", level, fork_.tables_allocated[level]);
        more(fmt::format("{} of its own ({}): {}", counted(fork_.tables_allocated_in_all(), "table"), levels,
                         bytes_text(fork_.tables_allocated_in_all() * kPageSize)));
        if (fork_.tables_shared != 0)
            more(fmt::format("{} shared with the parent", counted(fork_.tables_shared, "table")));
        more(fmt::format("{} copied: the same frames as the parent's, {} of them read-only",
                         counted(fork_.entries_copied, "entry", "entries"), grouped(fork_.copied_read_only)));
        ranges(fork_.details.copied_ranges);
        if (fork_.entries_different != 0)
            more(fmt::format("{} of its own", counted(fork_.entries_different, "entry", "entries")));
    }

    void first_writes() {
        const auto& breaks = fork_.details.breaks;
        if (fork_.parent.covered + fork_.child.covered == 0) return;
        chapter("First writes to shared pages");
        if (breaks.empty()) more("nobody wrote to a shared page");
        const size_t shown =
            view_.break_limit == 0 ? breaks.size() : std::min<size_t>(breaks.size(), view_.break_limit);
        for (size_t i = 0; i < shown; ++i) one_break(breaks[i]);
        const uint64_t rest = breaks.size() - shown + fork_.details.breaks_left_out;
        if (rest != 0)
            more(fmt::format("and {} left out by --limit {} (--limit 0 shows all)",
                             counted(rest, "write fault"), view_.break_limit));
    }

    // A thread or a child of vfork writes to the memory of one side, and is neither.
    [[nodiscard]] std::string_view side_of(const CowBreak& b) const {
        const bool parent = b.side == Side::Parent;
        if (b.tid == (parent ? fork_.parent : fork_.child).tid) return parent ? "parent" : "child";
        return parent ? "in the parent's memory," : "in the child's memory,";
    }

    void one_break(const CowBreak& b) {
        step(b.fault, fmt::format("{} {} writes {:#x} at {}: page fault, error {}",
                                  out_.paint(b.side == Side::Parent ? Style::Blue : Style::Green, side_of(b)),
                                  analysis::party_label(b.tid, b.name, b.root), b.va,
                                  code(b.fault_rip, b.fault_cpl, b.program), error_code_text(b.error_code)));
        if (b.table_entries) shared_table(b);
        switch (b.outcome) {
            case Outcome::Copy:
                more(fmt::format("{}: frame {:#x} -> {:#x}, {} copied, by {}",
                                 out_.paint(Style::Yellow, "copy"), log::frame_of(b.old_entry, b.level),
                                 log::frame_of(b.new_entry, b.level), bytes_text(b.bytes_copied()),
                                 code(b.upgrade_rip, b.upgrade_cpl, b.program)));
                break;
            case Outcome::Reuse:
                more(fmt::format("{}: frame {:#x} has no other user, by {}", out_.paint(Style::Cyan, "reuse"),
                                 log::frame_of(b.old_entry, b.level),
                                 code(b.upgrade_rip, b.upgrade_cpl, b.program)));
                break;
            case Outcome::TableCopy:
                break;
            case Outcome::NotMended:
                more("the entry was not changed by this task");
                return;
            case Outcome::Unfinished:
                more("the log ends before the fault is handled");
                return;
        }
        more(fmt::format("entry {}", entry_change(b.old_entry, b.new_entry, b.level)));
        std::string after =
            b.invalidation ? flush_text(b.invalidation->how) +
                                 (b.invalidation->va != 0 ? fmt::format(" {:#x}", b.invalidation->va) : "")
            : b.outcome == Outcome::Reuse ? "no flush needed: rights only grew"
                                          : "no flush seen";
        after += b.resolved ? fmt::format("; the write went through {} after the fault",
                                          counted(b.resolved->icount - b.fault.icount, "instruction"))
                            : "; the write was not seen to go through";
        more(after);
    }

    void shared_table(const CowBreak& b) {
        const uint64_t old_table = b.table_entries->first & log::kEntryAddress;
        const uint64_t new_table = b.table_entries->second & log::kEntryAddress;
        more(old_table == new_table
                 ? fmt::format("shared page table {:#x} has no other user any more", old_table)
                 : fmt::format("shared page table copied first: {:#x} -> {:#x}", old_table, new_table));
    }

    void the_ends() {
        if (!fork_.end || fork_.failed()) return;
        chapter("How they end");
        one_end("child", fork_.child);
        one_end("parent", fork_.parent);
    }

    void one_end(std::string_view which, const ForkSide& side) {
        if (side.exec)
            step(side.exec->when, fmt::format("{} {} executes {}, with a new root {:#x}", which, side.label(),
                                              side.exec->name, side.exec->root));
        if (side.exit)
            step(side.exit->when,
                 fmt::format("{} {}: {}", which, side.label(), wait_status_text(side.exit->status)));
        if (side.reap) step(side.reap->when, fmt::format("{} is reaped by {}", which, side.reaped_by));
        if (!side.exit) more(fmt::format("{} {} is alive when the log ends", which, side.label()));
    }

    void disagreements() {
        if (fork_.notes.empty()) return;
        heading("To be noted");
        for (const std::string& note : fork_.notes)
            out_.print("  {} {}\n", out_.paint(Style::Red, "!"), note);
        if (fork_.notes_left_out != 0) out_.print("  and {} more\n", grouped(fork_.notes_left_out));
    }

    const StoryView& view_;
    const Fork& fork_;
    Output& out_;
    unsigned chapters_ = 0;
};

}  // namespace

void print_story(const StoryView& view, Output& out) { Story(view, out).tell(); }

}  // namespace forkscope::tools
