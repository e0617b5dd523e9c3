// The TLB ledger of one CPU: every translation that its TLB may hold, that is, every fill since the
// last flush that covered it.
#pragma once

#include <cstdint>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/log/recorder.hpp"
#include "emu/mmu/mirror.hpp"

namespace forkscope::mmu {

class Ledger {
public:
    explicit Ledger(const Mirror& mirror) : mirror_(mirror) {}

    [[nodiscard]] bool check_pending() const { return pending_; }

private:
    [[maybe_unused]] const Mirror& mirror_;
    bool pending_ = false;
};

}  // namespace forkscope::mmu
