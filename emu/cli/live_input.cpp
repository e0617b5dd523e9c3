#include "emu/cli/live_input.hpp"

#include <algorithm>
#include <variant>

#include "emu/machine/hid_keys.hpp"

namespace forkscope::cli {

namespace {

using devices::KeyMotion;

constexpr uint16_t kLeftShift = 0xe1, kRightShift = 0xe5;  // usages
constexpr int kMostSteps = 255;                            // of the mouse, in one packet

}  // namespace

void LiveInput::add(const ui::Input& input) {
    if (const auto* key = std::get_if<ui::KeyInput>(&input))
        add_key(*key);
    else if (const auto* text = std::get_if<ui::TextInput>(&input))
        add_text(*text);
    else if (const auto* motion = std::get_if<ui::MouseInput>(&input))
        add_motion(*motion);
}

void LiveInput::add_stroke(devices::KeyCode code, KeyMotion motion) {
    if (strokes_.size() < kMostStrokes) strokes_.push_back({code, motion, 0, false});
}

void LiveInput::add_key(const ui::KeyInput& key) {
    const devices::KeyCode code = machine::key_code_of_usage(key.usage);
    if (code == 0) return;
    if (key.usage == kLeftShift || key.usage == kRightShift) {
        std::erase(held_shifts_, code);
        if (key.down) held_shifts_.push_back(code);
    }
    add_stroke(code, key.down ? KeyMotion::Press : KeyMotion::Release);
}

// The characters bring their own Shift; the person's is let go meanwhile.
void LiveInput::add_text(const ui::TextInput& text) {
    for (const devices::KeyCode shift : held_shifts_) add_stroke(shift, KeyMotion::Release);
    for (const machine::KeyStroke& stroke : machine::keys_of_text(text.text))
        add_stroke(stroke.code, stroke.motion);
    for (const devices::KeyCode shift : held_shifts_) add_stroke(shift, KeyMotion::Press);
}

// Motions with the same buttons are one, as far as it fits a packet.
void LiveInput::add_motion(const ui::MouseInput& motion) {
    if (!motions_.empty()) {
        devices::Ps2Mouse::Motion& last = motions_.back();
        const int dx = last.dx + motion.right, dy = last.dy + motion.up;
        const bool fits = std::max(std::abs(dx), std::abs(dy)) <= kMostSteps;
        if (last.buttons == motion.buttons && last.wheel == 0 && motion.wheel == 0 && fits) {
            last.dx = dx;
            last.dy = dy;
            return;
        }
    }
    if (motions_.size() == kMostMotions) motions_.pop_front();
    motions_.push_back({std::clamp(motion.right, -kMostSteps, kMostSteps),
                        std::clamp(motion.up, -kMostSteps, kMostSteps), motion.wheel, motion.buttons});
}

void LiveInput::feed(devices::I8042& controller) {
    if (!strokes_.empty() && controller.keyboard_drained()) {
        // What a keyboard that is switched off loses is lost here, too.
        static_cast<void>(controller.key(strokes_.front().code, strokes_.front().motion));
        strokes_.pop_front();
    }
    if (!motions_.empty() && controller.mouse_drained()) {
        static_cast<void>(controller.move_mouse(motions_.front()));
        motions_.pop_front();
    }
}

}  // namespace forkscope::cli
