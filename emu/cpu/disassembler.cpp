#include "emu/cpu/disassembler.hpp"

#include <capstone/capstone.h>
#include <fmt/format.h>

#include <algorithm>

#include "emu/cpu/prefixes.hpp"

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

// Bytes of a ModRM byte and what it brings along (Intel SDM vol. 2, 2.1.5 "Addressing-Mode Encoding of ModR/M
// and SIB Bytes"); 0 if the code ends before.
size_t modrm_bytes(std::span<const uint8_t> code, bool address16) {
    if (code.empty()) return 0;
    const unsigned mode = code[0] >> 6, rm = code[0] & 7;
    if (mode == 3) return 1;
    if (address16) return 1 + (mode == 1 ? 1 : mode == 2 || rm == 6 ? 2 : 0);
    const bool sib = rm == 4;
    if (sib && code.size() < 2) return 0;
    const bool no_base = (sib ? code[1] & 7 : rm) == 5;
    return 1 + (sib ? 1 : 0) + (mode == 1 ? 1 : mode == 2 || no_base ? 4 : 0);
}

// What the engine runs and Capstone does not know: prefetches, hints and the like, whose opcode is 0F xx, and
// MOV from a segment register in odd forms. All have a ModRM byte and no immediate.
size_t length_by_modrm(std::span<const uint8_t> code, unsigned bits) {
    size_t at = prefix_bytes(code, bits == 64);
    const auto prefixes = code.first(at);
    const bool address_size = std::find(prefixes.begin(), prefixes.end(), uint8_t{0x67}) != prefixes.end();
    if (at + 1 >= code.size()) return 0;
    if (code[at] == 0x0f)
        at += 2;
    else if (code[at] == 0x8c)
        ++at;
    else
        return 0;
    const size_t rest =
        modrm_bytes(code.subspan(at), bits == 16 ? !address_size : bits == 32 && address_size);
    return rest == 0 || at + rest > code.size() ? 0 : at + rest;
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

// The number of a general register in encodings.
int register_number(x86_reg reg) {
    static constexpr x86_reg kNames[16][3] = {
        {X86_REG_RAX, X86_REG_EAX, X86_REG_AX},    {X86_REG_RCX, X86_REG_ECX, X86_REG_CX},
        {X86_REG_RDX, X86_REG_EDX, X86_REG_DX},    {X86_REG_RBX, X86_REG_EBX, X86_REG_BX},
        {X86_REG_RSP, X86_REG_ESP, X86_REG_SP},    {X86_REG_RBP, X86_REG_EBP, X86_REG_BP},
        {X86_REG_RSI, X86_REG_ESI, X86_REG_SI},    {X86_REG_RDI, X86_REG_EDI, X86_REG_DI},
        {X86_REG_R8, X86_REG_R8D, X86_REG_R8W},    {X86_REG_R9, X86_REG_R9D, X86_REG_R9W},
        {X86_REG_R10, X86_REG_R10D, X86_REG_R10W}, {X86_REG_R11, X86_REG_R11D, X86_REG_R11W},
        {X86_REG_R12, X86_REG_R12D, X86_REG_R12W}, {X86_REG_R13, X86_REG_R13D, X86_REG_R13W},
        {X86_REG_R14, X86_REG_R14D, X86_REG_R14W}, {X86_REG_R15, X86_REG_R15D, X86_REG_R15W},
    };
    for (int n = 0; n < 16; ++n)
        for (const x86_reg name : kNames[n])
            if (name == reg) return n;
    return -1;
}

unsigned segment_number(const x86_op_mem& memory) {
    switch (memory.segment) {
        case X86_REG_ES:
            return 0;
        case X86_REG_CS:
            return 1;
        case X86_REG_SS:
            return 2;
        case X86_REG_DS:
            return 3;
        case X86_REG_FS:
            return 4;
        case X86_REG_GS:
            return 5;
        default:
            return is_stack_base(memory.base) ? 2 : 3;
    }
}

// Whether it pushes, among those of is_stack_operation().
bool is_push(unsigned id) {
    switch (id) {
        case X86_INS_PUSH:
        case X86_INS_PUSHF:
        case X86_INS_PUSHFD:
        case X86_INS_PUSHFQ:
        case X86_INS_CALL:
        case X86_INS_LCALL:
        case X86_INS_ENTER:
            return true;
        default:
            return false;
    }
}

}  // namespace

size_t memory_operands(std::span<const uint8_t> code, unsigned bits,
                       std::span<MemoryOperand, kMostMemoryOperands> operands) {
    const cs_insn* instruction = decode(code, 0, bits);
    if (instruction == nullptr) return 0;
    const cs_x86& x86 = instruction->detail->x86;
    size_t count = 0;
    for (uint8_t i = 0; i < x86.op_count && count < kMostMemoryOperands - 1; ++i) {
        const cs_x86_op& operand = x86.operands[i];
        if (operand.type != X86_OP_MEM || instruction->id == X86_INS_LEA) continue;
        MemoryOperand& m = operands[count++];
        m = {.base = register_number(operand.mem.base),
             .index = register_number(operand.mem.index),
             .scale = static_cast<unsigned>(operand.mem.scale),
             .displacement = operand.mem.disp,
             .segment = segment_number(operand.mem),
             .address_bytes = x86.addr_size,
             .bytes = operand.size,
             .rip_relative = operand.mem.base == X86_REG_RIP,
             .read = (operand.access & CS_AC_READ) != 0,
             .written = (operand.access & CS_AC_WRITE) != 0};
        // Capstone does not know what every instruction does with its operand.
        if (!m.read && !m.written) m.read = m.written = true;
    }
    if (!is_stack_operation(instruction->id)) return count;
    const bool push = is_push(instruction->id);
    const unsigned wide = bits / 8;
    const unsigned bytes = x86.prefix[2] == 0x66 ? (bits == 16 ? 4 : 2) : wide;
    operands[count++] = {.base = register_number(X86_REG_RSP),
                         .displacement = push ? -static_cast<int64_t>(bytes) : 0,
                         .segment = 2,
                         .address_bytes = wide,
                         .bytes = bytes,
                         .read = !push,
                         .written = push};
    return count;
}

size_t instruction_length(std::span<const uint8_t> code, unsigned bits) {
    const cs_insn* instruction = decode(code, 0, bits);
    return instruction != nullptr ? instruction->size : length_by_modrm(code, bits);
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
