// What the child of a fork was given, from the moment when its tables are first seen. A child's tables are
// mostly filled before they are anybody's page tables; they come into the log when its root is first loaded,
// as table links with the entries found in them. Each entry found is compared with what the parent had at
// that place when it forked.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "emu/log/replay.hpp"
#include "tools/log/analysis/covered_spaces.hpp"
#include "tools/log/analysis/fork_book.hpp"

namespace forkscope::analysis {

class ChildTables {
public:
    // `replay` shows the tables as they are before the event that is being looked at.
    ChildTables(ForkBook& book, CoveredSpaces& spaces, const log::Replay& replay)
        : book_(book), spaces_(spaces), replay_(replay) {}

    // A call that may make an address space is under way, or is over.
    void fork_begins() { ++forks_under_way_; }
    void fork_ends();
    // Before fork_ends(): there is a child with tables of its own. root 0: nobody says which they are; then
    // it is the next new root whose entries are mostly the parent's.
    void child_made(size_t fork, uint64_t root);
    // The space is gone; if it is a child's that never ran, it is not waited for any longer.
    void space_gone(uint64_t root);

    void table_linked(const log::Event& event, uint64_t number);
    void table_unlinked(const log::Event& event);
    void entry_found(const log::Event& event);
    void entry_written(const log::Event& event);
    // Any event of another kind: what was found so far is all.
    void burst_over();

private:
    // The parent's leaf entries that changed after the fork, by address, with their values at the fork.
    using Changed = std::unordered_map<uint64_t, uint64_t>;
    struct Waiting {
        size_t fork = 0;
        uint64_t parent_root = 0;
        uint64_t child_root = 0;  // 0: unknown
        Changed changed;
        CoveredPages covered;  // in the parent's space at the fork
        CoveredPages covered_tables;
    };
    // A root that was linked, with what was found in its tables at that moment.
    struct Birth {
        When when;
        std::array<uint64_t, log::kTopLevel + 1> tables{};
        std::map<uint64_t, uint64_t> shared_tables;  // start of what each maps -> bytes
        std::vector<log::ReplayLeaf> leaves;
    };
    // Children that nobody names wait for ever, if they never run.
    static constexpr size_t kMaxWaiting = 64;

    [[nodiscard]] static uint64_t covered_by_shared_tables(const Birth& birth, const Waiting& waiting);
    void settle(uint64_t root, const Birth& birth, const Waiting& waiting);
    [[nodiscard]] std::vector<Waiting>::iterator most_alike(const Birth& birth);
    [[nodiscard]] bool same_as_parent(const Waiting& waiting, const log::ReplayLeaf& leaf) const;

    ForkBook& book_;
    CoveredSpaces& spaces_;
    const log::Replay& replay_;
    unsigned forks_under_way_ = 0;
    std::vector<Waiting> waiting_;
    std::unordered_map<uint64_t, Birth> births_;  // by root; kept while a call is under way
    std::optional<uint64_t> growing_;             // root whose entries are coming now
};

}  // namespace forkscope::analysis
