// Remembers page faults until the access that faulted goes through, so that the log can say so.
#pragma once

#include <array>
#include <cstdint>

#include "emu/base/address.hpp"
#include "emu/base/units.hpp"

namespace forkscope::cpu {

class FaultWatch {
public:
    // A page fault was delivered.
    void faulted(uint64_t root, VirtAddr va, InstrCount when, uint64_t rip) {
        Fault& f = slots_[slot(root, va)];
        if (!f.open) ++open_;
        f = {root, va, when, rip, true};
    }

    struct Fault {
        uint64_t root = 0;
        VirtAddr va;
        InstrCount when = 0;
        uint64_t rip = 0;
        bool open = false;
    };

    // A fill of that page went through for the instruction at rip: its fault, or null.
    [[nodiscard]] const Fault* resolved(uint64_t root, VirtAddr va, uint64_t rip) {
        if (open_ == 0) return nullptr;
        Fault& f = slots_[slot(root, va)];
        if (!f.open || f.root != root || f.va.page_base() != va.page_base() || f.rip != rip) return nullptr;
        f.open = false;
        --open_;
        return &f;
    }

private:
    static constexpr size_t kSlots = 256;
    static size_t slot(uint64_t root, VirtAddr va) {
        const uint64_t key = (root >> kPageShift) * 0x9e3779b97f4a7c15 ^ va.page_number();
        return (key ^ (key >> 32)) % kSlots;
    }

    std::array<Fault, kSlots> slots_;
    uint64_t open_ = 0;  // slots with a fault that is not resolved
};

}  // namespace forkscope::cpu
