// Carries out the instructions that change what the TLB may hold: MOV to CR0, CR3, CR4, LMSW, CLTS,
// INVLPG and WRMSR to EFER; and, as they come the same way, accesses to other model-specific registers, to
// CR8 and to the registers of descriptor tables. They come here before they take effect (svm_intercepts.hpp),
// with their privilege checked by the engine; here they get the checks that the engine lacks, and their flush
// becomes known.
#pragma once

#include <optional>

#include "emu/cpu/cpu_core.hpp"
#include "emu/cpu/exception.hpp"
#include "emu/cpu/msr_access.hpp"
#include "emu/cpu/operand_decoder.hpp"
#include "emu/cpu/system_memory.hpp"
#include "emu/cpu/table_registers.hpp"

namespace forkscope::cpu {

class FlushIntercepts {
public:
    FlushIntercepts(CpuCore& core, bus::InterruptController& interrupts)
        : core_(core), memory_(core), msrs_(core, interrupts), tables_(core), interrupts_(interrupts) {}

    [[nodiscard]] MsrAccess& msrs() { return msrs_; }

    // The instruction at RIP, which arrived as this intercept. Empty: it took effect and has retired.
    [[nodiscard]] std::optional<Exception> carry_out(int intercept);

private:
    [[nodiscard]] std::optional<Exception> invlpg(const DecodedInstruction& instruction,
                                                  const log::Origin& origin);
    [[nodiscard]] std::optional<Exception> write_cr0(const DecodedInstruction& instruction,
                                                     const log::Origin& origin);
    [[nodiscard]] std::optional<Exception> write_cr3(uint64_t value, const log::Origin& origin);
    [[nodiscard]] std::optional<Exception> write_cr4(uint64_t value, const log::Origin& origin);
    [[nodiscard]] std::optional<Exception> write_efer(const log::Origin& origin);
    [[nodiscard]] uint64_t supported_cr4() const;
    [[nodiscard]] bool has_bad_pae_pointer(uint64_t cr3) const;
    [[nodiscard]] std::optional<Exception> write_cr8(uint64_t value);

    CpuCore& core_;
    SystemMemory memory_;
    MsrAccess msrs_;
    TableRegisters tables_;
    bus::InterruptController& interrupts_;
};

}  // namespace forkscope::cpu
