// A PC keyboard with US keys: scan codes to what a terminal reads. It knows no hardware and no locks.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace guest {

enum class KeyAction : uint8_t {
    None,
    Text,           // text[0 .. bytes)
    Console,        // show virtual terminal `number`, from 0
    ScrollBack,     // half a screen up in the history
    ScrollForward,  // down again
    Restart,        // Ctrl-Alt-Delete
};

struct KeyEvent {
    KeyAction action = KeyAction::None;
    char text[8] = {};
    size_t bytes = 0;
    unsigned number = 0;
};

class keyboard_state {
public:
    // One byte of scan code set 1, as the controller translates. cursor_keys: vt_screen::Modes.
    [[nodiscard]] KeyEvent scan(uint8_t code, bool cursor_keys);

private:
    [[nodiscard]] KeyEvent extended(uint8_t key, bool cursor_keys) const;
    [[nodiscard]] KeyEvent plain(uint8_t key, bool cursor_keys);
    [[nodiscard]] KeyEvent character(char c) const;
    void modifier(uint8_t key, bool down, bool extended);

    bool shift_left_ = false, shift_right_ = false;
    bool control_left_ = false, control_right_ = false;
    bool alt_left_ = false, alt_right_ = false;
    bool caps_lock_ = false, num_lock_ = false;
    bool extended_ = false;  // E0 came
    uint8_t ignore_ = 0;     // bytes of the Pause key, after E1
};

}  // namespace guest
