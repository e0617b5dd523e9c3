// Exceptions and interrupts: who handles which vector.
#pragma once

#include <stdint.h>

#include "guest/arch/ptrace.hpp"
#include "guest/lib/address.hpp"

namespace guest {

// Intel SDM vol. 3A, table 6-1 "Protected-Mode Exceptions and Interrupts".
enum class Vector : uint32_t {
    DivideError = 0,
    Debug = 1,
    Nmi = 2,
    Breakpoint = 3,
    Overflow = 4,
    BoundRange = 5,
    InvalidOpcode = 6,
    DeviceNotAvailable = 7,
    DoubleFault = 8,
    InvalidTss = 10,
    SegmentNotPresent = 11,
    StackFault = 12,
    GeneralProtection = 13,
    PageFault = 14,
    X87Error = 16,
    AlignmentCheck = 17,
    MachineCheck = 18,
    SimdError = 19,
    FirstIrq = 0x20
};

void do_page_fault(pt_regs& regs, uint64_t error_code, VirtAddr address);

// The last thing before a return to user mode: signals, and the CPU for others if their turn has come.
// Interrupts are off on entry and on return.
void exit_to_user_mode(pt_regs& regs);

}  // namespace guest
