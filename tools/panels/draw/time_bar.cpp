// The bar below the panels: the whole run from its first event to its last. The forks stand on it; a part
// that was not read yet is dark.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/log/text/decode.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/panels/draw/panels.hpp"
#include "tools/panels/draw/widgets.hpp"

namespace forkscope::panels {

namespace {

class Bar {
public:
    Bar(Desk& desk, ImVec2 at, ImVec2 size)
        : desk_(desk), at_(at), size_(size), all_(std::max<uint64_t>(desk.log().event_count(), 1)) {}

    [[nodiscard]] float x_of(uint64_t events) const {
        return at_.x + size_.x * static_cast<float>(static_cast<double>(events) / static_cast<double>(all_));
    }
    [[nodiscard]] uint64_t events_at(float x) const {
        const double part = std::clamp(static_cast<double>((x - at_.x) / size_.x), 0.0, 1.0);
        return static_cast<uint64_t>(std::llround(part * static_cast<double>(all_)));
    }

    void draw() const {
        const Palette& p = desk_.colours;
        ImDrawList& draw = *ImGui::GetWindowDrawList();
        const float middle = at_.y + size_.y * 0.62f;
        const float half = 4 * desk_.scale;
        draw.AddRectFilled({at_.x, middle - half}, {at_.x + size_.x, middle + half}, faded(p.line, 0.4f),
                           half);
        draw.AddRectFilled({at_.x, middle - half}, {x_of(desk_.log().read_events()), middle + half}, p.line,
                           half);
        const float now = x_of(desk_.log().at());
        draw.AddRectFilled({at_.x, middle - half}, {now, middle + half}, faded(p.accent, 0.55f), half);
        float last = -1e9f;
        for (const analysis::Fork& fork : desk_.log().overview().forks()) {
            const float x = x_of(fork.begin.event + 1);
            // Forks that fall on one pixel are one mark.
            if (x - last < 2) continue;
            const bool crowded = x - last < 10 * desk_.scale;
            last = x;
            const bool chosen = fork.number == desk_.chosen_fork();
            const float r = (chosen ? 5.5f : 4) * desk_.scale;
            const ImVec2 top = {x, at_.y + 2 * r};
            draw.AddTriangleFilled({x - r, top.y - 1.7f * r}, {x + r, top.y - 1.7f * r}, top,
                                   chosen ? p.accent : p.of_task(fork.child.tid));
            if (!crowded || chosen) draw.AddLine(top, {x, middle + half}, faded(p.text, 0.45f));
        }
        for (const FoundMistake& mistake : desk_.log().overview().mistakes()) {
            const float x = x_of(mistake.number + 1);
            draw.AddLine({x, middle - 2 * half}, {x, middle + 2 * half}, p.warning, 2);
        }
        draw.AddCircleFilled({now, middle}, 8 * desk_.scale, p.accent);
        draw.AddCircle({now, middle}, 8 * desk_.scale, p.panel, 0, 2);
    }

    [[nodiscard]] const analysis::Fork* fork_near(float x) const {
        for (const analysis::Fork& fork : desk_.log().overview().forks())
            if (std::abs(x_of(fork.begin.event + 1) - x) < 5 * desk_.scale) return &fork;
        return nullptr;
    }

private:
    Desk& desk_;
    ImVec2 at_;
    ImVec2 size_;
    uint64_t all_;
};

void react(Desk& desk, const Bar& bar, float top, float height) {
    const ImVec2 mouse = ImGui::GetMousePos();
    const analysis::Fork* fork = bar.fork_near(mouse.x);
    const bool on_marks = mouse.y < top + height * 0.45f;
    if (ImGui::IsItemHovered()) {
        if (fork != nullptr && on_marks) {
            tip(fmt::format("Fork {}: {} makes {}\nClick: go there, and open its story", fork->number,
                            fork->parent.label(), fork->failed() ? "nothing" : fork->child.label()));
        } else {
            const uint64_t events = bar.events_at(mouse.x);
            tip(fmt::format("event {}", tools::grouped(events == 0 ? 0 : events - 1)));
        }
    }
    if (ImGui::IsItemActivated() && fork != nullptr && on_marks) {
        desk.go_to_event(fork->begin.event);
        desk.open_story(fork->number);
    } else if (ImGui::IsItemActive() && !on_marks) {
        desk.log().go_to(bar.events_at(mouse.x));
    }
}

bool step_button(const char* label, const char* what) {
    const bool pressed = ImGui::Button(label);
    if (ImGui::IsItemHovered()) tip(what);
    ImGui::SameLine(0, 4);
    return pressed;
}

}  // namespace

void draw_time_bar(Desk& desk) {
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    const float height = ImGui::GetContentRegionAvail().y;
    ImGui::SetCursorScreenPos({origin.x, origin.y + (height - ImGui::GetFrameHeight()) / 2});
    if (step_button("◀ fork", "The fork before (Page Up)")) desk.go_to_fork(false);
    if (step_button("◀", "One event back (Left; with Shift 100)")) desk.step(-1);
    if (step_button(desk.playing ? "■" : "▶▶", "Play (Space)")) desk.playing = !desk.playing;
    if (step_button("▶", "One event on (Right; with Shift 100)")) desk.step(1);
    if (step_button("fork ▶", "The next fork (Page Down)")) desk.go_to_fork(true);
    const float left = ImGui::GetCursorScreenPos().x + 14 * desk.scale;
    const float right = origin.x + ImGui::GetContentRegionMax().x - 14 * desk.scale;
    const Bar bar(desk, {left, origin.y}, {std::max(20.0f, right - left), height});
    ImGui::SetCursorScreenPos({left, origin.y});
    ImGui::InvisibleButton("time", {std::max(20.0f, right - left), height});
    react(desk, bar, origin.y, height);
    bar.draw();
}

}  // namespace forkscope::panels
