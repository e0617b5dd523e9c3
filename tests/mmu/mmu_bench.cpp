// What the MMU costs the engine, in nanoseconds: fills and observed writes. Run it by hand:
// build/release/tests/mmu/mmu_bench
#include <benchmark/benchmark.h>

#include "mmu_machine.hpp"

namespace forkscope::mmu {
namespace {

constexpr unsigned kPages = 256;  // in one last-level table
constexpr VirtAddr kVa(0x7f12'3440'0000);
constexpr std::array<PhysAddr, 4> kTables = {PhysAddr(0x10000), PhysAddr(0x11000), PhysAddr(0x12000),
                                             PhysAddr(0x13000)};

class NoEngine final : public EngineTlb {
public:
    void flush_all() override {}
};

struct Bench {
    Bench()
        : ram(std::move(mem::GuestRam::create(64 * kMiB).value())),
          mirror(ram, recorder),
          mmu(CpuId{0}, {}, ram, mirror, recorder, engine) {
        for (unsigned level = 4; level > 1; --level)
            ram.write<uint64_t>(MmuMachine::entry(kTables[4 - level], kVa, level),
                                kTables[5 - level].raw() | kP | kW | kU);
        for (unsigned i = 0; i < kPages; ++i) ram.write<uint64_t>(kTables[3] + 8 * i, leaf(i));
        origin.root = regs.cr3;
    }
    static uint64_t leaf(unsigned i) { return 0x10'0000 + i * kPageSize + (kP | kW | kU | kA | kD); }

    class Discard final : public log::EventSink {
    public:
        void consume(std::span<const log::Event>) override {}
    };
    void record_all() { recorder.attach(sink, log::kAllKinds); }

    Discard sink;
    log::Recorder recorder;
    NoEngine engine;
    mem::GuestRam ram;
    Mirror mirror;
    Mmu mmu;
    log::Origin origin;
    PagingRegisters regs = long_mode(kTables[0]);
};

// state.range(0): whether events are recorded.
void first_fills(benchmark::State& state) {
    Bench bench;
    if (state.range(0) != 0) bench.record_all();
    unsigned page = 0;
    for (auto _ : state) {
        if (page == kPages) {
            page = 0;
            bench.mmu.on_flush(log::FlushKind::Cr3Load, VirtAddr(0), bench.regs.cr3, bench.regs.cr3,
                               bench.regs, bench.origin);
        }
        benchmark::DoNotOptimize(bench.mmu.fill(kVa + page++ * kPageSize, Access::Write, Privilege::User,
                                                bench.regs, bench.origin));
    }
}
BENCHMARK(first_fills)->Arg(0)->Arg(1);

void repeated_fills(benchmark::State& state) {
    Bench bench;
    unsigned page = 0;
    for (auto _ : state)
        benchmark::DoNotOptimize(bench.mmu.fill(kVa + page++ % kPages * kPageSize, Access::Read,
                                                Privilege::User, bench.regs, bench.origin));
}
BENCHMARK(repeated_fills);

void refused_fills(benchmark::State& state) {
    Bench bench;
    for (auto _ : state)
        benchmark::DoNotOptimize(bench.mmu.fill(kVa + kPages * kPageSize, Access::Read, Privilege::User,
                                                bench.regs, bench.origin));
}
BENCHMARK(refused_fills);

// A last-level entry that is not in the TLB, mapped and unmapped in turn.
void observed_writes(benchmark::State& state) {
    Bench bench;
    if (state.range(0) != 0) bench.record_all();
    benchmark::DoNotOptimize(bench.mmu.fill(kVa, Access::Read, Privilege::User, bench.regs, bench.origin));
    uint64_t old = Bench::leaf(5);
    for (auto _ : state) {
        const uint64_t now = old != 0 ? 0 : Bench::leaf(5);
        bench.ram.write<uint64_t>(kTables[3] + 40, now);
        benchmark::DoNotOptimize(
            bench.mmu.observe_write(kTables[3] + 40, old, now, 8, log::Cause::Software, bench.origin));
        old = now;
    }
}
BENCHMARK(observed_writes)->Arg(0)->Arg(1);

// What fork does to a filled page: write-protect it, flush, and the page fault's upgrade.
void write_protect_flush_fill(benchmark::State& state) {
    Bench bench;
    const PhysAddr entry = kTables[3] + 40;
    const VirtAddr va = kVa + 5 * kPageSize;
    const auto store = [&](uint64_t old, uint64_t now) {
        bench.ram.write<uint64_t>(entry, now);
        bench.mmu.observe_write(entry, old, now, 8, log::Cause::Software, bench.origin);
    };
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            bench.mmu.fill(va, Access::Write, Privilege::User, bench.regs, bench.origin));
        store(Bench::leaf(5), Bench::leaf(5) & ~kW);
        bench.mmu.on_flush(log::FlushKind::Invlpg, va, 0, 0, bench.regs, bench.origin);
        store(Bench::leaf(5) & ~kW, Bench::leaf(5));
    }
}
BENCHMARK(write_protect_flush_fill);

// A new root with the upper half of another one, and its end: what a process costs.
void root_comes_and_goes(benchmark::State& state) {
    Bench bench;
    bench.record_all();
    constexpr PhysAddr kRoot(0x20000);
    for (unsigned i = 0; i < 256; ++i)
        for (const PhysAddr root : {kTables[0], kRoot})
            bench.ram.write<uint64_t>(root + 8 * (256 + i), 0x200'0000 + i * kPageSize + (kP | kW));
    const auto load = [&](PhysAddr root) {
        const uint64_t old = std::exchange(bench.regs.cr3, root.raw());
        bench.mmu.on_flush(log::FlushKind::Cr3Load, VirtAddr(0), old, root.raw(), bench.regs, bench.origin);
        benchmark::DoNotOptimize(
            bench.mmu.fill(kVa, Access::Read, Privilege::User, bench.regs, bench.origin));
    };
    load(kTables[0]);
    for (auto _ : state) {
        load(kRoot);
        load(kTables[0]);
        for (unsigned i = 0; i < 2; ++i)
            bench.mmu.observe_write(kRoot + 8 * i, 0, 0, 8, log::Cause::Software, bench.origin);
    }
}
BENCHMARK(root_comes_and_goes);

void audits(benchmark::State& state) {
    Bench bench;
    for (unsigned i = 0; i < 100; ++i)
        bench.ram.write<uint64_t>(kTables[2] + 8 * i, 0x200'0000 + i * kPageSize + (kP | kW | kU));
    benchmark::DoNotOptimize(bench.mmu.fill(kVa, Access::Read, Privilege::User, bench.regs, bench.origin));
    for (auto _ : state) benchmark::DoNotOptimize(bench.mmu.audit(bench.origin));
}
BENCHMARK(audits)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace forkscope::mmu

BENCHMARK_MAIN();
