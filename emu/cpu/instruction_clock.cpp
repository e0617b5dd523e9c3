#include "emu/cpu/instruction_clock.hpp"

namespace forkscope::cpu {

InstructionClock::InstructionClock(CodeReader& reader)
    : reader_(reader), entries_(kEntries), positions_(kPositions) {}

uint32_t InstructionClock::look_up(Entry& entry) {
    const uint64_t frame = reader_.code_frame(block_.pc).raw();
    if (entry.pc != block_.pc || entry.bytes != block_.bytes || entry.frame != frame) {
        entry.pc = block_.pc;
        entry.bytes = block_.bytes;
        entry.frame = frame;
        entry.count = reader_.count_instructions(block_);
        entry.generation = next_generation_++;
    }
    entry.epoch = epoch_;
    return entry.count;
}

uint32_t InstructionClock::before(uint64_t rip) {
    if (in_block_ == 0 || rip == block_.pc) return 0;
    const uint64_t into = rip - block_.pc;
    // Past its end: all of it ran (an INT that ends the block reports the next instruction).
    if (into >= block_.bytes) return in_block_;
    const Entry& entry = entries_[slot(block_.pc)];
    Position& position = positions_[(rip ^ (block_.pc << 3)) & (kPositions - 1)];
    if (entry.pc == block_.pc && entry.bytes == block_.bytes && position.pc == block_.pc &&
        position.rip == rip && position.generation == entry.generation)
        return position.before;
    const uint32_t count = reader_.count_before(block_, rip);
    position = {block_.pc, rip, entry.generation, count};
    return count;
}

}  // namespace forkscope::cpu
