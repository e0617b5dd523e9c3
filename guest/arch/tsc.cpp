#include "guest/arch/tsc.hpp"

#include "guest/arch/cpu.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

void allow_rdtsc(bool allowed) {
    const uint64_t cr4 = read_cr4();
    write_cr4(allowed ? cr4 & ~kCr4Tsd : cr4 | kCr4Tsd);
}

}  // namespace

abi::PrTsc tsc_mode(const task_struct& task) {
    return task.thread.no_tsc ? abi::PrTsc::Sigsegv : abi::PrTsc::Enable;
}

void set_tsc_mode(abi::PrTsc mode) {
    const IrqGuard guard;
    current()->thread.no_tsc = mode == abi::PrTsc::Sigsegv;
    allow_rdtsc(mode == abi::PrTsc::Enable);
}

void switch_tsc(const thread_struct& from, const thread_struct& to) {
    if (from.no_tsc != to.no_tsc) allow_rdtsc(!to.no_tsc);
}

}  // namespace guest
