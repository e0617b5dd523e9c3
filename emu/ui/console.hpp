// The window of a run from inside: what guest_window.hpp promises.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "emu/ui/guest_window.hpp"
#include "emu/ui/host_keys.hpp"
#include "emu/ui/keyboard.hpp"
#include "emu/ui/mouse.hpp"
#include "emu/ui/overlay.hpp"
#include "emu/ui/screen_view.hpp"
#include "emu/ui/window.hpp"

namespace forkscope::ui {

class Console final : public GuestWindow {
public:
    Console(std::unique_ptr<Window> window, AtEnd at_end)
        : at_end_(at_end), window_(std::move(window)), screen_(window_->renderer()) {}

    void run(GuestLink& link) override;

private:
    struct Hands {  // what the person works with while a guest is there
        Keyboard keyboard;
        Mouse mouse;
    };

    void start(GuestLink& link);
    void handle(const SDL_Event& event);
    void handle_window_event(const SDL_WindowEvent& event);
    void handle_key(const SDL_KeyboardEvent& event);
    void close();
    void take_what_the_guest_shows();
    void end(const std::string& outcome);
    void tick();
    void draw_frame();

    // console_actions.cpp
    void act(Action action);
    [[nodiscard]] bool full_screen() const;
    void toggle_full_screen();
    void resize(int step);
    void set_layout(Keyboard::Mode mode);
    void copy();
    void paste(char* text);
    void save(const screen::Picture& picture, const std::string& name);

    const AtEnd at_end_;
    std::unique_ptr<Window> window_;
    ScreenView screen_;
    Overlay overlay_;
    GuestLink* link_ = nullptr;
    std::optional<Hands> hands_;
    GuestView view_;
    bool visible_ = false, over_ = false, closing_ = false, leaving_ = false, dirty_ = true;
    bool picture_wanted_ = false;  // of the window, with the next frame
    SDL_Point size_before_{};      // before it filled the screen
    Theme theme_ = Theme::Dark;
    screen::BlinkPhase phase_ = screen::BlinkPhase::Shown;
    std::chrono::steady_clock::time_point next_blink_{}, next_title_{};
};

}  // namespace forkscope::ui
