// Places and times.
#include "tools/panels/draw/time_axis.hpp"

#include <algorithm>
#include <cmath>

#include "tools/log/text/numbers.hpp"
#include "tools/panels/draw/widgets.hpp"

namespace forkscope::panels {

TimeAxis::TimeAxis(Desk& desk, float left, float right)
    : desk_(desk),
      left_(left),
      right_(std::max(right, left + 1)),
      first_(desk.first_icount()),
      last_(std::max(desk.last_icount(), desk.first_icount() + 1)) {}

float TimeAxis::x_of(uint64_t icount) const {
    const double part =
        (static_cast<double>(icount) - static_cast<double>(first_)) / static_cast<double>(last_ - first_);
    // Far outside is as good as just outside, and exact enough for the float.
    return left_ + static_cast<float>(std::clamp(part, -2.0, 3.0)) * (right_ - left_);
}

uint64_t TimeAxis::icount_at(float x) const {
    const double part = std::clamp(static_cast<double>((x - left_) / (right_ - left_)), 0.0, 1.0);
    return first_ + static_cast<uint64_t>(part * static_cast<double>(last_ - first_));
}

namespace {

// 1, 2 or 5 times a power of ten, so that about `wanted` of them are in the range.
[[nodiscard]] uint64_t ruler_step(uint64_t range, double wanted) {
    const double raw = std::max(1.0, static_cast<double>(range) / std::max(1.0, wanted));
    const double power = std::pow(10.0, std::floor(std::log10(raw)));
    for (const double times : {1.0, 2.0, 5.0})
        if (times * power >= raw) return static_cast<uint64_t>(times * power);
    return static_cast<uint64_t>(10 * power);
}

}  // namespace

void TimeAxis::draw_ruler(float top, float height) const {
    ImFont* font = desk_.fonts.small;
    ImDrawList& draw = *ImGui::GetWindowDrawList();
    const uint64_t step =
        ruler_step(last_ - first_, static_cast<double>((right_ - left_) / (110 * desk_.scale)));
    const uint64_t rate = desk_.log().reader().meta().instructions_per_second;
    for (uint64_t at = (first_ + step - 1) / step * step; at <= last_; at += step) {
        const float x = x_of(at);
        draw.AddLine({x, top + line_of(font) + 4}, {x, top + height}, faded(desk_.colours.line, 0.5f));
        const std::string time = tools::duration_text(at, rate);
        const std::string label = time.empty() ? tools::grouped(at) : time;
        draw_text(font, {x - text_size(font, label).x / 2, top}, desk_.colours.dim, label);
    }
}

void TimeAxis::draw_now(float top, float height) const {
    const float x = x_of(desk_.log().now().icount());
    if (x < left_ || x > right_) return;
    ImDrawList& draw = *ImGui::GetWindowDrawList();
    const float r = 5 * desk_.scale;
    // Below the marks of time.
    top += line_of(desk_.fonts.small) + 1;
    height -= line_of(desk_.fonts.small) + 1;
    draw.AddLine({x, top}, {x, top + height}, desk_.colours.accent, 1.5f * desk_.scale);
    draw.AddTriangleFilled({x - r, top}, {x + r, top}, {x, top + 1.6f * r}, desk_.colours.accent);
}

void TimeAxis::react(bool on_something) const {
    if (!ImGui::IsWindowHovered()) return;
    const ImGuiIO& io = ImGui::GetIO();
    const ImVec2 mouse = ImGui::GetMousePos();
    if (mouse.x < left_ || mouse.x > right_) return;
    // With the control key held the wheel scrolls the lanes.
    if (io.MouseWheel != 0 && !io.KeyCtrl)
        desk_.zoom_range(std::pow(0.8, static_cast<double>(io.MouseWheel)), icount_at(mouse.x));
    if (ImGui::IsMouseDragging(1)) {
        const double shift = -static_cast<double>(io.MouseDelta.x) / static_cast<double>(right_ - left_) *
                             static_cast<double>(last_ - first_);
        const double first = std::max(0.0, static_cast<double>(first_) + shift);
        desk_.show_range(static_cast<uint64_t>(first), static_cast<uint64_t>(first) + (last_ - first_));
    }
    if (ImGui::IsMouseClicked(0) && !on_something) desk_.log().go_to_icount(icount_at(mouse.x));
}

}  // namespace forkscope::panels
