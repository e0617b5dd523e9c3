#include "emu/machine/typist.hpp"

#include <utility>

namespace forkscope::machine {

namespace {

constexpr VirtualNs kTick = 10'000'000;
// Of a tick, in HLT: a guest that waits still has its timer to serve.
constexpr VirtualNs kMostlyHalted = kTick / 10 * 7;
constexpr uint64_t kManyPolls = 100;  // of the controller's status or of the BIOS, in a tick
constexpr VirtualNs kBeforeLine = 100 * kTick, kBetweenKeys = 2 * kTick;

}  // namespace

Typist::Typist(bus::TimerQueue& timers, devices::I8042& keyboard, std::vector<KeyStroke> strokes, Signs signs)
    : keyboard_(keyboard),
      strokes_(std::move(strokes)),
      signs_(std::move(signs)),
      timer_(timers, [this](VirtualNs deadline) { tick(deadline); }),
      patience_(kBeforeLine) {
    if (!done()) timer_.arm(kTick);
}

bool Typist::guest_waits() {
    const VirtualNs halted = signs_.halted();
    const uint64_t polls = keyboard_.status_reads() + signs_.bios_calls();
    const bool idle = halted - halted_before_ >= kMostlyHalted;
    const bool asking = polls - polls_before_ >= kManyPolls;
    halted_before_ = halted;
    polls_before_ = polls;
    waited_ = (idle || asking) && keyboard_.keyboard_drained() ? waited_ + kTick : 0;
    return waited_ >= patience_;
}

void Typist::tick(VirtualNs now) {
    timer_.arm(now + kTick);
    if (!guest_waits() || now < quiet_until_) return;
    const KeyStroke& stroke = strokes_[next_];
    if (stroke.code == 0)
        quiet_until_ = now + stroke.wait;
    else if (!keyboard_.key(stroke.code, stroke.motion))
        return;
    waited_ = 0;
    patience_ = stroke.ends_line ? kBeforeLine : kBetweenKeys;
    if (++next_ == strokes_.size()) timer_.cancel();
}

}  // namespace forkscope::machine
