// A frame that the guest gives back (FrameFree) while a live user entry maps it, or a live table is in it. A
// root counts only while it is in CR3: of others nobody knows whether they are still meant.
#pragma once

#include "emu/check/check.hpp"

namespace forkscope::check {

class FreedWhileMapped final : public Check {
public:
    static constexpr log::KindMask kKinds = log::mask_of(log::EventKind::Announce);
    using Check::Check;
    void event(const log::Event& event, uint64_t number) override;
};

}  // namespace forkscope::check
