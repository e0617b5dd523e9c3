// The line of a fork in a list.
#include "tools/log/text/fork_text.hpp"

#include <fmt/format.h>

#include "tools/log/text/decode.hpp"
#include "tools/log/text/numbers.hpp"

namespace forkscope::tools {

using analysis::Fork;
using analysis::ForkSide;

namespace {

// How the child ends: "exit 7", "executes ls, killed by SIGKILL", "exit 0, reaped by init[1]". Who reaps is
// said if that is another than the parent.
[[nodiscard]] std::string child_end_text(const Fork& fork) {
    const ForkSide& child = fork.child;
    std::string text;
    const auto add = [&text](const std::string& part) {
        if (!text.empty()) text += ", ";
        text += part;
    };
    if (child.exec) add(fmt::format("executes {}", child.exec->name));
    if (child.exit) add(wait_status_text(child.exit->status));
    if (child.reap && child.reap->by != fork.parent.tid) add("reaped by " + child.reaped_by);
    return text.empty() ? "alive at the end" : text;
}

[[nodiscard]] std::string result_text(const Fork& fork) {
    if (!fork.end) return "(unfinished)";
    if (fork.failed()) return errno_text(fork.result);
    if (fork.child.tid == 0) return fmt::format("{}", fork.result);
    return fork.child.label();
}

[[nodiscard]] std::string faults_text(const ForkSide& side) {
    if (side.faults == 0 && side.without_fault == 0) return "0";
    std::string text = fmt::format("{}={}+{}", side.faults, side.copies, side.reuses);
    const uint64_t other = side.table_only + side.not_mended + side.unfinished;
    if (other != 0) text += fmt::format("+{}", other);
    return text;
}

}  // namespace

std::string fork_line_head() {
    return fmt::format("{:>5} {:>15}  {:<18} {:<18} {:<6} {:>6} {:>7} {:>6} {:>5}  {:<12} {:<12} {:>9}  {}",
                       "fork", "at", "parent", "child", "call", "tables", "copied", "prot", "flush",
                       "parent faults", "child faults", "bytes", "flags; how the child ends");
}

std::string fork_line(const Fork& f) {
    const bool copies = f.end && !f.failed() && !f.shares_memory();
    const auto if_seen = [&f, copies](uint64_t count) {
        return !copies ? "-" : f.child.first_run ? fmt::format("{}", count) : "unseen";
    };
    const std::string copied = if_seen(f.entries_copied);
    const std::string tables = if_seen(f.tables_allocated_in_all());
    std::string line = fmt::format(
        "{:>5} {:>15}  {:<18} {:<18} {:<6} {:>6} {:>7} {:>6} {:>5}  {:<13} {:<12} {:>9}  {}", f.number,
        grouped(f.begin.icount), f.parent.label(), result_text(f), kind_of(f), tables, copied,
        f.write_protected + f.tables_protected, f.flushes, faults_text(f.parent), faults_text(f.child),
        bytes_text(f.parent.bytes_copied + f.child.bytes_copied), clone_flags_text(f.flags));
    if (f.end && !f.failed()) line += "; " + child_end_text(f);
    if (!f.notes.empty()) line += fmt::format("; {}", counted(f.notes.size() + f.notes_left_out, "note"));
    return line;
}

}  // namespace forkscope::tools
