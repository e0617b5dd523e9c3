// All panels on one screen, or one of them alone; the line above and the time bar below.
#pragma once

#include "tools/panels/draw/commands.hpp"
#include "tools/panels/draw/panels.hpp"

namespace forkscope::panels {

class Workbench {
public:
    explicit Workbench(Desk& desk) : desk_(desk) {}

    void show(Panel panel) { panel_ = panel; }
    [[nodiscard]] Panel shown() const { return panel_; }

    void obey(Command command);
    [[nodiscard]] bool wants_to_quit() const { return quit_; }
    // The fonts' size has changed: the window has to make them anew, at desk.scale.
    [[nodiscard]] bool take_rescale() { return std::exchange(rescale_, false); }

    // Into the whole of ImGui's screen.
    void draw();
    // Goes on by itself while it plays; `seconds` since the last frame.
    void play(double seconds);

private:
    void draw_head();
    void draw_all(float bottom);
    void draw_alone(float bottom);
    void draw_help();
    template <typename Draw>
    void tile(const char* id, ImVec2 size, Panel panel, Draw&& draw);
    void events_and_story(ImVec2 size);
    void change_scale(float factor);
    void show_neighbour(int step);

    Desk& desk_;
    Panel panel_ = Panel::All;
    bool help_ = false;
    bool quit_ = false;
    bool rescale_ = false;
    double to_play_ = 0;  // events that are due
};

}  // namespace forkscope::panels
