// Exceptions that the engine raises with another vector than the manual's.
#include <span>

#include "emu/cpu/cpu.hpp"
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

}  // namespace

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
