#include "emu/cpu/debug_registers.hpp"

#include "emu/base/bits.hpp"
#include "emu/cpu/engine_internals.hpp"

namespace forkscope::cpu {

namespace {

constexpr uint64_t kCr4De = bit(3);
constexpr uint64_t kDr6Bd = bit(13), kDr7Gd = bit(13);
constexpr uint64_t kDr6Ones = 0xffff'0ff0, kDr6Writable = 0xe00f;
constexpr uint64_t kDr7Ones = 0x400, kDr7Writable = 0xffff'23ff;

// Which register is meant; DR4 and DR5 are other names of DR6 and DR7, unless CR4.DE makes them invalid.
tl::expected<unsigned, Exception> register_of(LiveState& s, const DecodedInstruction& instruction) {
    const unsigned number = instruction.reg();
    if (number > 7 || ((number == 4 || number == 5) && (s.cr(4) & kCr4De) != 0))
        return tl::make_unexpected(invalid_opcode());
    if ((s.dr(7) & kDr7Gd) != 0) {
        // General detect: the handler may use them.
        s.dr(6) |= kDr6Bd;
        s.dr(7) &= ~kDr7Gd;
        return tl::make_unexpected(Exception{.vector = kDebug});
    }
    return number == 4 || number == 5 ? number + 2 : number;
}

}  // namespace

std::optional<Exception> read_debug_register(LiveState& s, const DecodedInstruction& instruction) {
    const auto number = register_of(s, instruction);
    if (!number) return number.error();
    const uint64_t value = s.dr(*number);
    uint64_t& to = s.gpr(instruction.rm());
    to = s.code64() ? value : (to & ~uint64_t{0xffff'ffff}) | (value & 0xffff'ffff);
    return std::nullopt;
}

std::optional<Exception> write_debug_register(LiveState& s, const DecodedInstruction& instruction) {
    const auto number = register_of(s, instruction);
    if (!number) return number.error();
    uint64_t value = s.gpr(instruction.rm());
    if (!s.code64()) value &= 0xffff'ffff;
    if (*number >= 6 && value >> 32 != 0) return general_protection(0);
    if (*number == 6)
        s.dr(6) = (value & kDr6Writable) | kDr6Ones;
    else if (*number == 7)
        cpu_x86_update_dr7_x86_64(s.env(), static_cast<uint32_t>((value & kDr7Writable) | kDr7Ones));
    else
        helper_set_dr_x86_64(s.env(), static_cast<int>(*number), value);
    return std::nullopt;
}

}  // namespace forkscope::cpu
