// The host's mouse: the guest's while it is grabbed, else it marks text.
#pragma once

#include <SDL.h>

#include <optional>

#include "emu/ui/guest_link.hpp"
#include "emu/ui/screen_view.hpp"
#include "emu/ui/window.hpp"

namespace forkscope::ui {

class Mouse {
public:
    Mouse(Window& window, GuestLink& link, const ScreenView& view)
        : window_(window), link_(link), view_(view) {}

    [[nodiscard]] bool grabbed() const { return grabbed_; }
    // With the keys that the host would take for itself, such as Alt-F4.
    void grab(bool on);

    // guest_listens: a click grabs the mouse. True if the middle button asks for the marked text.
    bool button(const SDL_MouseButtonEvent& event, bool guest_listens);
    void motion(const SDL_MouseMotionEvent& event);
    void wheel(const SDL_MouseWheelEvent& event);

    [[nodiscard]] const std::optional<Selection>& selection() const { return selection_; }
    void clear_selection() { selection_.reset(); }
    // The button that marks was let go since this was last asked.
    [[nodiscard]] bool take_marked();

private:
    [[nodiscard]] std::optional<CellPlace> cell(int x, int y) const;

    Window& window_;
    GuestLink& link_;
    const ScreenView& view_;
    bool grabbed_ = false;
    uint8_t buttons_ = 0;
    std::optional<CellPlace> anchor_;  // while the button is down
    std::optional<Selection> selection_;
    bool marked_ = false;
};

}  // namespace forkscope::ui
