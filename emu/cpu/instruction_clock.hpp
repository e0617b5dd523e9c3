// Counts retired instructions exactly. Each block says at its start how many instructions it holds; what lies
// before an instruction in the middle of a block is counted when asked. The engine's code does that by itself
// once a block has called here (block_calls.hpp).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/base/units.hpp"
#include "emu/cpu/block_calls.hpp"
#include "emu/cpu/live_state.hpp"
#include "emu/cpu/repeated_string.hpp"

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
        // Whether the block may end in another privilege level than it began in, without a hook that tells.
        virtual bool may_change_privilege(const Block& block) = 0;
        // The block, if it is a string instruction that can be carried out many steps at once.
        virtual RepeatedString repeated_string(const Block& block) = 0;
    };

    // state: of the CPU whose instructions are counted. look: called before a block for which look_needed().
    InstructionClock(CodeReader& reader, const LiveState& state, void (*look)(void*), void* owner);

    // For tests: every block calls its hook every time, and each step of a string instruction is one.
    void keep_calls() {
        rewriting_ = Rewriting::Impossible;
        strings_at_once_ = false;
    }

    // The block begins, and tells by the hook: what ran before it has retired whole. `hook` is the hook
    // itself. Calls look() if need be.
    void enter(const BlockCall& call, const void* hook);

    // look() is wanted once so many instructions have retired; it comes now and then before that as well,
    // every kFarAway instructions at least.
    void look_at(InstrCount retired);
    // look() is wanted before the next block, whatever look_at() says meanwhile.
    void look_soon();
    void see_privilege(unsigned cpl) { seen_cpl_ = cpl; }
    [[nodiscard]] unsigned seen_privilege() const { return seen_cpl_; }

    // The block that was entered did not run after all.
    void cancel() { leave_after(0); }

    // The block was left at rip, whose instruction has not retired (an exception), or at its end.
    void leave_at(uint64_t rip) { leave_after(before(rip)); }

    // The block ran to its end.
    void leave() { *counters_.current = kNoBlock; }

    // The block that runs, or that ran last and was not left.
    [[nodiscard]] std::optional<Block> current_block() const {
        if (*counters_.current == kNoBlock) return std::nullopt;
        return Block{current().pc, current().bytes};
    }

    // One instruction more that the engine did not run itself.
    void retire_one() { --*counters_.left; }

    // Instructions retired before the current block.
    [[nodiscard]] InstrCount at_block_start() const { return at_block_end() - current().count; }
    // Instructions retired when the current block has run: the time of a fetch of the next one.
    [[nodiscard]] InstrCount at_block_end() const {
        return limit_ - static_cast<uint64_t>(int64_t{*counters_.left});
    }
    // Instructions retired before the one at rip.
    [[nodiscard]] InstrCount at(uint64_t rip) { return at_block_start() + before(rip); }

    // Translations of code may have changed: counts are looked up again, by frame.
    void translations_changed() { ++epoch_; }
    // The code at pc was translated anew.
    void code_changed(uint64_t pc) { known_[slot(pc)].epoch = 0; }

    // Blocks that count themselves, ever.
    [[nodiscard]] uint64_t rewritten() const { return rewritten_; }

private:
    // A block that can be the current one: by the place of its call, or by the slot of its pc.
    struct Place {
        uint64_t pc;
        uint32_t generation;  // of the contents, for positions_
        uint16_t bytes;
        uint16_t count;
    };
    // What is known of the block in a slot, beside its place.
    struct Known {
        uint64_t frame = ~uint64_t{0};
        uint32_t epoch = 0;
        bool watched = false;  // may_change_privilege()
        RepeatedString string;
    };
    struct Position {
        uint64_t pc = 0;
        uint64_t rip = 0;
        uint32_t generation = 0;
        uint32_t before = 0;
    };
    struct Unmap {
        size_t bytes;
        void operator()(Place* places) const;
    };
    enum class Rewriting : uint8_t { Untried, Possible, Impossible };

    // How far ahead of the instructions that have retired the limit is at most, so that `left` stays far from
    // its own ends, and what comes from a signal handler is seen soon.
    static constexpr InstrCount kFarAway = InstrCount{1} << 24;
    static constexpr uint32_t kNoBlock = 0;
    static constexpr uint32_t kFirstSlot = 1;
    static constexpr size_t kSlots = size_t{1} << 14;
    static constexpr uint32_t kFirstCall = kFirstSlot + kSlots;
    static constexpr size_t kPositions = size_t{1} << 12;

    static size_t slot(uint64_t pc) { return (pc ^ (pc >> 14)) & (kSlots - 1); }
    [[nodiscard]] const Place& current() const { return places_.get()[*counters_.current]; }
    [[nodiscard]] uint32_t identify(const BlockCall& call, Rewriting rewriting);
    [[nodiscard]] bool rewrite(const BlockCall& call, const Place& place);
    void try_rewriting(const BlockCall& call, const void* hook);
    void allocate_places(size_t calls);
    [[nodiscard]] bool look_needed() const {
        return soon_ || at_block_start() >= wanted_ || ((*hflags_ ^ seen_cpl_) & 3) != 0;
    }
    // Where `left` has become negative. Called by the engine's code.
    static void look_now(void* clock);
    void run_string(const RepeatedString& string);
    void call_look();
    void set_limit();
    [[nodiscard]] bool was_cut_off(const BlockCall& call);
    void leave_after(uint32_t instructions) {
        *counters_.left += static_cast<int32_t>(current().count - instructions);
        *counters_.current = kNoBlock;
    }
    uint32_t before(uint64_t rip);

    BlockCounters counters_;
    InstrCount limit_ = 0;   // *counters_.left is what lacks to it
    InstrCount wanted_ = 0;  // look_at()
    bool soon_ = false;      // look_soon()
    std::unique_ptr<Place, Unmap> places_;
    const uint32_t* hflags_;  // its low two bits are the CPL
    const LiveState& state_;
    bool strings_at_once_ = true;
    unsigned seen_cpl_ = 0;
    uint32_t epoch_ = 1;
    Rewriting rewriting_ = Rewriting::Untried;

    BlockCalls calls_;
    CodeReader& reader_;
    void (*look_)(void*);
    void* owner_;
    std::vector<Known> known_;
    std::vector<Position> positions_;
    uint32_t next_generation_ = 1;
    uint64_t rewritten_ = 0;
};

}  // namespace forkscope::cpu
