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

    // owner: whose clock it is, for the hook that gets the clock alone.
    InstructionClock(CodeReader& reader, void* owner);

    [[nodiscard]] void* owner() const { return owner_; }

    // hflags: the engine's word whose low two bits are the CPL.
    void watch_privilege(const uint32_t* hflags) { hot_.hflags = hflags; }

    // The block begins: what ran before it has retired whole. False: its count is not at hand, and
    // nothing was done; call enter_slowly().
    [[nodiscard]] bool enter(uint64_t pc, uint32_t bytes) {
        uint32_t count = hot_.count;
        if (pc != hot_.pc || bytes != hot_.known_bytes) {
            const Entry& entry = hot_.entries[slot(pc)];
            if (entry.pc != pc || entry.bytes != bytes || entry.epoch != hot_.epoch) [[unlikely]]
                return false;
            hot_.pc = pc;
            hot_.bytes = hot_.known_bytes = bytes;
            hot_.count = count = entry.count;
        }
        hot_.retired += hot_.in_block;
        hot_.in_block = count;
        return true;
    }
    void enter_slowly(uint64_t pc, uint32_t bytes);

    // Whether somebody must look up before the block runs: so many instructions have retired (attend_at),
    // or the CPL is not the one last seen.
    [[nodiscard]] bool needs_attention() const {
        return hot_.retired >= hot_.attention || ((*hot_.hflags ^ hot_.seen_cpl) & 3) != 0;
    }

    void attend_at(InstrCount retired) { hot_.attention = retired; }
    void see_privilege(unsigned cpl) { hot_.seen_cpl = cpl; }
    [[nodiscard]] unsigned seen_privilege() const { return hot_.seen_cpl; }

    // The block that was entered did not run after all.
    void cancel() { hot_.in_block = 0; }

    // The block was left at rip, whose instruction has not retired (an exception), or at its end.
    void leave_at(uint64_t rip) {
        hot_.retired += before(rip);
        hot_.in_block = 0;
    }

    // The block ran to its end.
    void leave() {
        hot_.retired += hot_.in_block;
        hot_.in_block = 0;
    }

    // One instruction more that the engine did not run itself.
    void retire_one() { ++hot_.retired; }

    // Instructions retired before the current block.
    [[nodiscard]] InstrCount at_block_start() const { return hot_.retired; }
    // Instructions retired when the current block has run: the time of a fetch of the next one.
    [[nodiscard]] InstrCount at_block_end() const { return hot_.retired + hot_.in_block; }
    // Instructions retired before the one at rip.
    [[nodiscard]] InstrCount at(uint64_t rip) { return hot_.retired + before(rip); }
    [[nodiscard]] Block block() const { return {hot_.pc, hot_.bytes}; }

    // Translations of code may have changed: counts are looked up again, by frame.
    void translations_changed() {
        ++hot_.epoch;
        forget_last();
    }
    // The code at pc was translated anew.
    void code_changed(uint64_t pc) {
        entries_[slot(pc)].bytes = 0;
        forget_last();
    }

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
    uint32_t before(uint64_t rip);
    // The block that runs keeps its place and its count, but a next one like it is looked up.
    void forget_last() { hot_.known_bytes = 0; }

    // What every block touches: one cache line.
    struct alignas(64) Hot {
        InstrCount retired = 0;  // before the current block
        InstrCount attention = 0;
        uint64_t pc = 0;
        const uint32_t* hflags = nullptr;
        uint32_t bytes = 0;
        uint32_t known_bytes = 0;  // as bytes while count holds, else 0
        uint32_t in_block = 0;     // of the current block; 0 when none runs
        uint32_t count = 0;        // of the block at pc
        unsigned seen_cpl = 0;
        uint32_t epoch = 1;
        const Entry* entries = nullptr;
    };

    Hot hot_;
    CodeReader& reader_;
    void* owner_;
    std::vector<Entry> entries_;
    std::vector<Position> positions_;
    uint32_t next_generation_ = 1;
};

}  // namespace forkscope::cpu
