// A dirty bit that hardware set and software loses, so that a page that was written counts as clean. Accessed
// bits are cleared at will by every kernel and are not judged. Two ways, both without the guest's help:
//  - a store changes the rights of a page, gives it write permission or changes NX or U, and clears D of the
//    frame that stays: nobody cleans a page like that (cleaning clears D, and perhaps W). Not if a bit that
//    is left to software gets set by the same store: it may keep what D was.
//  - D is cleared in an entry that may be written on, and no flush came before user mode: the TLB holds it as
//    dirty, and will not set D again.
#pragma once

#include <vector>

#include "emu/check/check.hpp"

namespace forkscope::check {

class LostDirty final : public Check {
public:
    static constexpr log::KindMask kKinds =
        log::mask_of(log::EventKind::PteWrite) | log::mask_of(log::EventKind::TlbFill) |
        log::mask_of(log::EventKind::Flush) | log::mask_of(log::EventKind::PageFault);
    using Check::Check;
    void event(const log::Event& event, uint64_t number) override;
    void user_mode(const log::Event& event, uint64_t number) override;

private:
    // Since the last full flush of a CPU, in order: what was filled, and what INVLPG or a fault dropped.
    struct Step {
        uint64_t va;
        uint8_t level;
        bool filled;
    };
    struct Cleared {
        log::Event write;
        uint64_t number;
    };
    void pte_write(const log::Event& event, uint64_t number);
    void flush(const log::Event& event);
    void drop(uint8_t cpu, uint64_t va);
    [[nodiscard]] bool may_be_cached(uint8_t cpu, uint64_t va) const;
    void report_lost(const Cleared& cleared, const log::Event& at, uint64_t number, const char* how);

    static constexpr size_t kMostSteps = size_t{1} << 20;
    std::vector<std::vector<Step>> steps_;  // by CPU
    std::vector<Cleared> cleared_;
};

}  // namespace forkscope::check
