// Entry formats: every bit of every entry, random tables, tables outside RAM, large pages.
#include <random>

#include "walker_fixture.hpp"

namespace forkscope::mmu {
namespace {

// Every single bit of an entry at every level, for several widths of physical addresses.
TEST_F(WalkerTest, EveryBitOfEveryLongModeEntry) {
    const VirtAddr va(0x7f12'3456'7000);
    for (const unsigned physical_bits : {32u, 36u, 40u, 46u, 51u, 52u}) {
        for (const bool gib : {false, true}) {
            const PagingModel model{.physical_bits = physical_bits, .has_1gib_pages = gib};
            for (unsigned changed = 1; changed <= 4; ++changed) {
                for (unsigned n = 0; n < 64; ++n) {
                    for (const uint64_t ps : {uint64_t{0}, kPs}) {
                        for (unsigned level = 4; level >= 1; --level) {
                            uint64_t value = (level == 1 ? 0x5000 : kTables[5 - level].raw()) | kP | kW | kU;
                            if (level == changed) {
                                value ^= bit(n);
                                if (ps != 0) value = (value & ~bit_range(29, 12)) | ps | (value & bit(n));
                            }
                            put(MmuMachine::entry(kTables[4 - level], va, level), value);
                        }
                        for (const uint64_t nxe : {uint64_t{0}, kEferNoExecuteEnable}) {
                            PagingRegisters regs = long_mode(kRoot);
                            regs.efer = (regs.efer & ~kEferNoExecuteEnable) | nxe;
                            compare(regs, model, va);
                        }
                    }
                }
            }
        }
    }
}

TEST_F(WalkerTest, EveryBitOfEveryPaeAndLegacyEntry) {
    const VirtAddr va(0x8000'3000);
    for (const unsigned physical_bits : {32u, 36u, 40u, 52u}) {
        for (const bool pse36 : {false, true}) {
            const PagingModel model{
                .physical_bits = physical_bits, .has_1gib_pages = true, .has_pse36 = pse36};
            for (const uint64_t large : {uint64_t{0}, kPs}) {
                for (unsigned changed = 1; changed <= 3; ++changed) {
                    for (unsigned n = 0; n < 64; ++n) {
                        const auto flip = [&](unsigned level) { return level == changed ? bit(n) : 0; };
                        put(kRoot + 2 * 8, (kTables[1].raw() | kP) ^ flip(3));
                        put(MmuMachine::entry(kTables[1], va, 2),
                            ((large != 0 ? 0 : kTables[2].raw()) | large | kP | kW | kU) ^ flip(2));
                        put(MmuMachine::entry(kTables[2], va, 1), (0x5000 | kP | kW | kU) ^ flip(1));
                        for (const uint64_t efer : {uint64_t{0}, kEferNoExecuteEnable})
                            compare({.cr0 = kCr0Paging | 1,
                                     .cr3 = kRoot.raw(),
                                     .cr4 = kCr4PhysicalAddressExtension,
                                     .efer = efer},
                                    model, va);
                        if (n >= 32 || changed == 3) continue;
                        put32(kRoot + 4 * (va.raw() >> 22),
                              static_cast<uint32_t>(
                                  ((large != 0 ? 0 : kTables[1].raw()) | large | kP | kW | kU) ^ flip(2)));
                        put32(kTables[1] + 4 * ((va.raw() >> 12) & 1023),
                              static_cast<uint32_t>((0x5000 | kP | kW | kU) ^ flip(1)));
                        for (const uint64_t cr4 : {uint64_t{0}, kCr4PageSizeExtensions})
                            compare({.cr0 = kCr0Paging | 1, .cr3 = kRoot.raw(), .cr4 = cr4}, model, va);
                    }
                }
            }
        }
    }
}

// Tables filled with anything: the two still agree, and nothing reads out of bounds.
TEST_F(WalkerTest, RandomTablesInAllModes) {
    std::mt19937_64 random(42);
    const PagingModel models[] = {{.physical_bits = 40, .has_1gib_pages = true},
                                  {.physical_bits = 52, .has_1gib_pages = false, .has_pse36 = false},
                                  {.physical_bits = 32, .has_1gib_pages = true}};
    for (unsigned round = 0; round < 60'000; ++round) {
        const uint64_t r = random();
        VirtAddr va(static_cast<uint64_t>(static_cast<int64_t>(r << 16) >> 16));
        const unsigned kind = round % 3;
        PagingRegisters regs = long_mode(kRoot);
        if (kind > 0) {
            va = VirtAddr(r & 0xffff'ffff);
            regs.efer &= ~kEferLongModeActive;
            if (kind == 2) regs.cr4 &= ~kCr4PhysicalAddressExtension;
        }
        regs.cr4 |= random() & (kCr4PageSizeExtensions | kCr4Smep | kCr4Smap | kCr4ProtectionKeys);
        regs.cr0 ^= random() & kCr0WriteProtect;
        regs.efer ^= random() & kEferNoExecuteEnable;
        regs.rflags |= random() & kRflagsAlignmentCheck;
        regs.pkru = static_cast<uint32_t>(random());
        // Mostly sensible pointers, sometimes out of RAM, sometimes with a stray bit.
        const auto value = [&](PhysAddr next) {
            uint64_t v = next.raw() | kP | (random() & (kW | kU | kA | kD | kG | kNx | bit_range(62, 59)));
            if (random() % 8 == 0) v |= kPs;
            if (random() % 8 == 0) v ^= bit(static_cast<unsigned>(random() % 64));
            return v;
        };
        for (unsigned level = 4; level >= 1; --level)
            put(MmuMachine::entry(kTables[4 - level], va, level),
                value(level == 1 ? PhysAddr(0x5000) : kTables[5 - level]));
        if (kind == 1) {
            put(kRoot + 8 * (va.raw() >> 30),
                kTables[2].raw() | kP | (random() % 4 == 0 ? bit(random() % 64) : 0));
        } else if (kind == 2) {
            put32(kRoot + 4 * (va.raw() >> 22), static_cast<uint32_t>(value(kTables[1])));
            put32(kTables[1] + 4 * ((va.raw() >> 12) & 1023), static_cast<uint32_t>(value(PhysAddr(0x5000))));
        }
        compare(regs, models[random() % 3], va);
        if (HasFailure()) return;
    }
}

// An undriven bus reads as ones: a present entry with reserved bits.
TEST_F(WalkerTest, TablesOutsideRamAreReservedFaults) {
    const VirtAddr va(0x1000);
    Controls controls = Controls::decode(long_mode(PhysAddr(0xfee0'0000)), {});
    Path path = walk(ram_, controls, va);
    EXPECT_EQ(path.end, StepKind::Reserved);
    EXPECT_EQ(path.last, 4);
    EXPECT_EQ(path.leaf().where, PhysAddr(0xfee0'0000));
    EXPECT_EQ(path.leaf().value.raw(), ~uint64_t{0});
    const auto fault = judge(controls, path, va, Access::Read, Privilege::User);
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->error_code, kFaultPresent | kFaultReserved | kFaultUser);

    put(kRoot, 0x3'0000'0000 | kP | kW);
    controls = Controls::decode(long_mode(kRoot), {});
    path = walk(ram_, controls, va);
    EXPECT_EQ(path.end, StepKind::Reserved);
    EXPECT_EQ(path.last, 3);
}

TEST_F(WalkerTest, ALeafOutsideRamIsLegal) {
    const VirtAddr va(0xfee0'0000);
    for (unsigned level = 4; level > 1; --level)
        put(MmuMachine::entry(kTables[4 - level], va, level), kTables[5 - level].raw() | kP | kW);
    put(MmuMachine::entry(kTables[3], va, 1), 0xfee0'0000 | kP | kW);
    const Path path = walk(ram_, Controls::decode(long_mode(kRoot), {}), va);
    ASSERT_TRUE(path.mapped());
    EXPECT_EQ(path.frame, PhysAddr(0xfee0'0000));
}

// PAT stands in bit 12 of a large page's entry and is no address bit.
TEST_F(WalkerTest, LargePagesAndTheirPatBit) {
    const VirtAddr va(0x4030'5678);
    put(MmuMachine::entry(kTables[0], va, 4), kTables[1].raw() | kP | kW);
    put(MmuMachine::entry(kTables[1], va, 3), kTables[2].raw() | kP | kW);
    put(MmuMachine::entry(kTables[2], va, 2), 0x80'0000 | bit(12) | kPs | kP);
    const Controls controls =
        Controls::decode(long_mode(kRoot), {.physical_bits = 40, .has_1gib_pages = true});
    Path path = walk(ram_, controls, va);
    ASSERT_TRUE(path.mapped());
    EXPECT_EQ(path.frame, PhysAddr(0x90'5000));
    put(MmuMachine::entry(kTables[1], va, 3), 0x1'4000'0000 | bit(12) | kPs | kP);
    path = walk(ram_, controls, va);
    ASSERT_TRUE(path.mapped());
    EXPECT_EQ(path.frame, PhysAddr(0x1'4030'5000));
}

}  // namespace
}  // namespace forkscope::mmu
