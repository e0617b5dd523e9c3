// Keys and the mouse of a window on their way to the guest's, no faster than the guest takes them.
#pragma once

#include <deque>
#include <vector>

#include "devices/i8042.hpp"
#include "emu/machine/key_text.hpp"
#include "emu/ui/guest_link.hpp"

namespace forkscope::cli {

class LiveInput {
public:
    void add(const ui::Input& input);
    // Gives the controller what it has room for, in order.
    void feed(devices::I8042& controller);
    [[nodiscard]] bool empty() const { return strokes_.empty() && motions_.empty(); }

private:
    // Of a guest that never reads its keyboard, no more is kept.
    static constexpr size_t kMostStrokes = size_t{1} << 20;
    static constexpr size_t kMostMotions = 64;

    void add_key(const ui::KeyInput& key);
    void add_text(const ui::TextInput& text);
    void add_motion(const ui::MouseInput& motion);
    void add_stroke(devices::KeyCode code, devices::KeyMotion motion);

    std::deque<machine::KeyStroke> strokes_;
    std::deque<devices::Ps2Mouse::Motion> motions_;
    std::vector<devices::KeyCode> held_shifts_;  // by the person
};

}  // namespace forkscope::cli
