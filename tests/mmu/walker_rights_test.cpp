// Access rights in all combinations, in all modes, against the oracle.
#include "walker_fixture.hpp"

namespace forkscope::mmu {
namespace {

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
    for (const uint64_t key : {uint64_t{0}, uint64_t{1}, uint64_t{15}}) {
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
