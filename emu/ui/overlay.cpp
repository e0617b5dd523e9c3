#include "emu/ui/overlay.hpp"

#include <imgui.h>

#include <utility>

#include "emu/ui/host_keys.hpp"

namespace forkscope::ui {

namespace {

constexpr std::chrono::seconds kNoticeTime{4};
constexpr ImGuiWindowFlags kPassive = ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_AlwaysAutoResize |
                                      ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoInputs |
                                      ImGuiWindowFlags_NoNav | ImGuiWindowFlags_NoFocusOnAppearing;

// A box at a place of the window, as shares of its size; the same point of the box lies there.
bool begin_box(const char* name, ImVec2 at) {
    const ImVec2 size = ImGui::GetIO().DisplaySize;
    constexpr float kMargin = 12;
    ImGui::SetNextWindowPos(
        {kMargin + (size.x - 2 * kMargin) * at.x, kMargin + (size.y - 2 * kMargin) * at.y}, ImGuiCond_Always,
        at);
    ImGui::SetNextWindowBgAlpha(0.94f);
    return ImGui::Begin(name, nullptr, kPassive);
}

void draw_help() {
    if (begin_box("##help", {0.5f, 0.5f})) {
        ImGui::TextUnformatted("Keys of this window");
        ImGui::Separator();
        if (ImGui::BeginTable("##keys", 2, ImGuiTableFlags_SizingFixedFit)) {
            for (const HostKey& key : host_keys()) {
                ImGui::TableNextColumn();
                ImGui::Text("Ctrl-Alt-%s", key.name);
                ImGui::TableNextColumn();
                ImGui::TextUnformatted(key.does);
            }
            ImGui::EndTable();
        }
        ImGui::Separator();
        ImGui::TextUnformatted(
            "All other keys are the guest's. Dragging the mouse marks text; the middle button types it.");
    }
    ImGui::End();
}

void draw_line(const char* name, const std::string& text, ImVec2 at) {
    if (begin_box(name, at)) ImGui::TextUnformatted(text.c_str());
    ImGui::End();
}

}  // namespace

void Overlay::notice(std::string text) {
    notice_ = std::move(text);
    notice_until_ = Clock::now() + kNoticeTime;
}

bool Overlay::has_expired() {
    if (notice_.empty() || Clock::now() < notice_until_) return false;
    notice_.clear();
    return true;
}

void Overlay::draw() {
    if (!outcome_.empty()) draw_line("##outcome", outcome_, {0.5f, 1});
    if (!notice_.empty()) draw_line("##notice", notice_, {1, 0});
    if (help_) draw_help();
}

}  // namespace forkscope::ui
