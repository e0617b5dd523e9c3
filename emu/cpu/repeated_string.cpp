#include "emu/cpu/repeated_string.hpp"

#include <algorithm>
#include <cstring>

#include "emu/base/address.hpp"
#include "emu/cpu/engine_internals.hpp"
#include "emu/cpu/ram_views.hpp"

namespace forkscope::cpu {

namespace {

struct Range {
    uint8_t* host;
    uint64_t pa;
};

uint64_t room_in_page(uint64_t va) { return kPageSize - va % kPageSize; }

// Forward, one element after the other, as the guest would see it if the ranges overlap.
void move_elements(const Range& to, const Range& from, uint64_t bytes, uint8_t element) {
    // Nothing is read after it was written, unless what is written runs ahead of what is read.
    const bool runs_ahead = to.pa > from.pa && to.pa < from.pa + bytes;
    if (!runs_ahead) {
        std::memmove(to.host, from.host, bytes);
        return;
    }
    for (uint64_t i = 0; i < bytes; i += element) {
        uint64_t value = 0;
        std::memcpy(&value, from.host + i, element);
        std::memcpy(to.host + i, &value, element);
    }
}

template <typename Element>
void store_all(uint8_t* to, uint64_t value, uint64_t bytes) {
    const auto element = static_cast<Element>(value);
    for (uint64_t i = 0; i < bytes; i += sizeof element) std::memcpy(to + i, &element, sizeof element);
}

void store_elements(uint8_t* to, uint64_t value, uint64_t bytes, uint8_t element) {
    if (element == 1)
        std::memset(to, static_cast<uint8_t>(value), bytes);
    else if (element == 2)
        store_all<uint16_t>(to, value, bytes);
    else if (element == 4)
        store_all<uint32_t>(to, value, bytes);
    else
        store_all<uint64_t>(to, value, bytes);
}

// What makes each step, or the next one, something of its own.
bool each_step_counts(const LiveState& s) {
    return !s.code64() || (s.eflags() & kFlagTf) != 0 || (s.hflags() & kHfInhibitIrq) != 0 ||
           s.direction() != 1;
}

}  // namespace

// Intel SDM vol. 2, "REP": the prefixes in any order, REX last.
RepeatedString::RepeatedString(std::span<const uint8_t> block) {
    bool repeats = false, word = false, wide = false;
    for (size_t i = 0; i + 1 < block.size(); ++i) {
        const uint8_t byte = block[i];
        if (byte == 0xf3) {
            repeats = true;
        } else if (byte == 0x66) {
            word = true;
        } else if ((byte & 0xf0) == 0x40 && i + 2 == block.size()) {
            wide = (byte & 8) != 0;
        } else {
            return;
        }
    }
    if (!repeats) return;
    const uint8_t opcode = block.back();
    moves_ = (opcode & 0xfe) == 0xa4;
    if (!moves_ && (opcode & 0xfe) != 0xaa) return;
    if ((opcode & 1) == 0)
        element_ = 1;
    else
        element_ = wide ? 8 : word ? 2 : 4;
}

uint32_t RepeatedString::run(const LiveState& s, uint32_t most) const {
    if (has_few_steps(s) || each_step_counts(s)) return 0;
    const EngineTlb tlb(s);
    const unsigned mode = data_mode(s);
    const uint64_t wanted = std::min<uint64_t>(most, s.gpr(kRcx) - 1);
    uint64_t done = 0;
    while (done < wanted) {
        const uint64_t source = s.gpr(kRsi), destination = s.gpr(kRdi);
        const auto to = tlb.data_page(mode, destination, EngineTlb::Use::Write);
        // Stores that anybody looks at go by another view (ram_views.hpp).
        if (!to || to->pa >= kTableView) break;
        uint64_t steps = std::min(wanted - done, room_in_page(destination) / element_);
        const Range target{to->host + destination % kPageSize, to->pa + destination % kPageSize};
        if (moves_) {
            const auto from = tlb.data_page(mode, source, EngineTlb::Use::Read);
            if (!from || from->pa >= kPrivateMemory) break;
            steps = std::min(steps, room_in_page(source) / element_);
            // The views of RAM fold back onto their frames.
            const uint64_t frame = from->pa & (bit(kPhysicalBits) - 1);
            move_elements(target, {from->host + source % kPageSize, frame + source % kPageSize},
                          steps * element_, element_);
            s.gpr(kRsi) = source + steps * element_;
        } else {
            store_elements(target.host, s.gpr(kRax), steps * element_, element_);
        }
        if (steps == 0) break;
        s.gpr(kRdi) = destination + steps * element_;
        s.gpr(kRcx) -= steps;
        done += steps;
    }
    return static_cast<uint32_t>(done);
}

}  // namespace forkscope::cpu
