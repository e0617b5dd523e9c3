#include "emu/cli/window_attendant.hpp"

#include <algorithm>
#include <utility>

#include "emu/cli/screenshot.hpp"

namespace forkscope::cli {

namespace {

using std::chrono::milliseconds;

// A view is made so often at most: a little more often than the window draws.
constexpr milliseconds kViewInterval{15};
// Of some megabytes, which take time to compare and copy.
constexpr milliseconds kPixelInterval{33};
// How soon a signal is seen while the machine stands still.
constexpr milliseconds kStillInterval{50};
constexpr unsigned kIdlePercent = 90;

}  // namespace

machine::Attendant::Order WindowAttendant::attend(machine::Machine& machine) {
    if (link_.wants_attention() || stepping_) {
        take_inputs();
        stepping_ = stand_still(machine) == Next::OneStep;
        if (link_.must_end()) return Order::End;
    }
    input_.feed(machine.devices().keyboard_controller());
    if (const auto now = Clock::now(); now >= next_view_) {
        next_view_ = now + (machine.framebuffer() ? kPixelInterval : kViewInterval);
        show(machine, busy_or_idle(machine));
    }
    return Order::GoOn;
}

void WindowAttendant::take_inputs() {
    for (const ui::Input& input : link_.take_inputs()) input_.add(input);
}

// Until the machine may go on or has to end. What is typed meanwhile is kept for it.
WindowAttendant::Next WindowAttendant::stand_still(machine::Machine& machine) {
    if (!link_.paused()) return Next::GoOn;
    show(machine, ui::GuestState::Paused);
    while (link_.paused() && !link_.must_end() && !machine.interrupted()) {
        if (link_.take_step()) return Next::OneStep;
        link_.wait(kStillInterval);
        take_inputs();
    }
    return Next::GoOn;
}

// Where the time since the last view went.
ui::GuestState WindowAttendant::busy_or_idle(machine::Machine& machine) {
    const VirtualNs halted = machine.halted() - std::exchange(halted_before_, machine.halted());
    const VirtualNs now = machine.now();
    const VirtualNs passed = now - std::exchange(now_before_, now);
    return halted * 100 >= passed * kIdlePercent ? ui::GuestState::Idle : ui::GuestState::Running;
}

void WindowAttendant::show(machine::Machine& machine, ui::GuestState state) {
    ui::GuestView view;
    view.state = state;
    if (machine.framebuffer())
        view.pixels = read_pixels(machine);
    else if (const auto screen = read_screen(machine))
        view.screen = *screen;
    view.now = machine.now();
    view.listens_to_mouse = machine.devices().keyboard_controller().listens_to_mouse();
    link_.publish(std::move(view));
}

std::shared_ptr<const ui::Pixels> WindowAttendant::read_pixels(machine::Machine& machine) {
    const loader::Framebuffer& screen = *machine.framebuffer();
    const uint8_t* memory = machine.ram().at(screen.base, screen.bytes());
    if (pixels_ && std::equal(pixels_->bytes.begin(), pixels_->bytes.end(), memory)) return pixels_;
    auto pixels = std::make_shared<ui::Pixels>();
    pixels->width = screen.size.width;
    pixels->height = screen.size.height;
    pixels->bytes.assign(memory, memory + screen.bytes());
    pixels_ = std::move(pixels);
    return pixels_;
}

void WindowAttendant::ended(machine::Machine& machine, const machine::MachineExit&) {
    show(machine, ui::GuestState::Ended);
}

}  // namespace forkscope::cli
