#include <span>

#include "emu/cpu/cpu.hpp"
#include "emu/cpu/prefixes.hpp"

namespace forkscope::cpu {

namespace {

// Whether the instruction makes the CPU read a descriptor table or the task state: a segment load, a change
// of privilege, or a port access with its permission map.
bool reads_system_tables(std::span<const uint8_t> code, bool code64) {
    const size_t i = prefix_bytes(code, code64);
    if (i >= code.size()) return false;
    const uint8_t second = i + 1 < code.size() ? code[i + 1] : uint8_t{0};
    switch (code[i]) {
        case 0x8e:  // MOV to a segment register
        case 0x07:
        case 0x17:
        case 0x1f:  // POP ES, SS, DS
        case 0x9a:
        case 0xea:
        case 0xca:
        case 0xcb:
        case 0xcf:  // far CALL, JMP, RET; IRET
        case 0xc4:
        case 0xc5:  // LES, LDS
        case 0xe4:
        case 0xe5:
        case 0xe6:
        case 0xe7:  // IN, OUT: the permission map
        case 0xec:
        case 0xed:
        case 0xee:
        case 0xef:
        case 0x6c:
        case 0x6d:
        case 0x6e:
        case 0x6f:
            return true;  // INS, OUTS
        case 0xff:
            // far CALL and JMP through memory
            return ((second >> 3) & 7) == 3 || ((second >> 3) & 7) == 5;
        case 0x0f:
            // LAR, LSL, VERR/VERW (group 6), POP FS and GS, LSS, LFS, LGS
            return second == 0x00 || second == 0x02 || second == 0x03 || second == 0xa1 || second == 0xa9 ||
                   second == 0xb2 || second == 0xb4 || second == 0xb5;
        default:
            return false;
    }
}

bool is_far_call(std::span<const uint8_t> code, bool code64) {
    const size_t i = prefix_bytes(code, code64);
    if (i + 1 >= code.size()) return false;
    return (code[i] == 0x9a && !code64) || (code[i] == 0xff && ((code[i + 1] >> 3) & 7) == 3);
}

}  // namespace

// A far call through a gate pushes on the stack of the inner privilege level, which the task state names.
bool Cpu::is_inner_stack(uint64_t page) {
    LiveState& s = core_.state();
    uint8_t code[15];
    const size_t available = core_.peek_code(core_.linear_rip(), code);
    if (!is_far_call({code, available}, s.code64())) return false;
    SystemMemory memory(core_);
    // 64-bit: RSP0 to RSP2 from 4 on; 32-bit: ESP0 at 4, with SS after each (SDM vol. 3, 8.7 and 8.2.1).
    // Parameters and return address fit a page.
    const unsigned word = s.long_mode() ? 8 : 4;
    for (unsigned cpl = 0; cpl < 3; ++cpl) {
        const auto pointer =
            memory.read(s.tr().base + 4 + uint64_t{8} * cpl, word, mmu::Privilege::ImplicitSupervisor);
        if (!pointer) return false;
        const uint64_t below = *pointer - page;
        if (below - 1 < 2 * kPageSize) return true;
    }
    return false;
}

// At CPL 3 the engine reads descriptor tables and the task state as the supervisor, without saying so.
// An access by the program itself to the same bytes is told apart by its instruction.
bool Cpu::is_implicit_access(uint64_t va, mmu::Access access) {
    LiveState& s = core_.state();
    const auto touches = [&](const SegmentCache& table) {
        return va + kPageSize > table.base && va <= table.base + table.limit;
    };
    if (!touches(s.gdt()) && !touches(s.ldt()) && !touches(s.tr()) && !touches(s.idt()))
        return access == mmu::Access::Write && is_inner_stack(va & ~kPageOffsetMask);
    uint8_t code[15];
    const size_t available = core_.peek_code(core_.linear_rip(), code);
    return reads_system_tables({code, available}, s.code64());
}

}  // namespace forkscope::cpu
