// The stretch of time that the panels with a horizontal time axis show, and how the mouse moves in it.
#pragma once

#include "tools/panels/draw/desk.hpp"

namespace forkscope::panels {

class TimeAxis {
public:
    // Between two places of the screen.
    TimeAxis(Desk& desk, float left, float right);

    [[nodiscard]] float left() const { return left_; }
    [[nodiscard]] float right() const { return right_; }
    [[nodiscard]] uint64_t first() const { return first_; }
    [[nodiscard]] uint64_t last() const { return last_; }
    [[nodiscard]] float x_of(uint64_t icount) const;
    [[nodiscard]] uint64_t icount_at(float x) const;

    // Marks of time along the top, and lines down to `height` below.
    void draw_ruler(float top, float height) const;
    // The present moment.
    void draw_now(float top, float height) const;
    // The wheel zooms, the right button drags, the left one goes to a moment, unless the mouse is on
    // something else that is clicked. Of the window that is open.
    void react(bool on_something) const;

private:
    Desk& desk_;
    float left_;
    float right_;
    uint64_t first_;
    uint64_t last_;
};

}  // namespace forkscope::panels
