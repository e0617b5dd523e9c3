// Loads GDTR, IDTR, LDTR and the task register with the checks that the engine lacks (Intel SDM vol. 2,
// "LGDT/LIDT", "LLDT", "LTR"). The instructions come here before they take effect (svm_intercepts.hpp), with
// their privilege and mode checked.
#pragma once

#include <optional>

#include "emu/cpu/cpu_core.hpp"
#include "emu/cpu/exception.hpp"
#include "emu/cpu/operand_decoder.hpp"
#include "emu/cpu/system_memory.hpp"

namespace forkscope::cpu {

class TableRegisters {
public:
    explicit TableRegisters(CpuCore& core) : core_(core), memory_(core) {}

    // Empty: it took effect.
    [[nodiscard]] std::optional<Exception> load_pointer(const DecodedInstruction& instruction,
                                                        SegmentCache& to);
    [[nodiscard]] std::optional<Exception> load_ldt(const DecodedInstruction& instruction);
    [[nodiscard]] std::optional<Exception> load_task(const DecodedInstruction& instruction);

private:
    struct SystemDescriptor {
        uint64_t at;
        uint64_t low, high;
    };
    [[nodiscard]] Guarded<uint16_t> selector_of(const DecodedInstruction& instruction);
    [[nodiscard]] Guarded<SystemDescriptor> find(uint16_t selector);

    CpuCore& core_;
    SystemMemory memory_;
};

}  // namespace forkscope::cpu
