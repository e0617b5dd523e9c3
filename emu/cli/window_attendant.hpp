// The machine's end of a window: carries the screen out and the keys in, and holds the machine while it is
// paused.
#pragma once

#include <chrono>
#include <memory>

#include "emu/cli/live_input.hpp"
#include "emu/machine/attendant.hpp"
#include "emu/machine/machine.hpp"
#include "emu/ui/guest_link.hpp"

namespace forkscope::cli {

// All of it runs in the machine's thread.
class WindowAttendant final : public machine::Attendant {
public:
    explicit WindowAttendant(ui::GuestLink& link) : link_(link) {}

    [[nodiscard]] Order attend(machine::Machine& machine) override;
    void wait(std::chrono::nanoseconds longest) override { link_.wait(longest); }
    void ended(machine::Machine& machine, const machine::MachineExit& exit) override;

private:
    using Clock = std::chrono::steady_clock;
    void take_inputs();
    enum class Next : uint8_t { GoOn, OneStep };
    [[nodiscard]] Next stand_still(machine::Machine& machine);
    void show(machine::Machine& machine, ui::GuestState state);
    [[nodiscard]] std::shared_ptr<const ui::Pixels> read_pixels(machine::Machine& machine);
    [[nodiscard]] ui::GuestState busy_or_idle(machine::Machine& machine);

    ui::GuestLink& link_;
    LiveInput input_;
    std::shared_ptr<const ui::Pixels> pixels_;  // as last shown
    bool stepping_ = false;                     // the machine stands still again when this is called next
    Clock::time_point next_view_{};
    VirtualNs halted_before_ = 0, now_before_ = 0;
};

}  // namespace forkscope::cli
