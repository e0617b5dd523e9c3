// Memory of one program that another one sees change: a private frame (as the guest announced it: anonymous,
// or the frame of zeros) that two address spaces map while one of them may write to it. Both must be
// read-only until a write has made a copy. Likewise a table of level 1 with such frames that two address
// spaces link, one of them writable. What is private is known from announcements only: without them nothing
// is said.
#pragma once

#include <vector>

#include "emu/check/check.hpp"

namespace forkscope::check {

class WritableTwice final : public Check {
public:
    static constexpr log::KindMask kKinds =
        log::mask_of(log::EventKind::PteWrite) | log::mask_of(log::EventKind::PteFound) |
        log::mask_of(log::EventKind::TableLink) | log::mask_of(log::EventKind::Announce);
    using Check::Check;
    void event(const log::Event& event, uint64_t number) override;
    void user_mode(const log::Event& event, uint64_t number) override;

private:
    struct Suspect {
        uint64_t frame;
        CodePoint by;
    };
    void judge_frame(const Suspect& suspect, const log::Event& event, uint64_t number);
    void judge_table(const Suspect& suspect, const log::Event& event, uint64_t number);

    bool private_memory_known_ = false;
    std::vector<Suspect> frames_;
    std::vector<Suspect> tables_;
};

}  // namespace forkscope::check
