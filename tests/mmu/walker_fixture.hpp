// Walker and oracle side by side over one RAM.
#pragma once

#include <gtest/gtest.h>

#include "emu/mmu/walker.hpp"
#include "mmu_machine.hpp"
#include "walker_oracle.hpp"

namespace forkscope::mmu {

inline constexpr PhysAddr kRoot(0x10000);
inline constexpr std::array<PhysAddr, 4> kTables = {kRoot, PhysAddr(0x11000), PhysAddr(0x12000),
                                                    PhysAddr(0x13000)};
inline constexpr Access kAccesses[] = {Access::Read, Access::Write, Access::Fetch};
inline constexpr Privilege kPrivileges[] = {Privilege::Supervisor, Privilege::User,
                                            Privilege::ImplicitSupervisor};

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

}  // namespace forkscope::mmu
