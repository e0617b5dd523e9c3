// What the window says over the guest's screen: the list of its keys, short notices, how the run ended.
#pragma once

#include <chrono>
#include <string>

namespace forkscope::ui {

class Overlay {
public:
    using Clock = std::chrono::steady_clock;

    void toggle_help() { help_ = !help_; }
    [[nodiscard]] bool shows_help() const { return help_; }
    // Shown for some seconds.
    void notice(std::string text);
    // Shown until the end.
    void outcome(std::string text) { outcome_ = std::move(text); }

    // Within a frame of the window.
    void draw();
    // Whether a notice has run out, so that the window has to be drawn again.
    [[nodiscard]] bool has_expired();

private:
    bool help_ = false;
    std::string notice_, outcome_;
    Clock::time_point notice_until_{};
};

}  // namespace forkscope::ui
