// Delivers exceptions, interrupts and system calls to the guest, as the manual says (Intel SDM vol. 3,
// chapter 6; SYSCALL: vol. 2). Runs between instructions: in the engine's interrupt hook or outside the
// engine, where its state can be rewritten.
#pragma once

#include <cstdint>
#include <optional>

#include "emu/cpu/cpu_core.hpp"
#include "emu/cpu/exception.hpp"
#include "emu/cpu/segment_descriptor.hpp"
#include "emu/cpu/system_memory.hpp"

namespace forkscope::cpu {

class Delivery {
public:
    explicit Delivery(CpuCore& core) : core_(core), memory_(core) {}

    // False: the processor shuts down (a fault while a double fault was delivered). origin: of the
    // instruction that raised the exception or was interrupted.
    [[nodiscard]] bool deliver(const Exception& exception, const log::Origin& origin);

    // SYSCALL at RIP. The engine adds the instruction's two bytes to RIP afterwards; that is allowed for.
    // Empty: taken.
    [[nodiscard]] std::optional<Exception> system_call();

    // SYSENTER, with the same remark.
    [[nodiscard]] std::optional<Exception> system_enter();

private:
    // Where a handler starts, and on which stack.
    struct Target {
        uint16_t selector;
        SegmentDescriptor code;
        uint64_t offset;
        unsigned cpl;
        bool masks_interrupts;
        bool frame16;
    };
    struct Stack {
        uint16_t selector;
        SegmentCache segment;
        uint64_t pointer;
        bool switched;
    };

    [[nodiscard]] Guarded<bool> try_deliver(const Exception& exception);
    [[nodiscard]] Guarded<bool> through_long_gate(const Exception& exception);
    [[nodiscard]] Guarded<bool> through_legacy_gate(const Exception& exception);
    [[nodiscard]] Guarded<bool> through_vector_table(const Exception& exception);

    [[nodiscard]] Guarded<Gate> read_gate(const Exception& exception, unsigned gate_bytes);
    [[nodiscard]] Guarded<uint64_t> read_descriptor(uint16_t selector, Exception refusal);
    [[nodiscard]] Guarded<Target> find_target(const Gate& gate, const Exception& exception);
    [[nodiscard]] Guarded<Stack> inner_stack32(unsigned cpl, uint32_t ext);
    [[nodiscard]] Guarded<uint64_t> long_stack(const Gate& gate, const Target& target, uint32_t ext);
    [[nodiscard]] uint64_t software_interrupt_length();
    // task_switch.cpp
    [[nodiscard]] Guarded<bool> through_task_gate(const Gate& gate, const Exception& exception);
    [[nodiscard]] Guarded<bool> save_task();
    [[nodiscard]] Guarded<bool> enter_task(const Exception& exception);
    [[nodiscard]] Guarded<uint32_t> task_word(uint64_t offset);
    [[nodiscard]] Guarded<bool> load_task_ldt(uint16_t selector);
    [[nodiscard]] Guarded<bool> load_task_segment(unsigned n);

    [[nodiscard]] static uint32_t external_bit(const Exception& exception);
    [[nodiscard]] static uint32_t selector_error(uint16_t selector, uint32_t ext);
    void mark_accessed(uint16_t selector, const SegmentDescriptor& descriptor);
    void enter_handler(const Target& target);
    void load_stack(const Stack& stack, unsigned cpl);
    void log_interrupt(const Exception& exception, const log::Origin& origin);
    void log_page_fault(const Exception& exception, const log::Origin& origin, log::FaultDelivery outcome);

    CpuCore& core_;
    SystemMemory memory_;
};

}  // namespace forkscope::cpu
