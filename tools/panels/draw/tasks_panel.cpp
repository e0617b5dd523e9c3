// Tasks as lanes in time: who made whom and when, who ran, who waited for whom, how they ended.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/log/text/numbers.hpp"
#include "tools/panels/draw/panels.hpp"
#include "tools/panels/draw/time_axis.hpp"
#include "tools/panels/draw/widgets.hpp"

namespace forkscope::panels {

namespace {

class Lanes {
public:
    Lanes(Desk& desk, const LaneMap& map, const TimeAxis& axis, float top, float height, float gutter)
        : desk_(desk),
          map_(map),
          axis_(axis),
          top_(top),
          height_(height),
          gutter_(gutter),
          draw_(*ImGui::GetWindowDrawList()),
          p_(desk.colours) {}

    void draw() {
        for (size_t i = 0; i < map_.lanes.size(); ++i)
            if (visible(i)) lane(i);
        runs();
        waits();
        for (size_t i = 0; i < map_.lanes.size(); ++i)
            if (visible(i)) ends(i);
        for (const ForkArrow& arrow : map_.arrows) fork(arrow);
    }
    // What the mouse is on.
    [[nodiscard]] const ForkArrow* pointed_fork() const { return pointed_; }
    [[nodiscard]] const std::string& pointed_text() const { return text_; }
    [[nodiscard]] std::optional<uint64_t> pointed_event() const { return event_; }

private:
    [[nodiscard]] float y_of(size_t lane) const { return top_ + (static_cast<float>(lane) + 0.5f) * height_; }
    [[nodiscard]] bool visible(size_t lane) const {
        const float y = y_of(lane);
        return y > ImGui::GetWindowPos().y - height_ &&
               y < ImGui::GetWindowPos().y + ImGui::GetWindowHeight() + height_;
    }
    [[nodiscard]] float half() const { return std::min(height_ * 0.30f, 9 * desk_.scale); }
    [[nodiscard]] bool mouse_near(float x, float y, float radius) const {
        const ImVec2 mouse = ImGui::GetMousePos();
        return ImGui::IsWindowHovered() && std::abs(mouse.x - x) <= radius && std::abs(mouse.y - y) <= radius;
    }
    [[nodiscard]] bool mouse_in(float x0, float x1, float y) const {
        const ImVec2 mouse = ImGui::GetMousePos();
        return ImGui::IsWindowHovered() && mouse.x >= x0 && mouse.x <= x1 && std::abs(mouse.y - y) <= half();
    }

    void lane(size_t i) {
        const TaskLane& lane = map_.lanes[i];
        const float y = y_of(i);
        const ImU32 colour = p_.of_task(lane.tid);
        const float indent = static_cast<float>(std::min(lane.depth, 6u)) * 10 * desk_.scale;
        const float left = axis_.left() - gutter_ + indent;
        draw_.AddRectFilled({left, y - half() * 0.7f}, {left + 4 * desk_.scale, y + half() * 0.7f}, colour,
                            1);
        ImFont* font = desk_.fonts.text;
        draw_.PushClipRect({axis_.left() - gutter_, y - height_}, {axis_.left() - 6, y + height_}, true);
        draw_text(font, {left + 9 * desk_.scale, y - line_of(font) / 2}, p_.text, lane.label);
        draw_.PopClipRect();
        const float x0 = std::clamp(axis_.x_of(lane.begin), axis_.left(), axis_.right());
        const float x1 = std::clamp(axis_.x_of(lane.end), axis_.left(), axis_.right());
        draw_.AddLine({axis_.left(), y}, {axis_.right(), y}, faded(p_.line, 0.35f));
        draw_.AddRectFilled({x0, y - half() * 0.35f}, {std::max(x1, x0 + 1), y + half() * 0.35f},
                            faded(colour, 0.28f), 2);
        if (mouse_in(x0, x1, y))
            text_ = fmt::format("{}{}\n{}", lane.names, lane.thread ? " (thread)" : "",
                                lane.ended ? "ends: " + lane.ending : "alive when the log ends");
    }

    // Slices of running that fall on one pixel are drawn once.
    void runs() {
        const auto& runs = desk_.log().overview().waits().runs();
        std::vector<float> drawn(map_.lanes.size(), -1);
        auto run = std::ranges::lower_bound(runs, axis_.first(), {}, &Run::end);
        for (; run != runs.end() && run->begin <= axis_.last(); ++run) {
            const size_t lane =
                run->task < map_.lane_of_task.size() ? map_.lane_of_task[run->task] : LaneMap::kNone;
            if (lane == LaneMap::kNone || !visible(lane)) continue;
            const float x0 = std::max(axis_.x_of(run->begin), axis_.left());
            const float x1 = std::min(std::max(axis_.x_of(run->end), x0 + 1), axis_.right());
            if (x1 <= drawn[lane]) continue;
            const float y = y_of(lane);
            draw_.AddRectFilled({std::max(x0, drawn[lane]), y - half()}, {x1, y + half()},
                                p_.of_task(map_.lanes[lane].tid), 1);
            drawn[lane] = x1;
        }
    }

    void waits() {
        const auto& all = desk_.log().overview().waits().waits();
        for (const Wait& wait : all) {
            if (wait.end < axis_.first() || wait.begin > axis_.last()) continue;
            const size_t lane =
                wait.task < map_.lane_of_task.size() ? map_.lane_of_task[wait.task] : LaneMap::kNone;
            if (lane == LaneMap::kNone || !visible(lane)) continue;
            const float x0 = std::max(axis_.x_of(wait.begin), axis_.left());
            const float x1 = std::min(axis_.x_of(wait.end), axis_.right());
            if (x1 - x0 < 3) continue;
            const float y = y_of(lane);
            draw_.AddRect({x0, y - half() * 0.8f}, {x1, y + half() * 0.8f}, faded(p_.text, 0.35f), 2);
            const std::string text = wait_text(wait, desk_.log().overview().tasks());
            ImFont* font = desk_.fonts.small;
            const float room = text_size(font, text).x + 8 * desk_.scale;
            // Above the slices of the task itself, in the middle.
            if (x1 - x0 > room && height_ > 1.6f * line_of(font)) {
                const float x = (x0 + x1 - room) / 2;
                draw_.AddRectFilled({x, y - line_of(font) / 2 - 1}, {x + room, y + line_of(font) / 2 + 1},
                                    p_.panel, 3);
                draw_text(font, {x + 4 * desk_.scale, y - line_of(font) / 2}, p_.dim, text);
            }
            if (wait.on != 0) end_of_wait(wait, lane);
            if (mouse_in(x0, x1, y)) {
                text_ = fmt::format("{} {}\n{} instructions", map_.lanes[lane].label, text,
                                    tools::grouped(wait.end - wait.begin));
                event_ = wait.event;
            }
        }
    }

    // A dashed line up from the task that was waited for.
    void end_of_wait(const Wait& wait, size_t lane) {
        const auto task = desk_.log().overview().tasks().find(wait.on);
        const size_t other =
            task && *task < map_.lane_of_task.size() ? map_.lane_of_task[*task] : LaneMap::kNone;
        const float x = axis_.x_of(wait.end);
        if (other == LaneMap::kNone || other == lane || x < axis_.left() || x > axis_.right()) return;
        const float dash = 4 * desk_.scale;
        const float down = y_of(other) > y_of(lane) ? 1.0f : -1.0f;
        const float length = std::abs(y_of(other) - y_of(lane)) - half();
        for (float at = half(); at < length; at += 2 * dash) {
            const float from = y_of(lane) + down * at;
            draw_.AddLine({x, from}, {x, from + down * dash}, faded(p_.text, 0.5f));
        }
    }

    // Execs and exits.
    void ends(size_t i) {
        const TaskLane& lane = map_.lanes[i];
        const analysis::Task& task = desk_.log().overview().tasks().all()[lane.task];
        const float y = y_of(i);
        const float r = half() * 0.85f;
        for (const analysis::TaskExec& exec : task.execs) {
            const float x = axis_.x_of(exec.when.icount);
            if (x < axis_.left() || x > axis_.right()) continue;
            draw_.AddQuadFilled({x, y - r}, {x + r, y}, {x, y + r}, {x - r, y}, p_.text);
            draw_.AddQuad({x, y - r}, {x + r, y}, {x, y + r}, {x - r, y}, p_.panel);
            if (height_ > 24 * desk_.scale)
                draw_text(desk_.fonts.small, {x + r + 2, y - half() - line_of(desk_.fonts.small)}, p_.dim,
                          "exec " + exec.name);
            if (!mouse_near(x, y, r + 2)) continue;
            text_ = fmt::format("{} executes {}", lane.label, exec.name);
            event_ = exec.when.event;
        }
        if (!lane.ended) return;
        const float x = axis_.x_of(lane.end);
        if (x < axis_.left() || x > axis_.right()) return;
        const bool bad = task.exit->status != 0;
        draw_.AddLine({x, y - half() * 1.1f}, {x, y + half() * 1.1f}, bad ? p_.warning : p_.text, 2);
        draw_text(desk_.fonts.small, {x + 4, y - line_of(desk_.fonts.small) / 2}, bad ? p_.warning : p_.dim,
                  lane.ending);
        if (!mouse_near(x, y, r + 2)) return;
        text_ = fmt::format("{} ends: {}", lane.label, lane.ending);
        event_ = lane.exit_event;
    }

    void fork(const ForkArrow& arrow) {
        if (arrow.end < axis_.first() || arrow.begin > axis_.last()) return;
        if (!visible(arrow.parent) && !visible(arrow.child)) return;
        const float x = axis_.x_of(arrow.begin);
        const float from = y_of(arrow.parent);
        const float to = y_of(arrow.child);
        const bool chosen = arrow.number == desk_.chosen_fork();
        const ImVec2 mouse = ImGui::GetMousePos();
        const bool near = ImGui::IsWindowHovered() && std::abs(mouse.x - x) < 6 * desk_.scale &&
                          mouse.y > std::min(from, to) - half() && mouse.y < std::max(from, to) + half();
        const ImU32 colour = chosen || near ? p_.accent : faded(p_.text, 0.8f);
        const float width = chosen || near ? 2.5f : 1.5f;
        const float r = 4.5f * desk_.scale;
        if (visible(arrow.parent)) draw_.AddCircleFilled({x, from}, r, colour);
        if (arrow.parent != arrow.child && !visible(arrow.child) && !chosen) {
            // A stub for those that are out of sight, and not more of them than can be told apart.
            if (x - last_stub_ < 4) return;
            last_stub_ = x;
            draw_.AddLine({x, from}, {x, from + 1.5f * half()}, faded(colour, 0.6f), width);
        } else if (arrow.parent != arrow.child) {
            draw_.AddLine({x, from}, {x, to - half()}, colour, width);
            const float tip = to - half();
            draw_.AddTriangleFilled({x - r, tip - r}, {x + r, tip - r}, {x, tip + 2}, colour);
        }
        // From the call to when the child is first there.
        const float there = axis_.x_of(map_.lanes[arrow.child].begin);
        if (there > x) draw_.AddLine({x, to}, {there, to}, faded(colour, 0.6f), 1.5f);
        if (height_ > 22 * desk_.scale)
            draw_text(desk_.fonts.small, {x + r + 2, from + half()}, chosen || near ? p_.text : p_.dim,
                      fmt::format("{} {}", arrow.kind, arrow.number));
        if (near) pointed_ = &arrow;
    }

    Desk& desk_;
    const LaneMap& map_;
    const TimeAxis& axis_;
    float top_;
    float height_;
    float gutter_;
    ImDrawList& draw_;
    const Palette& p_;
    const ForkArrow* pointed_ = nullptr;
    float last_stub_ = -1e9f;
    std::string text_;
    std::optional<uint64_t> event_;
};

void react(Desk& desk, const Lanes& lanes, const LaneMap& map) {
    if (const ForkArrow* fork = lanes.pointed_fork()) {
        begin_tip();
        put(desk.colours.text, fmt::format("Fork {}: {} makes {}", fork->number,
                                           map.lanes[fork->parent].label, map.lanes[fork->child].label));
        put_small(desk, desk.colours.dim, "Click: its story");
        end_tip();
        if (!ImGui::IsMouseClicked(0)) return;
        const uint64_t number = fork->number;
        desk.go_to_event(fork->event);
        desk.open_story(number);
        return;
    }
    if (!lanes.pointed_text().empty()) tip(lanes.pointed_text());
    if (lanes.pointed_event() && ImGui::IsMouseClicked(0)) desk.go_to_event(*lanes.pointed_event());
}

// Scrolls to the lane of the task that did the last event, when another moment is shown.
void keep_in_sight(Desk& desk, const LaneMap& map, float height) {
    if (desk.lanes_shown == desk.log().revision()) return;
    desk.lanes_shown = desk.log().revision();
    const RecentEvents& recent = desk.log().now().recent();
    if (recent.size() == 0) return;
    const uint32_t tid = recent.at(recent.size() - 1).event.task;
    const auto task = desk.log().overview().tasks().find(tid);
    if (!task || *task >= map.lane_of_task.size() || map.lane_of_task[*task] == LaneMap::kNone) return;
    const float y = static_cast<float>(map.lane_of_task[*task]) * height;
    const float top = ImGui::GetScrollY();
    if (y < top + height || y > top + ImGui::GetWindowHeight() - 2 * height)
        ImGui::SetScrollY(std::max(0.0f, y - ImGui::GetWindowHeight() / 2));
}

}  // namespace

void draw_tasks(Desk& desk) {
    const LaneMap& map = desk.lanes();
    const float gutter = std::min(170 * desk.scale, ImGui::GetContentRegionAvail().x * 0.25f);
    const float ruler = line_of(desk.fonts.small) + 10 * desk.scale;
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const ImVec2 space = ImGui::GetContentRegionAvail();
    const TimeAxis axis(desk, origin.x + gutter, origin.x + space.x - 60 * desk.scale);
    axis.draw_ruler(origin.y, space.y);
    ImGui::SetCursorScreenPos({origin.x, origin.y + ruler});
    ImGui::PushStyleColor(ImGuiCol_ChildBg, 0);
    if (ImGui::BeginChild("lanes", {0, 0})) {
        const ImVec2 inside = ImGui::GetContentRegionAvail();
        const auto count = static_cast<float>(std::max<size_t>(map.lanes.size(), 1));
        const float height = std::clamp(inside.y / count, 15 * desk.scale, 54 * desk.scale);
        keep_in_sight(desk, map, height);
        Lanes lanes(desk, map, axis, ImGui::GetCursorScreenPos().y, height, gutter);
        lanes.draw();
        ImGui::Dummy({inside.x, height * count});
        const bool on_something = lanes.pointed_fork() != nullptr || lanes.pointed_event().has_value();
        react(desk, lanes, map);
        axis.react(on_something);
        if (map.lanes.empty()) put(desk.colours.dim, "The guest announces no tasks in this stretch of time");
        if (map.left_out != 0)
            put(desk.colours.dim, fmt::format("{} tasks are left out", tools::grouped(map.left_out)));
    }
    ImGui::EndChild();
    ImGui::PopStyleColor();
    axis.draw_now(origin.y, space.y);
}

}  // namespace forkscope::panels
