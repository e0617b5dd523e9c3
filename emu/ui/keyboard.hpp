// The host's keyboard as the guest is to see it.
//
// By places, a key is what it is on a US keyboard, whatever is printed on it: right for a guest that was told
// the person's layout. By letters, keys that write are typed as the text that the host makes of them, so that
// any layout, dead keys and input methods work with a guest that knows none of them.
#pragma once

#include <SDL.h>

#include <array>

#include "emu/ui/guest_link.hpp"

namespace forkscope::ui {

class Keyboard {
public:
    enum class Mode : uint8_t { Places, Letters };

    // Letters if the host's layout is not a US one.
    [[nodiscard]] static Mode mode_for_layout();

    explicit Keyboard(GuestLink& link) : link_(link) {}

    void set_mode(Mode mode) { mode_ = mode; }
    [[nodiscard]] Mode mode() const { return mode_; }

    void key(const SDL_KeyboardEvent& event);
    void text(const SDL_TextInputEvent& event);
    // The window lost the keyboard: nothing is held any more.
    void release_all();

private:
    [[nodiscard]] uint16_t usage_of(const SDL_KeyboardEvent& event) const;
    [[nodiscard]] bool is_text(const SDL_KeyboardEvent& event) const;

    GuestLink& link_;
    Mode mode_ = Mode::Places;
    bool last_was_text_ = false;
    std::array<uint16_t, SDL_NUM_SCANCODES> held_{};  // what each key was sent as, 0: nothing
};

}  // namespace forkscope::ui
