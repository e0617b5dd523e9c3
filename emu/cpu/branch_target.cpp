// A near jump, call or return to a non-canonical address faults itself (Intel SDM vol. 2, "JMP", "CALL",
// "RET"). The engine branches, and is refused the fetch: the branch is taken back. Needs the counted clock,
// which knows the last block.
#include "emu/cpu/cpu.hpp"
#include "emu/cpu/disassembler.hpp"

namespace forkscope::cpu {

namespace {

enum class Branch : uint8_t { None, Jump, Call, Return };

struct NearBranch {
    Branch kind = Branch::None;
    uint64_t released = 0;  // RET n
};

NearBranch decode_near_branch(std::span<const uint8_t> code) {
    size_t i = 0;
    while (i < code.size() && ((code[i] & 0xf0) == 0x40 || code[i] == 0xf2 || code[i] == 0xf3)) ++i;
    if (i >= code.size()) return {};
    const uint8_t next = i + 1 < code.size() ? code[i + 1] : uint8_t{0};
    switch (code[i]) {
        case 0xc3:
            return {Branch::Return, 0};
        case 0xc2:
            return {Branch::Return,
                    static_cast<uint64_t>(next | (i + 2 < code.size() ? code[i + 2] << 8 : 0))};
        case 0xe8:
            return {Branch::Call, 0};
        case 0xe9:
        case 0xeb:
            return {Branch::Jump, 0};
        case 0xff:
            if (((next >> 3) & 7) == 2) return {Branch::Call, 0};
            if (((next >> 3) & 7) == 4) return {Branch::Jump, 0};
            return {};
        case 0x0f:
            return {(next & 0xf0) == 0x80 ? Branch::Jump : Branch::None, 0};
        default:
            return {(code[i] & 0xf0) == 0x70 ? Branch::Jump : Branch::None, 0};
    }
}

}  // namespace

bool Cpu::take_branch_back() {
    LiveState& s = core_.state();
    if (!s.code64() || is_canonical(VirtAddr(s.rip()))) return false;
    const auto block = core_.clock().current_block();
    if (!block) return false;
    uint8_t bytes[15];
    NearBranch branch;
    uint64_t at = block->pc;
    for (uint64_t next = at; next < block->pc + block->bytes;) {
        at = next;
        const std::span<const uint8_t> code(bytes, core_.peek_code(at, bytes));
        const size_t length = instruction_length(code, 64);
        if (length == 0) return false;
        branch = decode_near_branch(code);
        next += length;
    }
    constexpr uint64_t kWord = 8;
    switch (branch.kind) {
        case Branch::None:
            return false;
        case Branch::Jump:
            break;
        case Branch::Call:
            s.gpr(kRsp) += kWord;
            break;
        case Branch::Return:
            s.gpr(kRsp) -= kWord + branch.released;
            break;
    }
    s.rip() = at;
    core_.clock().leave_at(at);
    deliver(general_protection(0));
    return true;
}

}  // namespace forkscope::cpu
