// Exceptions that the engine raises with another vector than the manual's.
#include <span>

#include "emu/cpu/cpu.hpp"
#include "emu/cpu/disassembler.hpp"
#include "emu/cpu/store_intent.hpp"

namespace forkscope::cpu {

namespace {

// A return to an outer privilege level that pops SS after CS and SP.
struct OuterReturn {
    unsigned word_bytes;
    unsigned stack_selector;  // its place, in words from the top of the stack
    unsigned released;        // RET n: bytes between CS and SP
};

std::optional<OuterReturn> decode_return(std::span<const uint8_t> code, unsigned bits) {
    bool operand_size = false, wide = false;
    size_t i = 0;
    for (; i < code.size(); ++i) {
        if (code[i] == 0x66)
            operand_size = true;
        else if (bits == 64 && (code[i] & 0xf0) == 0x40)
            wide = (code[i] & 8) != 0;
        else if (code[i] != 0xf2 && code[i] != 0xf3 && code[i] != 0x67)
            break;
    }
    if (i >= code.size()) return std::nullopt;
    const unsigned word = wide ? 8 : (bits != 16) != operand_size ? 4 : 2;
    if (code[i] == 0xcf) return OuterReturn{word, 4, 0};
    if (code[i] == 0xcb) return OuterReturn{word, 3, 0};
    if (code[i] == 0xca && i + 2 < code.size())
        return OuterReturn{word, 3, static_cast<unsigned>(code[i + 1] | code[i + 2] << 8)};
    return std::nullopt;
}

// Whether it is invalid for a reason that comes before its privilege (SDM vol. 3, table 6-2 "Priority Among
// Concurrent Events"): LOCK where nothing is modified, or a control register that there is not.
bool is_invalid(std::span<const uint8_t> code, bool code64) {
    size_t i = 0;
    bool locked = false;
    uint8_t rex = 0;
    for (; i < code.size(); ++i) {
        if (code[i] == 0xf0)
            locked = true;
        else if (code64 && (code[i] & 0xf0) == 0x40)
            rex = code[i];
        else if (code[i] != 0x66 && code[i] != 0x67 && code[i] != 0xf2 && code[i] != 0xf3)
            break;
    }
    if (locked && !reads_to_modify(code, code64)) return true;
    if (i + 2 >= code.size() || code[i] != 0x0f || (code[i + 1] & 0xfd) != 0x20) return false;
    const unsigned number = ((code[i + 2] >> 3) & 7u) | ((rex & 4u) << 1);
    return number == 1 || (number > 4 && number != 8);
}

constexpr uint32_t kPageFaultWrite = 1u << 1;

// Bytes that INS or OUTS moves at a time; 0 if it is neither.
unsigned string_port_bytes(std::span<const uint8_t> code, unsigned bits) {
    bool operand_size = false;
    for (const uint8_t byte : code) {
        if (byte == 0x66) operand_size = true;
        if (byte == 0x6c || byte == 0x6e) return 1;
        if (byte == 0x6d || byte == 0x6f) return (bits == 16) != operand_size ? 2 : 4;
        const bool prefix = byte == 0x66 || byte == 0x67 || byte == 0xf2 || byte == 0xf3 ||
                            (byte & 0xe7) == 0x26 || byte == 0x64 || byte == 0x65 ||
                            (bits == 64 && (byte & 0xf0) == 0x40);
        if (!prefix) return 0;
    }
    return 0;
}

}  // namespace

// The MMU refused an access of the instruction at RIP.
Exception Cpu::exception_of_refusal() {
    const Exception exception = exception_of(refused_);
    if (refused_access_ == mmu::Access::Fetch) return exception;
    LiveState& s = core_.state();
    uint8_t bytes[15];
    const std::span<const uint8_t> code(bytes, core_.peek_code(core_.linear_rip(), bytes));
    // INS and OUTS ask for the port first; the engine touches the memory first.
    const unsigned port_bytes = string_port_bytes(code, s.code_bits());
    if (port_bytes != 0 && !port_permitted(static_cast<uint16_t>(s.gpr(kRdx)), port_bytes))
        return general_protection(0);
    Exception mended = exception;
    if (exception.vector == kGeneralProtection && references_stack(code, s.code_bits()))
        mended.vector = kStackFault;
    else if (exception.vector == kPageFault && refused_access_ == mmu::Access::Read &&
             reads_to_modify(code, s.code64()))
        *mended.error_code |= kPageFaultWrite;
    return mended;
}

// SDM vol. 2, "RET" and "IRET": a stack segment that is not present is #SS; the engine says #NP.
void Cpu::mend(Exception& exception) {
    if (exception.origination != Origination::Fault) return;
    if (exception.vector != kSegmentNotPresent && exception.vector != kGeneralProtection) return;
    LiveState& s = core_.state();
    uint8_t code[15];
    const size_t available = core_.peek_code(core_.linear_rip(), code);
    if (exception.vector == kGeneralProtection) {
        if (is_invalid({code, available}, s.code64())) exception = invalid_opcode();
        return;
    }
    const auto popped = decode_return({code, available}, s.code_bits());
    if (!popped) return;
    const auto privilege = s.cpl() == 3 ? mmu::Privilege::User : mmu::Privilege::Supervisor;
    const uint64_t base = s.code64() ? 0 : s.segment(kSs).base;
    SystemMemory memory(core_);
    const auto selector = [&](unsigned word) -> uint32_t {
        const uint64_t at =
            base + s.gpr(kRsp) + uint64_t{word} * popped->word_bytes + (word > 1 ? popped->released : 0);
        const auto value = memory.read(at, 2, privilege);
        return value ? static_cast<uint32_t>(*value & 0xfffc) : 0;
    };
    if (selector(1) != *exception.error_code && selector(popped->stack_selector) == *exception.error_code)
        exception.vector = kStackFault;
}

}  // namespace forkscope::cpu
