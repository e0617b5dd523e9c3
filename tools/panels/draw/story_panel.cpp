// A fork from the call to the last write, step by step; each step can be gone to.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tools/log/text/numbers.hpp"
#include "tools/panels/draw/panels.hpp"
#include "tools/panels/draw/widgets.hpp"

namespace forkscope::panels {

namespace {

[[nodiscard]] ImU32 colour_of(const Palette& p, StepKind kind) {
    switch (kind) {
        case StepKind::Call:
            return p.text;
        case StepKind::Protect:
            return p.glow;
        case StepKind::Flush:
            return p.shared;
        case StepKind::Child:
            return p.table;
        case StepKind::Fault:
        case StepKind::Warning:
            return p.warning;
        case StepKind::Copy:
            return p.accent;
        case StepKind::Reuse:
            return p.good;
        case StepKind::End:
            break;
    }
    return p.dim;
}

// What became of one side's pages, as one bar.
void draw_side(Desk& desk, const SideBar& side) {
    const Palette& p = desk.colours;
    put(p.text, side.label);
    ImGui::SameLine();
    put(p.dim, fmt::format("{} under copy-on-write, {} copied", tools::counted(side.covered, "page"),
                           tools::bytes_text(side.bytes_copied)));
    struct Part {
        uint64_t count;
        const char* name;
        ImU32 colour;
    };
    const std::array<Part, 6> parts = {{{side.copies, "copied", p.accent},
                                        {side.reuses, "reused", p.good},
                                        {side.passed_on, "passed on to a later fork", p.table},
                                        {side.unmapped, "given back unwritten", p.kernel},
                                        {side.untouched, "still shared at the end", p.shared},
                                        {side.other, "made writable otherwise", p.dim}}};
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x;
    const float height = 16 * desk.scale;
    float x = at.x;
    std::string words;
    for (const Part& part : parts) {
        if (part.count == 0 || side.covered == 0) continue;
        const float share = width * static_cast<float>(part.count) / static_cast<float>(side.covered);
        ImGui::GetWindowDrawList()->AddRectFilled({x, at.y}, {x + std::max(2.0f, share - 1), at.y + height},
                                                  part.colour, 2);
        x += share;
    }
    ImGui::Dummy({width, height});
    bool first = true;
    for (const Part& part : parts) {
        if (part.count == 0) continue;
        if (!first) ImGui::SameLine(0, 12 * desk.scale);
        first = false;
        put_small(desk, part.colour, "■");
        ImGui::SameLine(0, 4 * desk.scale);
        put_small(desk, p.text, fmt::format("{} {}", tools::grouped(part.count), part.name));
    }
}

void draw_step(Desk& desk, const Story& story, const StoryStep& step, int id, std::optional<uint64_t>& go) {
    const Palette& p = desk.colours;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float column = 92 * desk.scale;
    const bool past = step.event < desk.log().at();
    ImGui::BeginGroup();
    put_mono(desk, p.dim,
             fmt::format("{:>11}", fmt::format("{}{}", step.icount >= story.begin ? "+" : "-",
                                               tools::grouped(step.icount >= story.begin
                                                                  ? step.icount - story.begin
                                                                  : story.begin - step.icount))));
    ImGui::SameLine(column + 24 * desk.scale);
    ImGui::BeginGroup();
    ImGui::PushTextWrapPos(0);
    put(past ? p.text : p.dim, step.text);
    if (!step.detail.empty()) put_small(desk, p.dim, step.detail);
    ImGui::PopTextWrapPos();
    ImGui::EndGroup();
    ImGui::EndGroup();
    const float bottom = ImGui::GetCursorScreenPos().y;
    ImDrawList& draw = *ImGui::GetWindowDrawList();
    const float x = at.x + column + 10 * desk.scale;
    const float middle = at.y + ImGui::GetFontSize() * 0.55f;
    draw.AddLine({x, at.y}, {x, bottom}, faded(p.line, 0.9f), 2);
    const float r = 5 * desk.scale;
    past ? draw.AddCircleFilled({x, middle}, r, colour_of(p, step.kind))
         : draw.AddCircle({x, middle}, r, colour_of(p, step.kind), 0, 2);
    const ImVec2 end = {at.x + ImGui::GetContentRegionAvail().x, bottom - 3};
    const bool now = step.event + 1 == desk.log().at() && step.event != 0;
    if (now) draw_edge({at.x, at.y - 2}, end, faded(p.accent, 0.8f), 1);
    ImGui::PushID(id);
    if (ImGui::IsWindowHovered() && ImGui::IsMouseHoveringRect(at, end) && step.event != 0) {
        draw.AddRectFilled({at.x, at.y - 2}, end, faded(p.line, 0.35f), 4);
        if (ImGui::IsMouseClicked(0)) go = step.event;
    }
    ImGui::PopID();
}

void choose_fork(Desk& desk) {
    const auto& forks = desk.log().overview().forks();
    const uint64_t chosen = desk.chosen_fork();
    const auto label = [](const analysis::Fork& fork) {
        return fmt::format("{}  {}: {} → {}", fork.number, analysis::kind_of(fork), fork.parent.label(),
                           fork.failed() ? "failed" : fork.child.label());
    };
    const bool known = chosen != 0 && chosen <= forks.size();
    ImGui::SetNextItemWidth(-1);
    if (!ImGui::BeginCombo("##fork", known ? label(forks[chosen - 1]).c_str() : "choose a fork")) return;
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(forks.size()));
    while (clipper.Step())
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
            const analysis::Fork& fork = forks[static_cast<size_t>(i)];
            if (!ImGui::Selectable(label(fork).c_str(), fork.number == chosen)) continue;
            desk.go_to_event(fork.begin.event);
            desk.open_story(fork.number);
        }
    ImGui::EndCombo();
}

}  // namespace

void draw_story(Desk& desk) {
    choose_fork(desk);
    if (desk.chosen_fork() == 0) {
        put(desk.colours.dim, "Click a fork in the tasks' panel, or press Page Down for the next one");
        return;
    }
    const Story* story = desk.story();
    if (story == nullptr) {
        put(desk.colours.dim,
            fmt::format("The story is read from the log: {:.0f}%", desk.story_progress() * 100));
        return;
    }
    put_small(desk, desk.colours.dim, story->subtitle);
    for (const SideBar& side : story->sides) draw_side(desk, side);
    ImGui::Separator();
    ImGui::PushStyleColor(ImGuiCol_ChildBg, 0);
    std::optional<uint64_t> go;
    if (ImGui::BeginChild("steps", {0, 0})) {
        // To the latest step that has happened, when another moment is shown.
        const bool moved = std::exchange(desk.story_shown, desk.log().revision()) != desk.log().revision();
        for (size_t i = 0; i < story->steps.size(); ++i) {
            draw_step(desk, *story, story->steps[i], static_cast<int>(i), go);
            const bool next_is_future =
                i + 1 < story->steps.size() && story->steps[i + 1].event >= desk.log().at();
            if (moved && next_is_future && story->steps[i].event < desk.log().at())
                ImGui::SetScrollHereY(0.6f);
        }
        if (story->steps_left_out != 0)
            put(desk.colours.dim, fmt::format("and {} more", tools::grouped(story->steps_left_out)));
    }
    ImGui::EndChild();
    ImGui::PopStyleColor();
    if (go) desk.go_to_event(*go);
}

}  // namespace forkscope::panels
