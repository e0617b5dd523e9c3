// Keys for the window itself, which the guest does not see: Ctrl-Alt with another key.
#pragma once

#include <SDL.h>

#include <optional>
#include <span>

namespace forkscope::ui {

enum class Action : uint8_t {
    Help,
    FullScreen,
    Larger,
    Smaller,
    Grab,
    Copy,
    Paste,
    Layout,
    Pause,
    Step,
    Reset,
    Picture,
    WindowPicture,
    Theme,
    Quit,
};

struct HostKey {
    Action action;
    SDL_Keycode key;
    bool shift;
    const char* name;  // after "Ctrl-Alt-"
    const char* does;
};

// In the order in which help lists them.
[[nodiscard]] std::span<const HostKey> host_keys();
[[nodiscard]] std::optional<Action> action_of(const SDL_KeyboardEvent& event);

}  // namespace forkscope::ui
