// What hostile programs hand to system calls: arguments of the kinds that guest/abi/syscalls.def names, most
// of them plausible, some of them nonsense, all decided by one seed.
#pragma once

#include "rows.h"

enum { kBuffer = 16 * PAGE, kArguments = 6 };

// The seed of everything that follows.
void fuzz_seed(uint64_t seed);
uint64_t fuzz_random(void);
static inline bool one_in(unsigned n) { return fuzz_random() % n == 0; }

// Memory, paths and open files for arguments; in a directory of the program's own.
void fuzz_prepare(void);

struct fuzz_call {
    long number;
    uint64_t arguments[kArguments];
};
// Plausible: one of the calls of the table, each argument of its kind. Otherwise any number and any
// arguments.
enum fuzz_style { kPlausible, kNonsense };
struct fuzz_call fuzz_next_call(enum fuzz_style style);
