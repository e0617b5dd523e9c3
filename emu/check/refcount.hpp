// Reference counts that the guest announces (FrameAlloc, FrameRefs, FrameFree) against themselves and against
// the page tables:
//  - each announcement follows from the one before: one more or one less, freed at one, nothing about free
//  frames;
//  - when a program runs, a frame has a reference for each user entry that maps it (the frame of zeros is not
//    counted by anyone), a page table one for each entry that links it;
//  - at the end of the run no private frame is left that was mapped once, has references and is mapped by
//  nothing,
//    unless the kernel was at work on it: a leak.
// Announcements are taken in the order of the log, so this check is for one CPU at a time.
#pragma once

#include <unordered_map>
#include <vector>

#include "emu/check/check.hpp"

namespace forkscope::check {

class Refcount final : public Check {
public:
    static constexpr log::KindMask kKinds =
        log::mask_of(log::EventKind::Announce) | log::mask_of(log::EventKind::PteWrite) |
        log::mask_of(log::EventKind::PteFound) | log::mask_of(log::EventKind::TableLink) |
        log::mask_of(log::EventKind::Stop);
    using Check::Check;
    void event(const log::Event& event, uint64_t number) override;
    void user_mode(const log::Event& event, uint64_t number) override;

private:
    void announced(const log::Event& event, uint64_t number);
    void stopped(const log::Event& event, uint64_t number);
    void judge(uint64_t pa, const log::Event& event, uint64_t number);
    void report_frame(uint64_t pa, const log::Event& event, uint64_t number, const CodePoint& culprit,
                      uint64_t expected, uint64_t found, std::string text);

    std::unordered_map<uint32_t, uint64_t>
        out_of_kernel_;               // by task: when it was seen outside it, or gone, last
    std::vector<uint64_t> suspects_;  // frames whose references or users changed
};

}  // namespace forkscope::check
