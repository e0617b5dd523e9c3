#include "emu/ui/mouse.hpp"

#include <utility>

namespace forkscope::ui {

namespace {

uint8_t bit_of(uint8_t button) {
    switch (button) {
        case SDL_BUTTON_LEFT:
            return 1;
        case SDL_BUTTON_RIGHT:
            return 2;
        case SDL_BUTTON_MIDDLE:
            return 4;
        default:
            return 0;
    }
}

}  // namespace

void Mouse::grab(bool on) {
    if (on == grabbed_) return;
    grabbed_ = on;
    SDL_SetRelativeMouseMode(on ? SDL_TRUE : SDL_FALSE);
    SDL_SetWindowMouseGrab(window_.handle(), on ? SDL_TRUE : SDL_FALSE);
    SDL_SetWindowKeyboardGrab(window_.handle(), on ? SDL_TRUE : SDL_FALSE);
    anchor_.reset();
    if (std::exchange(buttons_, uint8_t{0}) != 0) link_.send(MouseInput{});
}

std::optional<CellPlace> Mouse::cell(int x, int y) const {
    const float density = window_.density();
    return view_.cell_at({static_cast<int>(static_cast<float>(x) * density),
                          static_cast<int>(static_cast<float>(y) * density)});
}

bool Mouse::button(const SDL_MouseButtonEvent& event, bool guest_listens) {
    const bool down = event.type == SDL_MOUSEBUTTONDOWN;
    if (grabbed_) {
        const uint8_t bit = bit_of(event.button);
        buttons_ = static_cast<uint8_t>(down ? buttons_ | bit : buttons_ & ~bit);
        link_.send(MouseInput{0, 0, 0, buttons_});
        return false;
    }
    if (event.button == SDL_BUTTON_MIDDLE) return down;
    if (event.button != SDL_BUTTON_LEFT) return false;
    if (down && guest_listens) {
        grab(true);
        return false;
    }
    if (down) {
        selection_.reset();
        anchor_ = cell(event.x, event.y);
    } else {
        marked_ = anchor_ && selection_;
        anchor_.reset();
    }
    return false;
}

void Mouse::motion(const SDL_MouseMotionEvent& event) {
    if (grabbed_) {
        // The guest's axis points up.
        link_.send(MouseInput{event.xrel, -event.yrel, 0, buttons_});
    } else if (anchor_) {
        if (const auto at = cell(event.x, event.y)) selection_ = Selection{*anchor_, *at};
    }
}

void Mouse::wheel(const SDL_MouseWheelEvent& event) {
    if (grabbed_ && event.y != 0) link_.send(MouseInput{0, 0, -event.y, buttons_});
}

bool Mouse::take_marked() { return std::exchange(marked_, false); }

}  // namespace forkscope::ui
