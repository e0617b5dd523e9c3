// The pure walker against the oracle: access rights in all combinations, reserved bits, address bits.
#include "emu/mmu/walker.hpp"

#include <gtest/gtest.h>

#include <random>

#include "mmu_machine.hpp"
#include "walker_oracle.hpp"

namespace forkscope::mmu {
namespace {

constexpr PhysAddr kRoot(0x10000);
constexpr std::array<PhysAddr, 4> kTables = {kRoot, PhysAddr(0x11000), PhysAddr(0x12000), PhysAddr(0x13000)};
constexpr Access kAccesses[] = {Access::Read, Access::Write, Access::Fetch};
constexpr Privilege kPrivileges[] = {Privilege::Supervisor, Privilege::User, Privilege::ImplicitSupervisor};

class WalkerTest : public ::testing::Test {
protected:
    WalkerTest() : ram_(std::move(mem::GuestRam::create(2 * kMiB).value())) {}

    void put(PhysAddr pa, uint64_t value) { ram_.write<uint64_t>(pa, value); }
    void put32(PhysAddr pa, uint32_t value) { ram_.write<uint32_t>(pa, value); }

    // Walker and oracle agree on every access; returns how many were allowed.
    unsigned compare(const PagingRegisters& regs, const PagingModel& model, VirtAddr va) {
        const ReadEntry read = [&](uint64_t pa, unsigned bytes) -> uint64_t {
            if (!ram_.contains(PhysAddr(pa), bytes)) return bytes == 8 ? ~uint64_t{0} : 0xffff'ffff;
            return bytes == 8 ? ram_.read<uint64_t>(PhysAddr(pa)) : ram_.read<uint32_t>(PhysAddr(pa));
        };
        const Controls controls = Controls::decode(regs, model);
        const Path path = walk(ram_, controls, va);
        unsigned allowed = 0;
        for (const Access access : kAccesses) {
            for (const Privilege privilege : kPrivileges) {
                const OracleAnswer expected = ask_oracle(regs, model, va.raw(), access, privilege, read);
                const auto fault = judge(controls, path, va, access, privilege);
                const bool same = expected.allowed
                                      ? !fault && path.frame.raw() == expected.frame
                                      : fault && fault->error_code == expected.error_code &&
                                            (expected.refused_at == 0 || expected.refused_at == fault->level);
                if (!same) {
                    ADD_FAILURE() << "va " << std::hex << va.raw() << " access " << int(access)
                                  << " privilege " << int(privilege) << " cr0 " << regs.cr0 << " cr4 "
                                  << regs.cr4 << " efer " << regs.efer << " pkru " << regs.pkru << ": oracle "
                                  << (expected.allowed ? expected.frame : expected.error_code) << ", walker "
                                  << (fault ? fault->error_code : path.frame.raw());
                    return allowed;
                }
                allowed += expected.allowed;
                if (fault) expect_fault_names_its_entry(*fault, path);
            }
        }
        return allowed;
    }

    static void expect_fault_names_its_entry(const Fault& fault, const Path& path) {
        ASSERT_GE(fault.level, path.last);
        ASSERT_LE(fault.level, path.top);
        ASSERT_EQ(fault.entry, path.at(fault.level).where);
        ASSERT_EQ(fault.value, path.at(fault.level).value.raw());
    }

    // All settings of the control bits that access rights look at.
    template <typename Visitor>
    static void for_all_controls(PagingRegisters regs, Visitor&& visit) {
        for (unsigned mask = 0; mask < 32; ++mask) {
            PagingRegisters r = regs;
            r.cr0 = (mask & 1) != 0 ? regs.cr0 | kCr0WriteProtect : regs.cr0 & ~kCr0WriteProtect;
            if ((mask & 2) != 0) r.cr4 |= kCr4Smep;
            if ((mask & 4) != 0) r.cr4 |= kCr4Smap;
            if ((mask & 8) != 0) r.rflags |= kRflagsAlignmentCheck;
            r.efer = (mask & 16) != 0 ? regs.efer | kEferNoExecuteEnable : regs.efer & ~kEferNoExecuteEnable;
            visit(r);
        }
    }

    static uint64_t rights(unsigned mask) {
        return ((mask & 1) != 0 ? kW : 0) | ((mask & 2) != 0 ? kU : 0) | ((mask & 4) != 0 ? kNx : 0);
    }

    mem::GuestRam ram_;
};

TEST_F(WalkerTest, LongModeRightsInAllCombinations) {
    const VirtAddr va(0xffff'8123'4567'8000);
    uint64_t allowed = 0;
    for (unsigned leaf_level = 1; leaf_level <= 3; ++leaf_level) {
        const PagingModel model{.physical_bits = 40, .has_1gib_pages = true};
        const unsigned levels = 5 - leaf_level;
        for (unsigned mask = 0; mask < 1u << (3 * levels); ++mask) {
            for (unsigned level = 4; level >= leaf_level; --level) {
                const bool leaf = level == leaf_level;
                const uint64_t target = leaf ? 0x4000'0000 : kTables[5 - level].raw();
                put(MmuMachine::entry(kTables[4 - level], va, level),
                    target | kP | (leaf && level > 1 ? kPs : 0) | rights(mask >> (3 * (level - leaf_level))));
            }
            for_all_controls(long_mode(kRoot),
                             [&](const PagingRegisters& r) { allowed += compare(r, model, va); });
            if (HasFailure()) return;
        }
    }
    EXPECT_GT(allowed, 100'000u);
}

TEST_F(WalkerTest, ProtectionKeysInAllCombinations) {
    const VirtAddr va(0x7f00'1234'5000);
    for (const uint64_t key : {0, 1, 15}) {
        for (unsigned mask = 0; mask < 8; ++mask) {
            for (unsigned level = 4; level > 1; --level)
                put(MmuMachine::entry(kTables[4 - level], va, level),
                    kTables[5 - level].raw() | kP | kW | kU);
            put(MmuMachine::entry(kTables[3], va, 1), 0x5000 | kP | rights(mask) | key << 59);
            for (const uint32_t pkru : {0u, 1u, 2u, 3u, 4u, 8u, 0x4000'0000u, 0x8000'0000u, 0xffff'ffffu}) {
                for (const uint64_t pke : {uint64_t{0}, kCr4ProtectionKeys}) {
                    PagingRegisters regs = long_mode(kRoot);
                    regs.pkru = pkru;
                    regs.cr4 |= pke;
                    for_all_controls(regs, [&](const PagingRegisters& r) { compare(r, {}, va); });
                }
            }
        }
    }
}

TEST_F(WalkerTest, PaeRightsInAllCombinations) {
    const VirtAddr va(0xc123'4000);
    PagingRegisters regs{.cr0 = kCr0Paging | 1, .cr3 = 0x10020, .cr4 = kCr4PhysicalAddressExtension};
    put(PhysAddr(0x10020 + 3 * 8), kTables[1].raw() | kP);
    for (unsigned mask = 0; mask < 64; ++mask) {
        put(MmuMachine::entry(kTables[1], va, 2), kTables[2].raw() | kP | rights(mask));
        put(MmuMachine::entry(kTables[2], va, 1), 0x7000 | kP | rights(mask >> 3));
        for_all_controls(regs, [&](const PagingRegisters& r) { compare(r, {}, va); });
        put(MmuMachine::entry(kTables[1], va, 2), 0x60'0000 | kP | kPs | rights(mask));
        for_all_controls(regs, [&](const PagingRegisters& r) { compare(r, {}, va); });
    }
}

TEST_F(WalkerTest, LegacyRightsInAllCombinations) {
    const VirtAddr va(0xc123'4000);
    for (const uint64_t pse : {uint64_t{0}, kCr4PageSizeExtensions}) {
        const PagingRegisters regs{.cr0 = kCr0Paging | 1, .cr3 = kRoot.raw(), .cr4 = pse};
        for (unsigned mask = 0; mask < 16; ++mask) {
            const auto directory = static_cast<uint32_t>(kP | rights(mask & 3));
            put32(kRoot + 4 * (va.raw() >> 22), static_cast<uint32_t>(kTables[1].raw()) | directory);
            put32(kTables[1] + 4 * ((va.raw() >> 12) & 1023),
                  static_cast<uint32_t>(0x7000 | kP | rights(mask >> 2)));
            for_all_controls(regs, [&](const PagingRegisters& r) { compare(r, {}, va); });
            // PS set: a 4 MiB page with PSE, ignored without.
            put32(kRoot + 4 * (va.raw() >> 22), static_cast<uint32_t>(kPs) | directory);
            put32(PhysAddr(4 * ((va.raw() >> 12) & 1023)), static_cast<uint32_t>(0x9000 | kP));
            for_all_controls(regs, [&](const PagingRegisters& r) { compare(r, {}, va); });
        }
    }
}

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

TEST_F(WalkerTest, TheFirstRefusingLevelIsBlamed) {
    const VirtAddr va(0x40'0000);
    for (unsigned level = 4; level > 1; --level)
        put(MmuMachine::entry(kTables[4 - level], va, level),
            kTables[5 - level].raw() | kP | kU | (level == 3 ? 0 : kW));
    put(MmuMachine::entry(kTables[3], va, 1), 0x5000 | kP | kU);
    const Controls controls = Controls::decode(long_mode(kRoot), {});
    const Path path = walk(ram_, controls, va);
    const auto fault = judge(controls, path, va, Access::Write, Privilege::User);
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->level, 3);
    EXPECT_EQ(fault->entry, MmuMachine::entry(kTables[1], va, 3));
}

TEST_F(WalkerTest, GrantsOnlyWhatWasAskedFor) {
    const VirtAddr va(0x40'0000);
    for (unsigned level = 4; level > 1; --level)
        put(MmuMachine::entry(kTables[4 - level], va, level), kTables[5 - level].raw() | kP | kU | kW);
    put(MmuMachine::entry(kTables[3], va, 1), 0x5000 | kP | kU | kW | bit(59));
    PagingRegisters regs = long_mode(kRoot);
    const auto granted = [&](Access access, Privilege privilege) {
        const Controls controls = Controls::decode(regs, {});
        const Path path = walk(ram_, controls, va);
        EXPECT_FALSE(judge(controls, path, va, access, privilege));
        return permissions_for(controls, path, access, privilege);
    };
    EXPECT_EQ(granted(Access::Read, Privilege::User), kMayRead);
    EXPECT_EQ(granted(Access::Write, Privilege::User), kMayRead | kMayWrite);
    EXPECT_EQ(granted(Access::Fetch, Privilege::User), kMayRead | kMayExecute);
    regs.cr4 |= kCr4Smap;
    EXPECT_EQ(granted(Access::Fetch, Privilege::Supervisor), kMayExecute) << "SMAP forbids reading it";
    regs.cr4 |= kCr4ProtectionKeys;
    regs.pkru = 4;
    EXPECT_EQ(granted(Access::Fetch, Privilege::User), kMayExecute) << "its key forbids reading it";
}

}  // namespace
}  // namespace forkscope::mmu
