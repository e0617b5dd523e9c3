#include "emu/cpu/disassembler.hpp"

#include <capstone/capstone.h>
#include <fmt/format.h>

namespace forkscope::cpu {

namespace {

// One Capstone handle a mode, opened when first asked for.
class Decoder {
public:
    explicit Decoder(cs_mode mode) {
        if (cs_open(CS_ARCH_X86, mode, &handle_) != CS_ERR_OK) return;
        cs_option(handle_, CS_OPT_DETAIL, CS_OPT_ON);
        instruction_ = cs_malloc(handle_);
    }
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;
    ~Decoder() {
        if (instruction_ != nullptr) cs_free(instruction_, 1);
        if (handle_ != 0) cs_close(&handle_);
    }

    const cs_insn* decode(std::span<const uint8_t> code, uint64_t address) {
        if (instruction_ == nullptr) return nullptr;
        const uint8_t* p = code.data();
        size_t left = code.size();
        return cs_disasm_iter(handle_, &p, &left, &address, instruction_) ? instruction_ : nullptr;
    }

private:
    csh handle_ = 0;
    cs_insn* instruction_ = nullptr;
};

const cs_insn* decode(std::span<const uint8_t> code, uint64_t address, unsigned bits) {
    static Decoder decoder16(CS_MODE_16), decoder32(CS_MODE_32), decoder64(CS_MODE_64);
    return (bits == 64 ? decoder64 : bits == 32 ? decoder32 : decoder16).decode(code, address);
}

bool is_stack_operation(unsigned id) {
    switch (id) {
        case X86_INS_PUSH:
        case X86_INS_PUSHAW:
        case X86_INS_PUSHAL:
        case X86_INS_PUSHF:
        case X86_INS_PUSHFD:
        case X86_INS_PUSHFQ:
        case X86_INS_POP:
        case X86_INS_POPAW:
        case X86_INS_POPAL:
        case X86_INS_POPF:
        case X86_INS_POPFD:
        case X86_INS_POPFQ:
        case X86_INS_CALL:
        case X86_INS_LCALL:
        case X86_INS_RET:
        case X86_INS_RETF:
        case X86_INS_RETFQ:
        case X86_INS_IRET:
        case X86_INS_IRETD:
        case X86_INS_IRETQ:
        case X86_INS_ENTER:
        case X86_INS_LEAVE:
            return true;
        default:
            return false;
    }
}

bool is_stack_base(x86_reg reg) {
    return reg == X86_REG_RSP || reg == X86_REG_ESP || reg == X86_REG_SP || reg == X86_REG_RBP ||
           reg == X86_REG_EBP || reg == X86_REG_BP;
}

}  // namespace

size_t instruction_length(std::span<const uint8_t> code, unsigned bits) {
    const cs_insn* instruction = decode(code, 0, bits);
    return instruction != nullptr ? instruction->size : 0;
}

std::string disassemble(std::span<const uint8_t> code, uint64_t address, unsigned bits) {
    const cs_insn* instruction = decode(code, address, bits);
    if (instruction == nullptr) return "(bad)";
    return fmt::format("{} {}", instruction->mnemonic, instruction->op_str);
}

bool references_stack(std::span<const uint8_t> code, unsigned bits) {
    const cs_insn* instruction = decode(code, 0, bits);
    if (instruction == nullptr) return false;
    const cs_x86& x86 = instruction->detail->x86;
    bool explicit_memory = false;
    for (uint8_t i = 0; i < x86.op_count; ++i) {
        const cs_x86_op& operand = x86.operands[i];
        if (operand.type != X86_OP_MEM) continue;
        explicit_memory = true;
        if (operand.mem.segment == X86_REG_SS) return true;
        if (operand.mem.segment == X86_REG_INVALID && is_stack_base(operand.mem.base)) return true;
    }
    // A push or call with a memory operand faults on that operand first, if on either.
    return !explicit_memory && is_stack_operation(instruction->id);
}

bool is_far_transfer(std::span<const uint8_t> code, unsigned bits) {
    const cs_insn* instruction = decode(code, 0, bits);
    if (instruction == nullptr) return false;
    switch (instruction->id) {
        case X86_INS_LCALL:
        case X86_INS_LJMP:
        case X86_INS_RETF:
        case X86_INS_RETFQ:
        case X86_INS_IRET:
        case X86_INS_IRETD:
        case X86_INS_IRETQ:
        case X86_INS_SYSRET:
        case X86_INS_SYSEXIT:
            return true;
        default:
            return false;
    }
}

}  // namespace forkscope::cpu
