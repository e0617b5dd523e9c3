#include "emu/ui/guest_link.hpp"

#include <utility>

namespace forkscope::ui {

void GuestLink::send(Input input) {
    {
        const std::lock_guard lock(mutex_);
        inputs_.push_back(std::move(input));
        attention_.store(true, std::memory_order_release);
    }
    changed_.notify_one();
}

void GuestLink::wish(Wish wish) {
    {
        const std::lock_guard lock(mutex_);
        switch (wish) {
            case Wish::Pause:
                paused_ = true;
                break;
            case Wish::GoOn:
                paused_ = false;
                steps_ = 0;
                break;
            case Wish::Step:
                // The first one stops a machine that runs.
                if (std::exchange(paused_, true)) ++steps_;
                break;
            case Wish::Reset:
                reset_ = true;
                paused_ = false;
                break;
            case Wish::Quit:
                quit_ = true;
                break;
        }
        attention_.store(true, std::memory_order_release);
    }
    changed_.notify_one();
}

bool GuestLink::take_view(GuestView& view) {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(view_is_new_, false)) return false;
    view = view_;
    return true;
}

std::optional<std::string> GuestLink::outcome() {
    const std::lock_guard lock(mutex_);
    return outcome_;
}

std::vector<Input> GuestLink::take_inputs() {
    const std::lock_guard lock(mutex_);
    attention_.store(false, std::memory_order_release);
    return std::exchange(inputs_, {});
}

void GuestLink::publish(GuestView view) {
    const std::lock_guard lock(mutex_);
    view_is_new_ = true;
    view_ = std::move(view);
}

void GuestLink::wait(std::chrono::nanoseconds longest) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, longest, [this] { return wants_attention(); });
}

bool GuestLink::paused() {
    const std::lock_guard lock(mutex_);
    return paused_;
}

bool GuestLink::take_step() {
    const std::lock_guard lock(mutex_);
    if (steps_ == 0) return false;
    --steps_;
    return true;
}

bool GuestLink::must_end() {
    const std::lock_guard lock(mutex_);
    return quit_ || reset_;
}

bool GuestLink::take_reset() {
    const std::lock_guard lock(mutex_);
    return std::exchange(reset_, false) && !quit_;
}

void GuestLink::finish(std::string outcome) {
    const std::lock_guard lock(mutex_);
    outcome_ = std::move(outcome);
}

}  // namespace forkscope::ui
