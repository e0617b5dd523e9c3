// The end of the road: a message, registers and a backtrace on the console, then the machine stops.
#pragma once

namespace guest {

struct pt_regs;

[[noreturn, gnu::format(printf, 1, 2), gnu::cold]] void panic(const char* format, ...);
// With the registers of the exception that led here.
[[noreturn, gnu::format(printf, 2, 3), gnu::cold]] void panic_with_regs(const pt_regs& regs,
                                                                        const char* format, ...);

}  // namespace guest

// A condition that only a bug of ours can break.
#define BUG_ON(condition)                                                       \
    do {                                                                        \
        if (condition) [[unlikely]]                                             \
            ::guest::panic("BUG at %s:%d: %s", __FILE__, __LINE__, #condition); \
    } while (false)
