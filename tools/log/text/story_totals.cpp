// Totals of a fork, for people.
#include "tools/log/text/story_totals.hpp"

#include <algorithm>
#include <array>

#include "emu/base/address.hpp"
#include "tools/log/text/numbers.hpp"

namespace forkscope::tools {

using analysis::CowBreak;
using analysis::Fork;
using analysis::ForkSide;
using analysis::Outcome;
using analysis::PageRange;
using analysis::Side;

namespace {

constexpr size_t kRangesShown = 12;

void print_row(const Fork& fork, Output& out, std::string_view what, uint64_t ForkSide::*count,
               bool always = false) {
    const uint64_t parent = fork.parent.*count;
    const uint64_t child = fork.child.*count;
    if (parent + child != 0 || always)
        out.print("  {:<44}{:>12}{:>12}\n", what, grouped(parent), grouped(child));
}

// Copies and reuses of each side in a range of pages.
struct Place {
    std::string name;
    uint64_t pages = 0;
    std::array<uint64_t, 2> copies{};
    std::array<uint64_t, 2> reuses{};

    void add(const CowBreak& b) {
        const auto side = static_cast<size_t>(b.side);
        if (b.outcome == Outcome::Copy) ++copies[side];
        if (b.outcome == Outcome::Reuse) ++reuses[side];
    }
    [[nodiscard]] bool is_empty() const { return copies[0] + copies[1] + reuses[0] + reuses[1] == 0; }
};

[[nodiscard]] std::vector<Place> places_of(const Fork& fork) {
    const std::vector<PageRange>& ranges = fork.details.protected_ranges;
    std::vector<Place> places;
    places.reserve(ranges.size() + 1);
    for (const PageRange& range : ranges)
        places.push_back({fmt::format("{:#014x}-{:#014x}", range.va, range.end() - 1), range.count, {}, {}});
    Place elsewhere;
    elsewhere.name = fork.tables_protected == 0 ? "read-only since an earlier fork"
                                                : "in shared tables, or read-only before";
    elsewhere.pages = fork.parent.covered - std::min(fork.parent.covered, fork.write_protected);
    for (const CowBreak& b : fork.details.breaks) {
        const auto range =
            std::ranges::find_if(ranges, [&b](const PageRange& r) { return b.va >= r.va && b.va < r.end(); });
        (range == ranges.end() ? elsewhere : places[static_cast<size_t>(range - ranges.begin())]).add(b);
    }
    if (elsewhere.pages != 0 || !elsewhere.is_empty()) places.push_back(std::move(elsewhere));
    return places;
}

void print_places(const Fork& fork, Output& out) {
    const std::vector<Place> places = places_of(fork);
    if (fork.details.breaks.empty() || fork.details.breaks_left_out != 0) return;
    out.print("\n{}\n",
              out.paint(Style::Bold, fmt::format("{:<36}{:>10}{:>12}{:>12}", "Where (copies + reuses)",
                                                 "pages", "parent", "child")));
    const auto both = [](const Place& place, Side side) {
        const auto i = static_cast<size_t>(side);
        return fmt::format("{} + {}", place.copies[i], place.reuses[i]);
    };
    uint64_t left_out = 0;
    for (size_t i = 0; i < places.size(); ++i) {
        // Ranges that nobody wrote to say nothing when there are many.
        if (places[i].is_empty() && (places.size() > kRangesShown || places[i].pages == 0)) {
            ++left_out;
            continue;
        }
        out.print("  {:<34}{:>10}{:>12}{:>12}\n", places[i].name, grouped(places[i].pages),
                  both(places[i], Side::Parent), both(places[i], Side::Child));
    }
    if (left_out != 0) out.print("  and {} that nobody wrote to\n", counted(left_out, "range"));
}

}  // namespace

void print_totals(const Fork& fork, Output& out) {
    if (fork.parent.covered + fork.child.covered == 0) return;
    print_places(fork, out);
    out.print("\n{}\n",
              out.paint(Style::Bold, fmt::format("{:<46}{:>12}{:>12}", "Totals", "parent", "child")));
    print_row(fork, out, "pages copied at their first write", &ForkSide::copies, true);
    print_row(fork, out, "pages reused at their first write", &ForkSide::reuses, true);
    print_row(fork, out, "made writable without a fault of this side", &ForkSide::without_fault);
    print_row(fork, out, "unmapped before this side wrote", &ForkSide::unmapped);
    print_row(fork, out, "passed on to a later fork of this side", &ForkSide::passed_on);
    print_row(fork, out, "still shared when the log ends", &ForkSide::untouched);
    print_row(fork, out, "= pages shared read-only after the fork", &ForkSide::covered, true);
    print_row(fork, out, "write faults", &ForkSide::faults, true);
    print_row(fork, out, "  of which not mended", &ForkSide::not_mended);
    print_row(fork, out, "  of which unfinished", &ForkSide::unfinished);
    print_row(fork, out, "  of which needed a page table only", &ForkSide::table_only);
    print_row(fork, out, "shared page tables copied", &ForkSide::table_copies);
    const uint64_t copies = fork.parent.copies + fork.child.copies;
    const uint64_t bytes = fork.parent.bytes_copied + fork.child.bytes_copied;
    out.print("  Copied in all: {}, {}. A fork that copies at once would have copied {}.\n",
              counted(copies, "page"), bytes_text(bytes), counted(fork.parent.covered, "page"));
}

}  // namespace forkscope::tools
