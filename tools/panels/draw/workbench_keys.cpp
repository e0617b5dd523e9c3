// What the keys do to the workbench, and the page that tells of them.
#include <array>

#include "tools/panels/draw/widgets.hpp"
#include "tools/panels/draw/workbench.hpp"

namespace forkscope::panels {

void Workbench::obey(Command command) {
    constexpr int kFar = 100;  // events
    constexpr double kZoom = 0.6;
    switch (command) {
        case Command::None:
            return;
        case Command::Quit:
            if (help_) {
                help_ = false;
            } else {
                quit_ = true;
            }
            return;
        case Command::Forward:
            return desk_.step(1);
        case Command::Back:
            return desk_.step(-1);
        case Command::FarForward:
            return desk_.step(kFar);
        case Command::FarBack:
            return desk_.step(-kFar);
        case Command::NextFork:
            return desk_.go_to_fork(true);
        case Command::PreviousFork:
            return desk_.go_to_fork(false);
        case Command::NextMistake:
            return desk_.go_to_mistake(true);
        case Command::PreviousMistake:
            return desk_.go_to_mistake(false);
        case Command::Start:
            return desk_.log().go_to(0);
        case Command::End:
            return desk_.log().go_to(desk_.log().read_events());
        case Command::Play:
            desk_.playing = !desk_.playing;
            return;
        case Command::NextSpace:
            return desk_.choose_next_space(1);
        case Command::PreviousSpace:
            return desk_.choose_next_space(-1);
        case Command::NextPanel:
            return show_neighbour(1);
        case Command::PreviousPanel:
            return show_neighbour(-1);
        case Command::ShowAll:
        case Command::Show1:
        case Command::Show2:
        case Command::Show3:
        case Command::Show4:
        case Command::Show5:
        case Command::Show6:
        case Command::Show7:
            panel_ = static_cast<Panel>(static_cast<int>(command) - static_cast<int>(Command::ShowAll));
            return;
        case Command::ZoomIn:
            return desk_.zoom_range(kZoom, desk_.log().now().icount());
        case Command::ZoomOut:
            return desk_.zoom_range(1 / kZoom, desk_.log().now().icount());
        case Command::ZoomAll:
            return desk_.show_all_time();
        case Command::Larger:
            return change_scale(1.1f);
        case Command::Smaller:
            return change_scale(1 / 1.1f);
        case Command::ToggleTheme:
            desk_.colours = palette_of(desk_.colours.theme == Theme::Dark ? Theme::Light : Theme::Dark);
            apply_theme(desk_.colours, desk_.scale, desk_.finish);
            return;
        case Command::ToggleKernelHalf:
            return desk_.choose_kernel_half(!desk_.tree_choice().kernel);
        case Command::Help:
            help_ = !help_;
            return;
    }
}

void Workbench::draw_help() {
    struct Line {
        const char* key;
        const char* what;
    };
    constexpr std::array<Line, 16> kLines = {{
        {"Left, Right", "one event back, or on (of the kinds that the list of events shows)"},
        {"Shift+Left, Shift+Right", "100 events"},
        {"Page Up, Page Down", "the fork before, or the next one, with its story"},
        {"Home, End", "before the first event, after the last one"},
        {"Space", "play"},
        {"N, B", "the next mistake that a check found, or the one before"},
        {"0", "all panels"},
        {"1 to 7", "one panel alone; Tab goes through them"},
        {"Up, Down", "the page tables of another address space"},
        {"K", "the kernel's half of the page tables"},
        {"I, O, A", "zoom time in, out, all"},
        {"+, -", "larger, smaller"},
        {"T", "dark, light"},
        {"F1", "this page"},
        {"Escape, Ctrl+Q", "close"},
        {"Mouse", "everything can be clicked: events, forks, entries, frames; the wheel zooms time"},
    }};
    const ImGuiIO& io = ImGui::GetIO();
    ImGui::SetNextWindowPos({io.DisplaySize.x / 2, io.DisplaySize.y / 2}, ImGuiCond_Always, {0.5f, 0.5f});
    ImGui::PushStyleColor(ImGuiCol_WindowBg, desk_.colours.panel);
    ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, 2);
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {18 * desk_.scale, 14 * desk_.scale});
    constexpr ImGuiWindowFlags kFlags =
        ImGuiWindowFlags_AlwaysAutoResize | ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoSavedSettings;
    if (ImGui::Begin("keys", nullptr, kFlags)) {
        ImGui::PushFont(desk_.fonts.title);
        put(desk_.colours.accent, "Keys");
        ImGui::PopFont();
        if (ImGui::BeginTable("lines", 2, ImGuiTableFlags_SizingFixedFit)) {
            for (const Line& line : kLines) {
                ImGui::TableNextRow();
                ImGui::TableNextColumn();
                put_mono(desk_, desk_.colours.text, line.key);
                ImGui::TableNextColumn();
                put(desk_.colours.dim, line.what);
            }
            ImGui::EndTable();
        }
    }
    ImGui::End();
    ImGui::PopStyleVar(2);
    ImGui::PopStyleColor();
}

}  // namespace forkscope::panels
