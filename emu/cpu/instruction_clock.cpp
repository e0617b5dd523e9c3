#include "emu/cpu/instruction_clock.hpp"

namespace forkscope::cpu {

InstructionClock::InstructionClock(CodeReader& reader, void* owner)
    : reader_(reader), owner_(owner), entries_(kEntries), positions_(kPositions) {
    hot_.entries = entries_.data();
}

void InstructionClock::enter_slowly(uint64_t pc, uint32_t bytes) {
    hot_.retired += hot_.in_block;
    hot_.in_block = 0;
    hot_.pc = pc;
    hot_.bytes = hot_.known_bytes = bytes;
    const Block now = block();
    const uint64_t frame = reader_.code_frame(now.pc).raw();
    Entry& entry = entries_[slot(now.pc)];
    if (entry.pc != now.pc || entry.bytes != now.bytes || entry.frame != frame) {
        entry.pc = now.pc;
        entry.bytes = now.bytes;
        entry.frame = frame;
        entry.count = reader_.count_instructions(now);
        entry.generation = next_generation_++;
    }
    entry.epoch = hot_.epoch;
    hot_.in_block = hot_.count = entry.count;
}

uint32_t InstructionClock::before(uint64_t rip) {
    if (hot_.in_block == 0 || rip == hot_.pc) return 0;
    const uint64_t into = rip - hot_.pc;
    // Past its end: all of it ran (an INT that ends the block reports the next instruction).
    if (into >= hot_.bytes) return hot_.in_block;
    const Entry& entry = entries_[slot(hot_.pc)];
    Position& position = positions_[(rip ^ (hot_.pc << 3)) & (kPositions - 1)];
    if (entry.pc == hot_.pc && entry.bytes == hot_.bytes && position.pc == hot_.pc && position.rip == rip &&
        position.generation == entry.generation)
        return position.before;
    const uint32_t count = reader_.count_before(block(), rip);
    position = {hot_.pc, rip, entry.generation, count};
    return count;
}

}  // namespace forkscope::cpu
