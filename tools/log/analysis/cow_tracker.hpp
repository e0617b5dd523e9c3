// Write faults on pages that a fork made read-only, from the fault to the access that went through, found
// in what the host saw: a page fault with error code P and W set, then, by the same task, a write to the
// entry that refused (same frame and writable: reuse; another frame: copy), an INVLPG, and the fault's
// resolution. What the guest announces is put beside it.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "tools/log/analysis/actor.hpp"
#include "tools/log/analysis/covered_spaces.hpp"

namespace forkscope::analysis {

class CowTracker {
public:
    // `replay` shows the tables as they are before the event that is being looked at.
    CowTracker(ForkBook& book, const TaskTable& tasks, const log::Replay& replay)
        : book_(book), tasks_(tasks), replay_(replay), spaces_(book) {}

    [[nodiscard]] CoveredSpaces& spaces() { return spaces_; }

    void fault(const log::Event& event, uint64_t number);
    void resolved(const log::Event& event, uint64_t number);
    // Any page-table write outside a fork's own write-protecting.
    void entry_written(const log::Event& event, uint64_t number);
    void flush(const log::Event& event, uint64_t number);
    void announced_break(const log::Event& event, uint64_t number);
    // An entry of a table that was linked while a fault was under way: a copied table.
    void entry_found(const log::Event& event);
    // The task will not come back to what it was doing.
    void give_up(Actor actor);
    void finish();

private:
    struct OpenFault {
        CoveredSpaces::Cover cover;
        CowBreak told;
        uint64_t entry_pa = 0;  // that refused
        bool changed = false;   // the entry was written since
        bool ended = false;     // its outcome is known
    };

    // A covered page whose entry was cleared: taken away, unless the next write of the same task maps its
    // frame elsewhere in the space, as mremap does.
    struct ClearedPage {
        CoveredSpaces::Cover cover;
        uint64_t root = 0;
        uint64_t entry = 0;  // before
    };

    // What became of the page that its task cleared last. True: this very write moved it.
    [[nodiscard]] bool settle_cleared(const log::Event& event);
    void apply_to_fault(OpenFault& open, const log::Event& event, uint64_t number);
    void upgrade(OpenFault& open, const log::Event& event, uint64_t number, Outcome outcome);
    void close(OpenFault&& open, bool at_end_of_log);
    void compare_with_guest(const OpenFault& open);
    [[nodiscard]] OpenFault* find_open(const log::Event& event);
    [[nodiscard]] bool copies_table(Actor actor) const;
    void cover_for_sharers(const log::Event& event);
    [[nodiscard]] ForkSide& side_of(const OpenFault& open);

    ForkBook& book_;
    const TaskTable& tasks_;
    const log::Replay& replay_;
    CoveredSpaces spaces_;
    std::unordered_map<Actor, std::vector<OpenFault>> open_;
    std::unordered_map<Actor, ClearedPage> cleared_;
    bool guest_announces_breaks_ = false;
};

}  // namespace forkscope::analysis
