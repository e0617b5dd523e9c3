// /proc/stat, uptime, loadavg and interrupts: what the machine did since it was started.
#include "guest/arch/irq.hpp"
#include "guest/fs/proc/root_files.hpp"
#include "guest/kernel/fork.hpp"
#include "guest/kernel/nsproxy.hpp"
#include "guest/kernel/sched_core.hpp"

namespace guest {

namespace {

constexpr uint64_t kNsPerSecond = 1'000'000'000;
// Hundredths of a second, as uptime and loadavg show them.
constexpr uint64_t kNsPerCentisecond = kNsPerSecond / 100;

uint64_t interrupts_in_all() {
    uint64_t sum = 0;
    for (unsigned irq = 0; irq < kIrqs; ++irq) sum += irq_statistics_of(irq).count;
    return sum;
}

void put_cpu(seq_file& m, const char* label) {
    const kernel_cpustat& cpu = cpustat();
    m.printf("%s %lu %lu %lu %lu 0 0 0 0 0 0\n", label, cpu.user, cpu.nice, cpu.system, cpu.idle);
}

void put_load(seq_file& m, uint64_t load) {
    constexpr uint64_t kOne = uint64_t{1} << kLoadShift;
    const uint64_t rounded = load + kOne / 200;
    m.printf("%lu.%02lu ", rounded / kOne, rounded % kOne * 100 / kOne);
}

}  // namespace

Result<> stat_show(proc_text& m) {
    put_cpu(m, "cpu ");
    put_cpu(m, "cpu0");
    m.printf("intr %lu", interrupts_in_all());
    for (unsigned irq = 0; irq < kIrqs; ++irq) m.printf(" %lu", irq_statistics_of(irq).count);
    const uint64_t up = ktime_get();
    m.printf("\nctxt %lu\nbtime %lu\nprocesses %lu\n", nr_context_switches(),
             (ktime_get_real() - up) / kNsPerSecond, total_forks);
    m.printf("procs_running %u\nprocs_blocked %u\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n", nr_running(),
             nr_uninterruptible());
    return {};
}

Result<> uptime_show(proc_text& m) {
    const uint64_t up = ktime_get() / kNsPerCentisecond;
    const uint64_t idle = cpustat().idle * kNsPerTick / kNsPerCentisecond;
    m.printf("%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
    return {};
}

Result<> loadavg_show(proc_text& m) {
    const load_average average = avenrun();
    for (const uint64_t load : average.minutes) put_load(m, load);
    m.printf("%u/%d %d\n", nr_running(), nr_threads, m.ns().last_pid);
    return {};
}

Result<> interrupts_show(proc_text& m) {
    m.printf("%11s\n", "CPU0");
    for (unsigned irq = 0; irq < kIrqs; ++irq) {
        const irq_statistics line = irq_statistics_of(irq);
        if (line.name != nullptr) m.printf("%3u: %10lu    XT-PIC  %s\n", irq, line.count, line.name);
    }
    return {};
}

}  // namespace guest
