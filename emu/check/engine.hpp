// The checks over a stream of events, whether it comes from a machine that runs or from a log: give it every
// event of the kinds it asks for, in order, and it tells its listener what is wrong, at the event that shows
// it.
//
// A finding is told once for each frame, until the guest hands the frame out anew.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "emu/check/check.hpp"

namespace forkscope::check {

class Engine {
public:
    // listener outlives the engine.
    Engine(CheckSet wanted, FindingListener& listener);

    // What it must be given: without some of these kinds, findings are missed or made up.
    [[nodiscard]] static log::KindMask kinds_for(CheckSet wanted);

    // `number` is for the findings' texts.
    void apply(const log::Event& event, uint64_t number);

private:
    // Which signs there are of a program at work: any event of user mode.
    static constexpr log::KindMask kUserSigns =
        log::mask_of(log::EventKind::Syscall) | log::mask_of(log::EventKind::SyscallReturn) |
        log::mask_of(log::EventKind::Interrupt) | log::mask_of(log::EventKind::PageFault);
    static constexpr uint8_t kUserPrivilege = 3;

    template <typename Kind, typename... Arguments>
    void add(const Arguments&... arguments);

    Books books_;
    FindingListener& listener_;
    std::vector<std::unique_ptr<Check>> checks_;
    std::array<std::vector<Check*>, log::kEventKindCount> by_kind_;
};

}  // namespace forkscope::check
