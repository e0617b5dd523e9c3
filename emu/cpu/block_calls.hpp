// The engine's code begins each block with two calls: of our block hook, with four constants, and of a
// function that asks whether to stop. That is most of what a short block costs. The first time that a block
// calls, its call is known by its return address; BlockCalls then writes over the call what it is for:
//
//   counting (the clock of instructions)        asking only (the host's clock)
//     mov   eax, [left]                           cmp   dword [exit request], 0
//     sub   eax, instructions                     jge   after both calls
//     mov   [left], eax
//     mov   dword [current], index
//     jge   after both calls
//     call  late                        ; once in a while: the block must be looked at
//
// EAX is free there, as the call that was there could change it. The counters lie among the guest's
// registers, in the same cache line as its flags, under the same base register, and are loaded and stored
// apart: so the host forwards them from store to load, and no store of a block waits for a line more. A loop
// of five guest instructions takes no longer for it; elsewhere, `sub [rip + left]` made it 2.5 times slower.
//
// What it does not recognise it leaves alone: such a block calls its hook every time, and all is the same but
// slower. Host: x86-64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace forkscope::cpu {

// One call of the block hook, as the hook sees it: its return address and its arguments.
struct BlockCall {
    const uint8_t* return_address;
    const void* engine;
    uint64_t pc;
    uint32_t bytes;
    const void* user;
};

// What the rewritten code counts with: within reach of the CPU state, to which the engine's code has a base
// register.
struct BlockCounters {
    int32_t* left = nullptr;      // instructions until somebody must look, once the current block has run
    uint32_t* current = nullptr;  // the block that runs
};

class BlockCalls {
public:
    BlockCalls() = default;
    ~BlockCalls();
    BlockCalls(const BlockCalls&) = delete;
    BlockCalls& operator=(const BlockCalls&) = delete;

    // Where the engine keeps its code, by one address in it. `hook` is the block hook; late(argument) is
    // called where `left` has become negative. False: rewriting is impossible here, for good.
    [[nodiscard]] bool locate(const uint8_t* return_address, const void* cpu_state,
                              const BlockCounters& counters, const void* hook, void (*late)(void*),
                              void* argument);

    // After locate(): how many values index_of() can have, and which one a call has. Calls of two blocks that
    // both can still run never share one: more than kBytesPerIndex lie between them.
    [[nodiscard]] uint32_t indices() const {
        return static_cast<uint32_t>(code_.size() / kBytesPerIndex + 1);
    }
    [[nodiscard]] uint32_t index_of(const BlockCall& call) const {
        return static_cast<uint32_t>(static_cast<size_t>(call.return_address - code_.data()) /
                                     kBytesPerIndex);
    }

    // The block counts itself from now on: `instructions` of it, and `current` while it runs.
    // False: not recognised, nothing was changed.
    [[nodiscard]] bool rewrite_counting(const BlockCall& call, uint32_t instructions, uint32_t current);
    // The block only asks whether to stop from now on: exit_request, near the CPU state.
    [[nodiscard]] bool rewrite_asking(const BlockCall& call, const int32_t& exit_request);

private:
    static constexpr size_t kBytesPerIndex = 64;

    // The bytes that may be written over, from the first constant to the end of the call; empty if the call
    // does not look as expected.
    [[nodiscard]] std::span<uint8_t> recognise(const BlockCall& call) const;

    std::span<const uint8_t> code_;
    [[nodiscard]] int32_t from_state(const void* p) const;

    const void* hook_ = nullptr;
    const void* cpu_state_ = nullptr;
    uint8_t* call_late_ = nullptr;  // near the code: jumps to `late` with its argument
    BlockCounters counters_;
};

}  // namespace forkscope::cpu
