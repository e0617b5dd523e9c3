// A machine without an engine for the tests of the MMU: RAM, mirror, MMUs, and what they log.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "emu/log/recorder.hpp"
#include "emu/mem/guest_ram.hpp"
#include "emu/mmu/mmu.hpp"

namespace forkscope::mmu {

inline constexpr uint64_t kP = kPtePresent;
inline constexpr uint64_t kW = kPteWritable;
inline constexpr uint64_t kU = kPteUser;
inline constexpr uint64_t kA = kPteAccessed;
inline constexpr uint64_t kD = kPteDirty;
inline constexpr uint64_t kPs = kPtePageSize;
inline constexpr uint64_t kG = kPteGlobal;
inline constexpr uint64_t kNx = kPteNoExecute;

// CR0 with paging and write protection, CR4 with PAE and global pages, EFER with long mode and NX.
[[nodiscard]] inline PagingRegisters long_mode(PhysAddr root) {
    return {.cr0 = kCr0Paging | kCr0WriteProtect | 1,
            .cr3 = root.raw(),
            .cr4 = kCr4PhysicalAddressExtension | kCr4GlobalPages,
            .efer = kEferLongModeActive | bit(8) | kEferNoExecuteEnable,
            .rflags = 2};
}

class EventLog final : public log::EventSink {
public:
    void consume(std::span<const log::Event> events) override {
        events_.insert(events_.end(), events.begin(), events.end());
    }
    std::vector<log::Event> events_;
};

class FakeEngine final : public EngineTlb {
public:
    void flush_all() override {
        ++flushes;
        if (on_flush) on_flush();
    }
    unsigned flushes = 0;
    std::function<void()> on_flush;
};

class MmuMachine {
public:
    explicit MmuMachine(uint64_t ram_bytes = 8 * kMiB, PagingModel model = {})
        : ram(std::move(mem::GuestRam::create(ram_bytes).value())), mirror(ram, recorder) {
        recorder.attach(sink, log::kAllKinds);
        mmu = std::make_unique<Mmu>(CpuId{0}, model, ram, mirror, recorder, engine);
    }

    // The events since the last call.
    std::vector<log::Event> take_events() {
        recorder.flush();
        return std::exchange(sink.events_, {});
    }
    std::vector<log::Event> take_events(log::EventKind kind) {
        std::vector<log::Event> events = take_events();
        std::erase_if(events, [&](const log::Event& e) { return e.kind != kind; });
        return events;
    }

    // A value in RAM before anybody looks.
    void poke(PhysAddr pa, uint64_t value) { ram.write<uint64_t>(pa, value); }
    // A guest's store: RAM first, then whoever watches.
    TableState store(PhysAddr pa, uint64_t value, unsigned size = 8) {
        uint64_t old_bytes = 0;
        std::memcpy(&old_bytes, ram.at(pa, size), size);
        std::memcpy(ram.at(pa, size), &value, size);
        if (!mmu->is_table(pa)) return TableState::NotTable;
        uint64_t new_bytes = 0;
        std::memcpy(&new_bytes, ram.at(pa, size), size);
        return mmu->observe_write(pa, old_bytes, new_bytes, size, log::Cause::Software, origin);
    }
    [[nodiscard]] uint64_t peek(PhysAddr pa) const { return ram.read<uint64_t>(pa); }

    // Where the entry for va stands in a table.
    [[nodiscard]] static PhysAddr entry(PhysAddr table, VirtAddr va, unsigned level) {
        return table + entry_index(va, level) * sizeof(Pte);
    }

    // Links tables[0] (level 4) .. tables[3] (level 1) at va and maps the page to `leaf`.
    void map(VirtAddr va, std::span<const PhysAddr> tables, uint64_t leaf) {
        for (size_t i = 0; i + 1 < tables.size(); ++i)
            poke(entry(tables[i], va, static_cast<unsigned>(4 - i)), tables[i + 1].raw() | kP | kW | kU);
        poke(entry(tables.back(), va, static_cast<unsigned>(5 - tables.size())), leaf);
    }

    void expect_clean_audit() {
        const AuditReport report = mmu->audit(origin);
        EXPECT_EQ(report.differences, 0u);
        for (const std::string& line : report.described) ADD_FAILURE() << line;
    }

    void load_cr3(PagingRegisters& regs, PhysAddr root) {
        const uint64_t old_value = std::exchange(regs.cr3, root.raw());
        origin.root = root.raw();
        mmu->on_flush(log::FlushKind::Cr3Load, VirtAddr(0), old_value, root.raw(), regs, origin);
        mmu->engine_flushed();
    }
    void invlpg(const PagingRegisters& regs, VirtAddr va) {
        mmu->on_flush(log::FlushKind::Invlpg, va, 0, 0, regs, origin);
    }

    log::Recorder recorder;
    EventLog sink;
    FakeEngine engine;
    mem::GuestRam ram;
    Mirror mirror;
    std::unique_ptr<Mmu> mmu;
    log::Origin origin;
};

}  // namespace forkscope::mmu
