// Where Unicorn keeps what its public API cannot reach: offsets into uc_struct, the CPU object and the
// x86 state. Nothing here is assumed: probe_engine_layout() finds each offset by writing values through
// the public API and looking for them, and prove_engine_layout() then runs guest code that only works
// if the offsets are right. The program stops with one clear line when either fails.
#pragma once

#include <cstddef>
#include <cstdint>

#include "emu/base/result.hpp"

namespace forkscope::cpu {

// Offsets in bytes. "uc_" counts from the engine handle, "cpu_" from the CPU object, "env_" from the
// x86 state; env_seg is the first of six segment caches of kSegmentBytes.
struct EngineLayout {
    size_t uc_cpu = 0;                 // pointer to the CPU object
    size_t uc_invalid_addr = 0;        // u64: exact address of the access that was refused
    size_t uc_no_exit_request = 0;     // u8: blocks do not test for exit requests in their middle
    size_t cpu_interrupt_request = 0;  // u32: interrupts that the engine looks for between blocks
    size_t cpu_env = 0;                // start of the x86 state
    size_t env_size = 0;               // bytes that a context saves

    size_t env_regs = 0;    // u64[16] in encoding order
    size_t env_rip = 0;     // u64
    size_t env_eflags = 0;  // u64, without the lazily kept arithmetic flags
    size_t env_hflags = 0;  // u32
    size_t env_direction = 0;
    size_t env_hflags2 = 0;
    size_t env_seg = 0;  // ES CS SS DS FS GS
    size_t env_ldt = 0;
    size_t env_tr = 0;
    size_t env_gdt = 0;
    size_t env_idt = 0;
    size_t env_cr = 0;  // u64[5]
    size_t env_a20_mask = 0;
    size_t env_efer = 0;
    size_t env_dr = 0;  // u64[8]
    size_t env_star = 0;
    size_t env_lstar = 0;
    size_t env_cstar = 0;
    size_t env_fmask = 0;
    size_t env_tsc_aux = 0;
    size_t env_sysenter_cs = 0;
    size_t env_sysenter_esp = 0;
    size_t env_sysenter_eip = 0;
    size_t env_pkru = 0;                // u32
    size_t env_error_code = 0;          // u32
    size_t env_exception_is_int = 0;    // u32
    size_t env_old_exception = 0;       // u32
    size_t env_vm_vmcb = 0;             // u64
    size_t env_intercept = 0;           // u64
    size_t env_intercept_cr_read = 0;   // u16
    size_t env_intercept_cr_write = 0;  // u16
    size_t env_intercept_dr_read = 0;   // u16
    size_t env_intercept_dr_write = 0;  // u16
    size_t env_features = 0;            // u64[]
    size_t tlb_before_env = 0;          // the softmmu TLB starts this many bytes before the x86 state
    size_t exit_request_before_env =
        0;  // s32 likewise: negative makes the next block return to the main loop
};

inline constexpr size_t kSegmentBytes = 24;  // selector u32, pad, base u64, limit u32, flags u32

// The softmmu TLB of the engine: a header, one descriptor for each MMU index, then {mask, table} pairs.
struct EngineTlbLayout {
    static constexpr size_t kModes = 3;
    static constexpr size_t kHeader = 32;
    static constexpr size_t kDescriptorBytes = 696;
    static constexpr size_t kWindowBegin =
        16;                                 // i64 in a descriptor: host time, when the resize window began
    static constexpr size_t kVictims = 48;  // in a descriptor: entries that others displaced
    static constexpr size_t kVictimCount = 8;
    static constexpr size_t kFastTables = 2128;  // aligned to 16 behind the descriptors
    static constexpr size_t kBytes = 2192;
};

// Opens a scratch engine with the CPU model (a uc_cpu_x86 value) and finds the layout.
Result<EngineLayout> probe_engine_layout(int cpu_model);

// Runs the proofs on a scratch engine; the error names the first that fails.
Result<void> prove_engine_layout(const EngineLayout& layout, int cpu_model);

}  // namespace forkscope::cpu
