// A store to a live page table in a frame that the guest announced as something else, or as free: whoever
// owns the frame by the guest's own books will write other things over it. Frames that were never announced,
// as those of boot, are not judged; nor are roots that are not in CR3.
#pragma once

#include "emu/check/check.hpp"

namespace forkscope::check {

class UnannouncedTable final : public Check {
public:
    static constexpr log::KindMask kKinds = log::mask_of(log::EventKind::PteWrite);
    using Check::Check;
    void event(const log::Event& event, uint64_t number) override;
};

}  // namespace forkscope::check
