// A machine with one page mapped and in the TLB, for the tests of the ledger.
#pragma once

#include <functional>

#include "emu/mmu/ledger.hpp"
#include "mmu_machine.hpp"

namespace forkscope::mmu {

// Epoch counters that come round are a matter of hours: the tests set them.
class LedgerTestPeer {
public:
    static void set_epochs(Mmu& mmu, uint32_t value) {
        mmu.ledger_.epochs_.others = value;
        mmu.ledger_.epochs_.globals = value;
    }
    static size_t suspects(const Mmu& mmu) { return mmu.ledger_.suspects_.size(); }
};

inline constexpr PhysAddr kRoot(0x10000);
inline constexpr PhysAddr kOtherRoot(0x20000);
inline constexpr std::array<PhysAddr, 4> kTables = {kRoot, PhysAddr(0x11000), PhysAddr(0x12000),
                                                    PhysAddr(0x13000)};
inline constexpr VirtAddr kVa(0x7f12'3460'0000);
inline constexpr uint64_t kLeaf = 0x5000 | kP | kW | kU | kA | kD;

class LedgerTest : public ::testing::Test, protected MmuMachine {
protected:
    LedgerTest() {
        map(kVa, kTables, kLeaf);
        poke(at(1) + 8, 0x6000 | kP | kW | kU | kA | kD);
        origin = {.icount = 5, .rip = 0x777, .root = kRoot.raw(), .task = 0, .cpu = 0, .cpl = 3};
        fill(Access::Write);
        take_events();
    }

    PhysAddr at(unsigned level) const { return entry(kTables[4 - level], kVa, level); }
    void fill(Access access, VirtAddr va = kVa, Privilege privilege = Privilege::User) {
        ASSERT_TRUE(mmu->fill(va, access, privilege, regs, origin));
    }
    std::vector<log::Event> findings() {
        take_events();
        mmu->check_on_return_to_user(regs, origin);
        return take_events(log::EventKind::Finding);
    }
    void expect_finding_at(VirtAddr va) {
        const auto found = findings();
        ASSERT_EQ(found.size(), 1u);
        EXPECT_EQ(found[0].va, va.raw());
    }
    void write_cr4(uint64_t value) {
        const uint64_t old_value = std::exchange(regs.cr4, value);
        mmu->on_flush(log::FlushKind::Cr4Write, VirtAddr(0), old_value, value, regs, origin);
    }

    PagingRegisters regs = long_mode(kRoot);
};

}  // namespace forkscope::mmu
