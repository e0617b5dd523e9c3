// Counts retired instructions exactly. One hook at the start of each block says how many instructions
// the block holds; what lies before an instruction in the middle of a block is counted when asked.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/base/units.hpp"

namespace forkscope::cpu {

// A block of translated code that begins at pc: `bytes` of it.
struct Block {
    uint64_t pc = 0;
    uint32_t bytes = 0;
};

class InstructionClock {
public:
    // What the clock must ask about guest code; slow, cached here.
    class CodeReader {
    public:
        virtual ~CodeReader() = default;
        // Frame that holds the code at pc now.
        virtual PhysAddr code_frame(uint64_t pc) = 0;
        // Instructions in the block.
        virtual uint32_t count_instructions(const Block& block) = 0;
        // Instructions of the block that begin before rip.
        virtual uint32_t count_before(const Block& block, uint64_t rip) = 0;
    };

    explicit InstructionClock(CodeReader& reader);

    // The block begins: what ran before it has retired whole.
    void enter(uint64_t pc, uint32_t bytes) {
        retired_ += in_block_;
        in_block_ = 0;
        block_ = {pc, bytes};
        Entry& entry = entries_[slot(pc)];
        if (entry.pc == pc && entry.bytes == bytes && entry.epoch == epoch_) [[likely]]
            in_block_ = entry.count;
        else
            in_block_ = look_up(entry);
    }

    // The block that was entered did not run after all.
    void cancel() { in_block_ = 0; }

    // The block was left at rip, whose instruction has not retired (an exception), or at its end.
    void leave_at(uint64_t rip) {
        retired_ += before(rip);
        in_block_ = 0;
    }

    // The block ran to its end.
    void leave() {
        retired_ += in_block_;
        in_block_ = 0;
    }

    // One instruction more that the engine did not run itself.
    void retire_one() { ++retired_; }

    // Instructions retired before the current block.
    [[nodiscard]] InstrCount at_block_start() const { return retired_; }
    // Instructions retired when the current block has run: the time of a fetch of the next one.
    [[nodiscard]] InstrCount at_block_end() const { return retired_ + in_block_; }
    // Instructions retired before the one at rip.
    [[nodiscard]] InstrCount at(uint64_t rip) { return retired_ + before(rip); }
    [[nodiscard]] const Block& block() const { return block_; }

    // Translations of code may have changed: counts are looked up again, by frame.
    void translations_changed() { ++epoch_; }
    // The code at pc was translated anew.
    void code_changed(uint64_t pc) { entries_[slot(pc)].bytes = 0; }

private:
    struct Entry {
        uint64_t pc = ~uint64_t{0};
        uint64_t frame = ~uint64_t{0};
        uint32_t bytes = 0;
        uint32_t count = 0;
        uint32_t epoch = 0;
        uint32_t generation = 0;  // of the contents, for positions_
    };
    struct Position {
        uint64_t pc = 0;
        uint64_t rip = 0;
        uint32_t generation = 0;
        uint32_t before = 0;
    };
    static constexpr size_t kEntries = size_t{1} << 14;
    static constexpr size_t kPositions = size_t{1} << 12;

    static size_t slot(uint64_t pc) { return (pc ^ (pc >> 14)) & (kEntries - 1); }
    uint32_t look_up(Entry& entry);
    uint32_t before(uint64_t rip);

    CodeReader& reader_;
    std::vector<Entry> entries_;
    std::vector<Position> positions_;
    InstrCount retired_ = 0;
    uint32_t in_block_ = 0;
    uint32_t epoch_ = 1;
    uint32_t next_generation_ = 1;
    Block block_;
};

}  // namespace forkscope::cpu
