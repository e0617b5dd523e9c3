// What the engine calls: TLB fills, stores to page tables, blocks, exceptions, ports, SYSCALL and the time
// stamp counter. These run inside the engine; they call no uc_emu_stop in the middle of a block, since
// the engine would skip later hooks of that block.
#include <unicorn/unicorn.h>

#include <algorithm>
#include <atomic>
#include <span>

#include "emu/cpu/cpu.hpp"
#include "emu/cpu/disassembler.hpp"
#include "emu/cpu/engine_internals.hpp"
#include "emu/cpu/ram_views.hpp"
#include "emu/cpu/svm_intercepts.hpp"

namespace forkscope::cpu {

namespace {

constexpr uint8_t kIcebp = 0xf1;
constexpr uint8_t kLinuxSystemCallVector = 0x80, kKeyboardServiceVector = 0x16;
constexpr uint64_t kDr6SingleStep = 1u << 14;

mmu::Access access_of(uc_mem_type type) {
    switch (type) {
        case UC_MEM_FETCH:
            return mmu::Access::Fetch;
        case UC_MEM_WRITE:
            return mmu::Access::Write;
        default:
            return mmu::Access::Read;
    }
}

uc_prot protection_of(mmu::Permissions permissions) {
    unsigned protection = 0;
    if ((permissions & mmu::kMayRead) != 0) protection |= UC_PROT_READ;
    if ((permissions & mmu::kMayWrite) != 0) protection |= UC_PROT_READ | UC_PROT_WRITE;
    if ((permissions & mmu::kMayExecute) != 0) protection |= UC_PROT_EXEC;
    return static_cast<uc_prot>(protection);
}

// PREFETCH of a register is a NOP (SDM vol. 2, table A-6, group 16); the engine wants memory. 0: it is not
// that.
size_t reserved_nop_length(std::span<const uint8_t> code) {
    return code.size() >= 3 && code[0] == 0x0f && code[1] == 0x18 && code[2] >= 0xc0 ? 3 : 0;
}

bus::Width width_of(unsigned bytes) { return static_cast<bus::Width>(bytes); }

}  // namespace

struct Hooks {
    static Cpu& cpu(void* user) { return *static_cast<Cpu*>(user); }

    // A block that does not count itself yet, or cannot (block_calls.hpp).
    static void block(uc_engine* uc, uint64_t pc, uint32_t bytes, void* user) {
        static_cast<InstructionClock*>(user)->enter(call_of(__builtin_return_address(0), uc, pc, bytes, user),
                                                    reinterpret_cast<const void*>(block));
    }

    // With the host's clock: the block need not call again.
    static void block_uncounted(uc_engine* uc, uint64_t pc, uint32_t bytes, void* user) {
        cpu(user).spare_calls(call_of(__builtin_return_address(0), uc, pc, bytes, user),
                              reinterpret_cast<const void*>(block_uncounted));
    }

    static BlockCall call_of(const void* return_address, uc_engine* uc, uint64_t pc, uint32_t bytes,
                             void* user) {
        return {static_cast<const uint8_t*>(return_address), uc, pc, bytes, user};
    }

    static bool fill(uc_engine*, uint64_t va, uc_mem_type type, uc_tlb_entry* entry, void* user) {
        Cpu& c = cpu(user);
        if (c.core_.invalidating()) {
            entry->paddr = kCodeView + (va - kInvalidationWindow);
            entry->perms = static_cast<uc_prot>(UC_PROT_READ | UC_PROT_EXEC);
            return true;
        }
        ++c.counters_.fills;
        if (!c.host_clock()) c.pin_resize_windows();
        const mmu::Access access = access_of(type);
        const bool fetch = access == mmu::Access::Fetch;
        const log::Origin origin =
            fetch ? c.core_.origin_at(c.core_.clock().at_block_end()) : c.core_.origin();
        const auto privilege = origin.cpl == 3 ? mmu::Privilege::User : mmu::Privilege::Supervisor;
        const mmu::PagingRegisters regs = c.core_.paging_registers();
        auto result = c.core_.mmu().fill(VirtAddr(va), access, privilege, regs, origin);
        if (!result && origin.cpl == 3 && !fetch && c.is_implicit_access(va, access))
            result =
                c.core_.mmu().fill(VirtAddr(va), access, mmu::Privilege::ImplicitSupervisor, regs, origin);
        if (!result) {
            c.refused_ = result.error();
            c.refused_access_ = access;
            return false;
        }
        if (fetch && !c.core_.ram().is_ram_frame(result->frame) && !c.core_.is_rom_frame(result->frame)) {
            // To be fetched alone: data at this address is a device's.
            entry->perms = UC_PROT_EXEC;
            entry->paddr = kAbsentCode;
            return true;
        }
        if (c.watch_.armed() && !c.watch_stepping_ && withheld(c, va, access, result->permissions))
            return false;
        entry->perms = protection_of(result->permissions);
        entry->paddr = view_of(c, *result);
        log_resolved(c, VirtAddr(va), *result, origin);
        return true;
    }

    // A page with a byte that DR0 to DR3 watch: access is refused, and rights to watched access are held
    // back.
    static bool withheld(Cpu& c, uint64_t va, mmu::Access access, mmu::Permissions& permissions) {
        const bool reads = c.watch_.covers(va, false), writes = c.watch_.covers(va, true);
        if (access == mmu::Access::Fetch) {
            if (reads) permissions = mmu::kMayExecute;
            return false;
        }
        if (access == mmu::Access::Write ? writes : reads) {
            c.refused_access_ = access;
            c.watch_refused_ = true;
            return true;
        }
        if (writes) permissions = static_cast<mmu::Permissions>(permissions & ~mmu::kMayWrite);
        return false;
    }

    // Which view of its frame the engine gets (ram_views.hpp).
    static uint64_t view_of(Cpu& c, const mmu::Grant& grant) {
        const uint64_t pa = grant.frame.raw();
        const uint8_t* p = c.core_.ram().at(grant.frame, kPageSize);
        if (p == nullptr) {
            // Stores to ROM go to the bus, and so do loads through the same translation.
            const bool stores = (grant.permissions & mmu::kMayWrite) != 0;
            return !stores && c.core_.is_rom_frame(grant.frame) ? kRomView + pa : pa;
        }
        CodePages& code = c.core_.code_pages();
        if ((grant.permissions & mmu::kMayExecute) != 0) {
            if (code.fetched(p, c.core_.engine_epoch())) c.core_.flush_engine();
            return kCodeView + pa;
        }
        if ((grant.permissions & mmu::kMayWrite) == 0) return pa;
        if (grant.table) return kTableView + pa;
        if (code.is_code(p)) return kCodeView + pa;
        code.written(p, c.core_.engine_epoch());
        return pa;
    }

    static void log_resolved(Cpu& c, VirtAddr va, const mmu::Grant& grant, const log::Origin& origin) {
        const FaultWatch::Fault* fault = c.fault_watch_.resolved(origin.root, va, origin.rip);
        if (fault == nullptr) return;
        log::Event e = log::make_event(log::EventKind::FaultResolved, origin);
        e.va = fault->va.raw();
        e.a = fault->when;
        e.b = grant.leaf_value;
        e.pa = grant.frame.raw();
        c.core_.recorder().append(e);
    }

    // A store to a live page table. The engine drops its own store when this returns true.
    static bool table_write(uc_engine*, uc_mem_type, uint64_t address, int size, int64_t value, void* user) {
        const auto bytes = static_cast<unsigned>(size);
        // An unaligned store comes whole, and then again byte by byte: the bytes count.
        if ((address & (bytes - 1)) != 0) return true;
        Cpu& c = cpu(user);
        const PhysAddr pa(address - kTableView);
        uint8_t* p = c.core_.ram().at(pa, bytes);
        if (p == nullptr) return true;
        uint64_t old_bytes = 0;
        const uint64_t new_bytes = static_cast<uint64_t>(value) & bus::all_ones(width_of(bytes));
        std::memcpy(&old_bytes, p, bytes);
        std::memcpy(p, &new_bytes, bytes);
        ++c.counters_.table_writes;
        c.core_.mmu().observe_write(pa, old_bytes, new_bytes, bytes, log::Cause::Software, c.core_.origin());
        if (c.core_.code_pages().is_code(p)) c.core_.invalidate_code(pa, bytes);
        return true;
    }

    static void interrupt(uc_engine*, uint32_t number, void* user) {
        Cpu& c = cpu(user);
        LiveState& s = c.core_.state();
        if (number >= kFirstIntercept) {
            intercepted(c, static_cast<int>(number));
        } else if (number == kDebug && (c.finish_watched_step() || c.swallow_step_trap())) {
            // Nothing more to do.
        } else {
            Exception exception{.vector = static_cast<uint8_t>(number)};
            if (s.exception_is_int() != 0)
                exception.origination = Origination::Software;
            else if (number == kDebug)
                exception.origination = Origination::Trap;
            if (exception.origination == Origination::Fault && has_error_code(number))
                exception.error_code = s.error_code();
            c.mend(exception);
            c.core_.clock().leave_at(c.core_.linear_rip());
            if (number == kKeyboardServiceVector && exception.origination == Origination::Software &&
                (s.cr(0) & kCr0Pe) == 0)
                ask_for_keys(c);
            if (number == kLinuxSystemCallVector && exception.origination == Origination::Software)
                c.log_system_call();
            c.deliver(exception);
        }
        if (c.shut_down_) c.stop_engine();
    }

    static void ask_for_keys(Cpu& c) {
        ++c.counters_.keyboard_services;
        c.core_.wait(kKeyboardServiceNs);
        c.refresh_attention();
    }

    static void intercepted(Cpu& c, int number) {
        LiveState& s = c.core_.state();
        if (number == kInterceptIntr || number == kInterceptNmi) {
            // Rung by the doorbell; run() finds out what for.
            std::atomic_ref(s.interrupt_request())
                .fetch_and(~(number == kInterceptIntr ? kRequestHard : kRequestNmi));
            c.stop_engine();
            return;
        }
        if (number == kInterceptHlt) {
            halt(c);
            return;
        }
        const bool trap = (s.eflags() & kFlagTf) != 0;
        if (number == kInterceptPause) {
            pause(c);
        } else if (const auto refused = c.flush_intercepts_.carry_out(number)) {
            c.deliver(*refused);
            return;
        } else if (number == kInterceptWriteCr8) {
            c.refresh_attention();
        }
        if (number >= kInterceptWriteDr && number < kInterceptWriteDr + 8) c.watch_changed();
        if (!trap || c.finish_watched_step() || c.swallow_step_trap()) return;
        s.dr(6) |= kDr6SingleStep;
        c.deliver({.vector = kDebug, .origination = Origination::Trap});
    }

    // The instruction at RIP does nothing but take time.
    static void step_over(Cpu& c) {
        LiveState& s = c.core_.state();
        uint8_t code[15];
        const size_t available = c.core_.peek_code(c.core_.linear_rip(), code);
        c.core_.clock().leave_at(c.core_.linear_rip());
        c.core_.clock().retire_one();
        s.rip() += std::max<size_t>(instruction_length({code, available}, s.code_bits()), 1);
        // The shadow of an STI before it ends with it.
        s.hflags() &= ~kHfInhibitIrq;
    }

    static void pause(Cpu& c) {
        step_over(c);
        c.core_.wait(kPauseNs);
        c.refresh_attention();
    }

    static void halt(Cpu& c) {
        step_over(c);
        c.halted_ = true;
        c.stop_engine();
    }

    static bool invalid_instruction(uc_engine*, void* user) {
        Cpu& c = cpu(user);
        c.core_.clock().leave_at(c.core_.linear_rip());
        uint8_t code[15];
        const size_t available = c.core_.peek_code(c.core_.linear_rip(), code);
        if (available != 0 && code[0] == kIcebp) {
            ++c.core_.state().rip();
            c.core_.clock().retire_one();
            c.deliver({.vector = kDebug, .origination = Origination::Trap});
        } else if (const size_t length = reserved_nop_length({code, available})) {
            c.core_.state().rip() += length;
            c.core_.clock().retire_one();
        } else {
            c.deliver(invalid_opcode());
        }
        if (c.shut_down_) c.stop_engine();
        return true;
    }

    static uint32_t port_in(uc_engine*, uint32_t port, int size, void* user) {
        Cpu& c = cpu(user);
        const auto bytes = static_cast<unsigned>(size);
        if (!c.port_permitted(static_cast<uint16_t>(port), bytes)) refuse_port(c);
        const uint32_t value =
            c.wiring_.ports.read(static_cast<uint16_t>(port), width_of(bytes), c.core_.id());
        c.core_.wait(kPortReadNs);
        c.refresh_attention();
        return value;
    }

    static void port_out(uc_engine*, uint32_t port, int size, uint32_t value, void* user) {
        Cpu& c = cpu(user);
        const auto bytes = static_cast<unsigned>(size);
        if (!c.port_permitted(static_cast<uint16_t>(port), bytes)) refuse_port(c);
        c.wiring_.ports.write(static_cast<uint16_t>(port), width_of(bytes), value, c.core_.id());
        c.refresh_attention();
    }

    [[noreturn]] static void refuse_port(Cpu& c) {
        raise_exception_err_ra_x86_64(c.core_.state().env(), kGeneralProtection, 0, 0);
    }

    static void system_call(uc_engine*, void* user) {
        Cpu& c = cpu(user);
        c.log_system_call();
        const auto refused = c.delivery_.system_call();
        c.core_.clock().see_privilege(c.core_.state().cpl());
        if (refused) raise_exception_err_ra_x86_64(c.core_.state().env(), refused->vector, 0, 0);
    }

    static void system_enter(uc_engine*, void* user) {
        Cpu& c = cpu(user);
        const auto refused = c.delivery_.system_enter();
        c.core_.clock().see_privilege(c.core_.state().cpl());
        if (refused) raise_exception_err_ra_x86_64(c.core_.state().env(), refused->vector, 0, 0);
    }

    static int time_stamp(Cpu& c) {
        LiveState& s = c.core_.state();
        constexpr uint64_t kCr4Tsd = 1u << 2;
        if ((s.cr(4) & kCr4Tsd) != 0 && s.cpl() != 0) refuse_port(c);
        const uint64_t ticks = c.core_.tsc();
        s.gpr(kRax) = ticks & 0xffff'ffff;
        s.gpr(kRdx) = ticks >> 32;
        return 1;
    }
    static int rdtsc(uc_engine*, void* user) { return time_stamp(cpu(user)); }
    static int rdtscp(uc_engine*, void* user) {
        Cpu& c = cpu(user);
        time_stamp(c);
        c.core_.state().gpr(kRcx) = c.core_.state().tsc_aux() & 0xffff'ffff;
        return 1;
    }

    // A leaf beyond the last: AMD's are all zero (APM vol. 3, "CPUID"). The engine does as Intel: the last
    // basic leaf (SDM vol. 2, "CPUID").
    static int cpuid(uc_engine*, void* user) {
        Cpu& c = cpu(user);
        LiveState& s = c.core_.state();
        const auto leaf = static_cast<uint32_t>(s.gpr(kRax));
        const CpuModel& model = c.core_.model();
        const uint32_t highest = leaf >= 0x8000'0000 ? model.highest_extended_leaf : model.highest_leaf;
        if (leaf <= highest || !model.is_amd()) return 0;
        for (const Gpr n : {kRax, kRbx, kRcx, kRdx}) s.gpr(n) = 0;
        return 1;
    }

    static void translated(uc_engine*, uc_tb* block, uc_tb*, void* user) {
        cpu(user).core_.clock().code_changed(block->pc);
    }

    static bool fetch_outside(uc_engine*, uc_mem_type, uint64_t, int, int64_t, void*) { return false; }

    static uint64_t mmio_read(uc_engine*, uint64_t offset, unsigned size, void* user) {
        const auto& hole = *static_cast<const MmioHole*>(user);
        Cpu& c = *hole.cpu;
        const uint64_t value = c.wiring_.mmio.read(hole.base + offset, width_of(size), c.core_.id());
        c.refresh_attention();
        return value;
    }
    static void mmio_write(uc_engine*, uint64_t offset, unsigned size, uint64_t value, void* user) {
        const auto& hole = *static_cast<const MmioHole*>(user);
        Cpu& c = *hole.cpu;
        c.wiring_.mmio.write(hole.base + offset, width_of(size), value, c.core_.id());
        c.refresh_attention();
    }
};

Result<void> Cpu::install_hooks() {
    uc_engine* uc = core_.engine().handle();
    uc_err error = UC_ERR_OK;
    // One hook: begin > end means all addresses. The last argument tells instructions apart.
    const auto add = [&](int type, auto* callback, uint64_t begin = 1, uint64_t end = 0,
                         int instruction = 0) {
        uc_hook hook = 0;
        if (error == UC_ERR_OK)
            error = uc_hook_add(uc, &hook, type, reinterpret_cast<void*>(callback), this, begin, end,
                                instruction);
    };
    const uint64_t ram_end = core_.ram().regions().back().base.raw() + core_.ram().regions().back().size;
    if (host_clock()) {
        add(UC_HOOK_BLOCK, Hooks::block_uncounted);
    } else {
        uc_hook block_hook = 0;
        error = uc_hook_add(uc, &block_hook, UC_HOOK_BLOCK, reinterpret_cast<void*>(Hooks::block),
                            &core_.clock(), 1, 0);
        add(UC_HOOK_EDGE_GENERATED, Hooks::translated);
    }
    add(UC_HOOK_TLB_FILL, Hooks::fill);
    add(UC_HOOK_MEM_WRITE_PROT, Hooks::table_write, kTableView, kTableView + ram_end - 1);
    // It never fires; that it is there keeps stores to code on the path that looks for translations.
    add(UC_HOOK_MEM_FETCH_UNMAPPED, Hooks::fetch_outside, kCodeView, kCodeView + ram_end - 1);
    add(UC_HOOK_INTR, Hooks::interrupt);
    add(UC_HOOK_INSN_INVALID, Hooks::invalid_instruction);
    add(UC_HOOK_INSN, Hooks::port_in, 1, 0, UC_X86_INS_IN);
    add(UC_HOOK_INSN, Hooks::port_out, 1, 0, UC_X86_INS_OUT);
    add(UC_HOOK_INSN, Hooks::system_call, 1, 0, UC_X86_INS_SYSCALL);
    add(UC_HOOK_INSN, Hooks::system_enter, 1, 0, UC_X86_INS_SYSENTER);
    add(UC_HOOK_INSN, Hooks::cpuid, 1, 0, UC_X86_INS_CPUID);
    add(UC_HOOK_INSN, Hooks::rdtsc, 1, 0, UC_X86_INS_RDTSC);
    add(UC_HOOK_INSN, Hooks::rdtscp, 1, 0, UC_X86_INS_RDTSCP);
    if (error != UC_ERR_OK) return fail("engine: cannot install a hook: {}", uc_strerror(error));

    // What is not RAM below MAXPHYADDR goes to the bus.
    uint64_t from = 0;
    const auto add_hole = [&](uint64_t to) {
        if (from >= to) return;
        mmio_holes_.push_back(std::make_unique<MmioHole>(MmioHole{this, PhysAddr(from)}));
        MmioHole* hole = mmio_holes_.back().get();
        if (error == UC_ERR_OK)
            error = uc_mmio_map(uc, from, to - from, Hooks::mmio_read, hole, Hooks::mmio_write, hole);
    };
    for (const mem::RamRegion& region : core_.ram().regions()) {
        add_hole(region.base.raw());
        from = region.base.raw() + region.size;
    }
    add_hole(bit(kPhysicalBits));
    if (error != UC_ERR_OK) return fail("engine: cannot map device memory: {}", uc_strerror(error));
    return {};
}

}  // namespace forkscope::cpu
