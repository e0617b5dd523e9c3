// Stale TLB entries: found by the TLB ledger while the machine runs (emu/mmu), told here with the write that
// needed the flush. An entry is stale when the tables allow less than it does, no flush covered it, and a
// program runs. Two classes: what user mode may use, and kernel addresses.
#pragma once

#include "emu/check/check.hpp"

namespace forkscope::check {

class StaleTlb final : public Check {
public:
    static constexpr log::KindMask kKinds = log::mask_of(log::EventKind::Finding);
    StaleTlb(Books& books, FindingListener& listener, CheckSet wanted)
        : Check(books, listener), wanted_(wanted) {}
    void event(const log::Event& event, uint64_t number) override;

private:
    CheckSet wanted_;
};

}  // namespace forkscope::check
