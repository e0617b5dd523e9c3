// The pretend guest's log, followed by a ForkTracker.
#pragma once

#include <gtest/gtest.h>

#include "tests/log/fake_guest.hpp"
#include "tools/log/analysis/fork_tracker.hpp"

namespace forkscope::analysis {

using test::FakeGuest;
using test::FakeOptions;
using test::kUserHeap;

constexpr uint64_t page(unsigned n) { return kUserHeap + uint64_t{n} * kPageSize; }

inline void expect_adding_up(const Fork& fork) {
    for (const Side which : {Side::Parent, Side::Child}) {
        const ForkSide& s = fork.side(which);
        EXPECT_EQ(s.covered, s.copies + s.reuses + s.without_fault + s.unmapped + s.passed_on + s.untouched)
            << "fork " << fork.number << (which == Side::Parent ? " parent" : " child");
        EXPECT_EQ(s.faults, s.copies + s.reuses + s.table_only + s.not_mended + s.unfinished);
    }
    EXPECT_GE(fork.entries_copied, fork.copied_read_only + fork.left_writable);
}

struct Tracked {
    explicit Tracked(const FakeGuest& guest, uint64_t detailed = 1) : tracker(detailed) {
        for (size_t i = 0; i < guest.events().size(); ++i) tracker.apply(guest.events()[i], i);
        tracker.finish();
        for (const Fork& fork : tracker.forks()) expect_adding_up(fork);
    }
    const Fork& operator[](size_t n) const { return tracker.forks().at(n - 1); }
    ForkTracker tracker;
};

// A guest whose first task has `pages` dirty pages.
inline FakeGuest with_pages(unsigned pages, FakeOptions options = {}) {
    FakeGuest guest(options);
    guest.at(test::kUserText + 0x24, 3);
    guest.touch_new_pages(kUserHeap, pages);
    return guest;
}

inline void end_child(FakeGuest& guest, uint32_t child) {
    guest.switch_to(child);
    guest.exit(0);
    guest.switch_to(1);
    guest.reap(child);
}

}  // namespace forkscope::analysis
