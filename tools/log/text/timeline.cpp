// Marks on a line. Where two fall into one column the later kind in this order wins: copies and reuses,
// then exec, first run, the call, the ends.
#include "tools/log/text/timeline.hpp"

#include <algorithm>

#include "tools/log/text/numbers.hpp"

namespace forkscope::tools {

using analysis::Fork;
using analysis::ForkSide;
using analysis::Outcome;
using analysis::Side;

namespace {

[[nodiscard]] uint64_t last_of(const StoryView& view) {
    const Fork& fork = view.fork;
    uint64_t last = fork.end ? fork.end->icount : view.last_icount;
    for (const analysis::CowBreak& b : fork.details.breaks) last = std::max(last, b.fault.icount);
    for (const ForkSide* side : {&fork.parent, &fork.child}) {
        if (side->exec) last = std::max(last, side->exec->when.icount);
        if (side->exit) last = std::max(last, side->exit->when.icount);
        if (side->reap) last = std::max(last, side->reap->when.icount);
    }
    if (fork.child.first_run) last = std::max(last, fork.child.first_run->icount);
    return last;
}

class Line {
public:
    Line(uint64_t first, uint64_t step) : first_(first), step_(step), text_(kTimelineColumns, ' ') {}

    void fill(uint64_t from, uint64_t to, char c) {
        for (size_t at = column(from); at <= column(to); ++at) text_[at] = c;
    }
    void mark(const std::optional<uint64_t>& icount, char c) {
        if (icount) text_[column(*icount)] = c;
    }
    [[nodiscard]] std::string text() const { return text_.substr(0, text_.find_last_not_of(' ') + 1); }

private:
    [[nodiscard]] size_t column(uint64_t icount) const {
        const uint64_t at = icount < first_ ? 0 : (icount - first_) / step_;
        return static_cast<size_t>(std::min<uint64_t>(at, kTimelineColumns - 1));
    }
    uint64_t first_;
    uint64_t step_;
    std::string text_;
};

template <typename T>
[[nodiscard]] std::optional<uint64_t> time_of(const std::optional<T>& end) {
    return end ? std::optional(end->when.icount) : std::nullopt;
}

void mark_breaks(Line& line, const Fork& fork, Side side) {
    for (const analysis::CowBreak& b : fork.details.breaks) {
        if (b.side != side) continue;
        line.mark(b.fault.icount, b.outcome == Outcome::Copy ? 'c' : b.outcome == Outcome::Reuse ? 'r' : '?');
    }
}

void mark_ends(Line& line, const ForkSide& side) {
    line.mark(time_of(side.exec), 'x');
    line.mark(time_of(side.exit), 'E');
    line.mark(time_of(side.reap), 'Z');
}

[[nodiscard]] uint64_t end_of(const ForkSide& side, uint64_t last) {
    return side.exit ? side.exit->when.icount : last;
}

}  // namespace

Timeline timeline_of(const StoryView& view) {
    const Fork& fork = view.fork;
    const uint64_t last = last_of(view);
    Timeline timeline;
    timeline.first = fork.begin.icount;
    timeline.step = (last - std::min(last, timeline.first)) / kTimelineColumns + 1;

    Line parent(timeline.first, timeline.step);
    parent.fill(timeline.first, end_of(fork.parent, last), '.');
    mark_breaks(parent, fork, Side::Parent);
    if (fork.end) parent.fill(fork.begin.icount, fork.end->icount, '=');
    parent.mark(fork.begin.icount, 'F');
    mark_ends(parent, fork.parent);
    timeline.parent = parent.text();

    Line child(timeline.first, timeline.step);
    if (fork.end && !fork.failed()) {
        child.fill(fork.end->icount, end_of(fork.child, last), '.');
        mark_breaks(child, fork, Side::Child);
        child.mark(fork.child.first_run ? std::optional(fork.child.first_run->icount) : std::nullopt, '|');
        mark_ends(child, fork.child);
    }
    timeline.child = child.text();
    return timeline;
}

void print_timeline(const StoryView& view, Output& out) {
    const Timeline line = timeline_of(view);
    out.print("\n{}\n", out.paint(Style::Bold,
                                  fmt::format("Timeline, {} a column", counted(line.step, "instruction"))));
    out.print("  parent  {}\n", out.paint(Style::Blue, line.parent));
    if (view.fork.end && !view.fork.failed())
        out.print("  child   {}\n", out.paint(Style::Green, line.child));
    out.print("  {}\n",
              out.paint(Style::Dim,
                        "F call  = in the call  | first run  c copy  r reuse  x exec  E exit  Z reaped"));
}

}  // namespace forkscope::tools
