// When the kernel's invariants are checked, and what is said of them.
#include "guest/kernel/check.hpp"

#include <stdarg.h>

#include "guest/arch/irqflags.hpp"
#include "guest/lib/panic.hpp"
#include "guest/lib/printk.hpp"

namespace guest {

namespace {

constexpr uint64_t kToldFaults = 20;
constinit uint64_t check_every = 0;
constinit uint64_t ends_until_check = 0;

void check_now(const char* when) {
    const check_report report = check_kernel();
    if (report.faults > 0) panic("check %s: %lu faults", when, report.faults);
}

}  // namespace

void check_report::fault(const char* format, ...) {
    if (++faults > kToldFaults) return;
    pr_err("check: ");
    va_list args;
    va_start(args, format);
    vprintk(LogLevel::Error, format, args);
    va_end(args);
    pr_err("\n");
}

check_report check_kernel() {
    check_report report;
    // What interrupts do stays out, so that totals and lists are of one moment.
    const IrqGuard guard;
    check_spaces(report);
    check_frames(report);
    check_slabs(report);
    check_tasks(report);
    return report;
}

void set_check_every(uint64_t ends) { check_every = ends_until_check = ends; }

void check_at_exit() {
    if (check_every == 0 || --ends_until_check > 0) return;
    ends_until_check = check_every;
    check_now("at the end of a process");
}

void check_at_end() {
    if (check_every > 0) check_now("at the end");
}

}  // namespace guest
