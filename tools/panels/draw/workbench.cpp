// Arranging the panels.
#include "tools/panels/draw/workbench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/panels/draw/widgets.hpp"

namespace forkscope::panels {

namespace {

void draw_panel(Desk& desk, Panel panel) {
    switch (panel) {
        case Panel::Tasks:
            return draw_tasks(desk);
        case Panel::Tables:
            return draw_tables(desk);
        case Panel::Frames:
            return draw_frames(desk);
        case Panel::Events:
            return draw_events(desk);
        case Panel::Story:
            return draw_story(desk);
        case Panel::Tlb:
            return draw_tlb(desk);
        case Panel::Counters:
            return draw_counters(desk);
        case Panel::All:
            return;
    }
}

[[nodiscard]] const char* title_of(Panel panel) { return kPanelNames[static_cast<size_t>(panel)].title; }

constexpr ImGuiWindowFlags kTileFlags = ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse;

}  // namespace

template <typename Draw>
void Workbench::tile(const char* id, ImVec2 size, Panel panel, Draw&& draw) {
    if (ImGui::BeginChild(id, size, true, kTileFlags | ImGuiWindowFlags_AlwaysUseWindowPadding)) {
        ImGui::PushFont(desk_.fonts.title);
        put(desk_.colours.text, title_of(panel));
        ImGui::PopFont();
        if (ImGui::IsItemHovered())
            tip(fmt::format("Click, or key {}: alone on the screen", static_cast<int>(panel)));
        if (ImGui::IsItemClicked()) panel_ = panel;
        draw();
    }
    ImGui::EndChild();
}

void Workbench::draw() {
    desk_.follow();
    const ImGuiIO& io = ImGui::GetIO();
    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize(io.DisplaySize);
    constexpr ImGuiWindowFlags kFlags =
        ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings |
        ImGuiWindowFlags_NoBringToFrontOnFocus | ImGuiWindowFlags_NoScrollWithMouse;
    ImGui::PushFont(desk_.fonts.text);
    if (ImGui::Begin("workbench", nullptr, kFlags)) {
        draw_head();
        const float bar = 44 * desk_.scale;
        const float bottom = ImGui::GetContentRegionAvail().y - bar - ImGui::GetStyle().ItemSpacing.y;
        panel_ == Panel::All ? draw_all(bottom) : draw_alone(bottom);
        ImGui::PushStyleColor(ImGuiCol_ChildBg, 0);
        if (ImGui::BeginChild("bar", {0, 0}, false, kTileFlags)) draw_time_bar(desk_);
        ImGui::EndChild();
        ImGui::PopStyleColor();
    }
    ImGui::End();
    if (help_) draw_help();
    ImGui::PopFont();
}

void Workbench::draw_head() {
    ImGui::AlignTextToFramePadding();
    ImGui::PushFont(desk_.fonts.title);
    put(desk_.colours.accent, "Forkscope");
    ImGui::PopFont();
    ImGui::SameLine();
    put(desk_.colours.dim, desk_.title());
    if (const log::Damage& damage = desk_.log().reader().damage(); !damage.none()) {
        ImGui::SameLine();
        put(desk_.colours.warning, "✖ not whole");
        if (ImGui::IsItemHovered()) tip(damage.describe());
    }
    ImGui::SameLine(0, 20 * desk_.scale);
    for (size_t i = 0; i < kPanels; ++i) {
        const bool chosen = panel_ == static_cast<Panel>(i);
        ImGui::PushStyleColor(ImGuiCol_Button, chosen ? faded(desk_.colours.accent, 0.3f) : 0);
        if (ImGui::Button(kPanelNames[i].title)) panel_ = static_cast<Panel>(i);
        ImGui::PopStyleColor();
        if (ImGui::IsItemHovered()) tip(fmt::format("Key {}", i));
        ImGui::SameLine(0, 2);
    }
    const std::string when =
        desk_.log().all_read()
            ? desk_.log().when()
            : fmt::format("{} · reading {:.0f}%", desk_.log().when(),
                          100.0 * static_cast<double>(desk_.log().read_events()) /
                              static_cast<double>(std::max<uint64_t>(desk_.log().event_count(), 1)));
    const char* theme = desk_.colours.theme == Theme::Dark ? "light" : "dark";
    const float right = ImGui::GetWindowContentRegionMax().x;
    const float buttons = ImGui::CalcTextSize(theme).x + ImGui::CalcTextSize("?").x + 48 * desk_.scale;
    const float x = right - buttons - ImGui::CalcTextSize(when.c_str()).x;
    if (x > ImGui::GetCursorPosX()) {
        ImGui::SameLine(x);
        put(desk_.colours.text, when);
    }
    ImGui::SameLine(right - buttons + 12 * desk_.scale);
    if (ImGui::Button(theme)) obey(Command::ToggleTheme);
    if (ImGui::IsItemHovered()) tip("The other theme (T)");
    ImGui::SameLine(0, 4);
    if (ImGui::Button("?")) help_ = !help_;
    if (ImGui::IsItemHovered()) tip("Keys and mouse (F1)");
}

void Workbench::events_and_story(ImVec2 size) {
    if (!ImGui::BeginChild("happened", size, true, kTileFlags | ImGuiWindowFlags_AlwaysUseWindowPadding)) {
        ImGui::EndChild();
        return;
    }
    if (ImGui::BeginTabBar("which")) {
        if (ImGui::BeginTabItem(title_of(Panel::Events))) {
            const float card = std::min(ImGui::GetContentRegionAvail().y * 0.45f, 175 * desk_.scale);
            ImGui::PushStyleColor(ImGuiCol_ChildBg, 0);
            ImGui::BeginChild("list", {0, -card - 6});
            draw_events(desk_);
            ImGui::EndChild();
            ImGui::Separator();
            ImGui::BeginChild("card", {0, 0});
            draw_event_card(desk_);
            ImGui::EndChild();
            ImGui::PopStyleColor();
            ImGui::EndTabItem();
        }
        const ImGuiTabItemFlags flags =
            std::exchange(desk_.story_wanted, false) ? ImGuiTabItemFlags_SetSelected : ImGuiTabItemFlags_None;
        if (ImGui::BeginTabItem(title_of(Panel::Story), nullptr, flags)) {
            draw_story(desk_);
            ImGui::EndTabItem();
        }
        ImGui::EndTabBar();
    }
    ImGui::EndChild();
}

void Workbench::draw_all(float bottom) {
    const ImVec2 gap = ImGui::GetStyle().ItemSpacing;
    const float width = ImGui::GetContentRegionAvail().x - gap.x;
    const float upper = std::floor((bottom - gap.y) * 0.42f);
    const float lower = bottom - upper - gap.y;
    const float left = std::floor(width * 0.60f);
    tile("tasks", {left, upper}, Panel::Tasks, [this] { draw_tasks(desk_); });
    ImGui::SameLine();
    tile("frames", {0, upper}, Panel::Frames, [this] { draw_frames(desk_); });
    const float third = std::floor((width - gap.x) * 0.40f);
    tile("tables", {third, lower}, Panel::Tables, [this] { draw_tables(desk_); });
    ImGui::SameLine();
    events_and_story({std::floor((width - gap.x) * 0.32f), lower});
    ImGui::SameLine();
    ImGui::BeginGroup();
    const float tlb = std::floor((lower - gap.y) * 0.44f);
    tile("tlb", {0, tlb}, Panel::Tlb, [this] { draw_tlb(desk_); });
    tile("counters", {0, lower - tlb - gap.y}, Panel::Counters, [this] { draw_counters(desk_); });
    ImGui::EndGroup();
}

void Workbench::draw_alone(float bottom) {
    if (panel_ == Panel::Events || panel_ == Panel::Tables) {
        // Beside it the event that stands there now, in full.
        const float card = std::min(ImGui::GetContentRegionAvail().x * 0.36f, 460 * desk_.scale);
        const float left = ImGui::GetContentRegionAvail().x - card - ImGui::GetStyle().ItemSpacing.x;
        tile("alone", {left, bottom}, panel_, [this] { draw_panel(desk_, panel_); });
        ImGui::SameLine();
        if (ImGui::BeginChild("card", {0, bottom}, true)) draw_event_card(desk_);
        ImGui::EndChild();
        return;
    }
    tile("alone", {0, bottom}, panel_, [this] { draw_panel(desk_, panel_); });
}

void Workbench::play(double seconds) {
    if (!desk_.playing) return;
    constexpr double kEventsASecond = 120;
    to_play_ += seconds * kEventsASecond;
    const auto events = static_cast<int>(to_play_);
    if (events <= 0) return;
    to_play_ -= events;
    const uint64_t before = desk_.log().at();
    desk_.step(events);
    if (desk_.log().at() == before) desk_.playing = false;
}

void Workbench::change_scale(float factor) {
    desk_.scale = std::clamp(desk_.scale * factor, 0.6f, 4.0f);
    rescale_ = true;
}

void Workbench::show_neighbour(int step) {
    panel_ = static_cast<Panel>((static_cast<int>(panel_) + step + static_cast<int>(kPanels)) %
                                static_cast<int>(kPanels));
}

}  // namespace forkscope::panels
