// Mistakes on purpose: bug=NAME on the command line puts one classic bug of memory management into the
// kernel, so that the host's checks have something to find (tools/buglab). Without it each place costs one
// comparison.
#pragma once

#include <stdint.h>

namespace guest {

// X(enumerator, name)
#define GUEST_BUGS(X)                                          \
    X(NoFlushAtFork, "no-flush-at-fork")                       \
    X(NoFlushAfterCow, "no-flush-after-cow")                   \
    X(ParentLeftWritable, "parent-left-writable")              \
    X(ReuseWithTwoOwners, "reuse-with-two-owners")             \
    X(RefcountLeak, "refcount-leak")                           \
    X(RefcountUnderflow, "refcount-underflow")                 \
    X(TableSharedByMistake, "table-shared-by-mistake")         \
    X(ExecWithoutFlush, "exec-without-flush")                  \
    X(MprotectWithoutFlush, "mprotect-without-flush")          \
    X(MunmapWithoutFlush, "munmap-without-flush")              \
    X(DirtyBitDropped, "dirty-bit-dropped")                    \
    X(DirtyClearedWithoutFlush, "dirty-cleared-without-flush") \
    X(FreedWhileMapped, "freed-while-mapped")                  \
    X(TableOfWrongUse, "table-of-wrong-use")

enum class Bug : uint8_t {
    None,
#define X(enumerator, name) enumerator,
    GUEST_BUGS(X)
#undef X
};

extern Bug the_bug;

[[nodiscard]] inline bool has_bug(Bug bug) { return __builtin_expect(the_bug == bug, 0) != 0; }

// False if no bug has that name.
bool set_bug(const char* name);

}  // namespace guest
