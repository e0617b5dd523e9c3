// The kernel's invariants, checked against each other: what two places say of one thing must agree. For tests
// and for whoever changes the kernel: /proc/check does it once, `check` on the command line at the end of
// every process.
//
//   frames         every frame is reserved, in one free block or in one allocated one; the totals by use are
//   theirs;
//                  a frame's _mapcount is the number of entries that map it, its _count at least what is
//                  known to hold it
//   page tables    each entry lies in an area that allows it; what is writable through a private area has one
//   mapping;
//                  an address space's counts of pages and tables are what its tables hold
//   areas          list and tree hold the same, sorted, disjoint, under their space; totals are their sums
//   page cache     a page of a file is found in that file, under its index
//   slabs          free objects and objects in use make up each slab; totals are their sums
//   tasks          groups, families, tracees and pids name each other; what tasks share is counted for each
//   of them
//
// The kernel does not preempt itself, so that between two sleeps all of this holds but for what a sleeper
// holds a lock on.
#pragma once

#include <stdint.h>

namespace guest {

// What was looked at, and what was wrong.
struct check_report {
    uint64_t frames = 0, spaces = 0, areas = 0, entries = 0, objects = 0, tasks = 0;
    // Frames that have more references than those that are known: pipes and calls under way.
    uint64_t held = 0;
    uint64_t faults = 0;

    // Tells the kernel's log, the first few times.
    [[gnu::format(printf, 2, 3)]] void fault(const char* format, ...);
};

// The parts, for check_kernel(). check_spaces counts in page::seen what check_frames compares.
void check_spaces(check_report& report);
void check_frames(check_report& report);
void check_slabs(check_report& report);
void check_tasks(check_report& report);

// All of it. No lock is held.
[[nodiscard]] check_report check_kernel();

// `check` or `check=N` on the command line: at the end of each Nth process; 0: never.
void set_check_every(uint64_t ends);
// A process has ended. Panics if something is wrong.
void check_at_exit();
// The machine is about to stop.
void check_at_end();

}  // namespace guest
