// The panels. Each draws itself into the ImGui window that is open, filling what is left of it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tools/panels/draw/desk.hpp"

namespace forkscope::panels {

enum class Panel : uint8_t { All, Tasks, Tables, Frames, Events, Story, Tlb, Counters };
inline constexpr size_t kPanels = 8;

struct PanelName {
    const char* name;   // on the command line
    const char* title;  // on the screen
};
inline constexpr std::array<PanelName, kPanels> kPanelNames = {{{"all", "All"},
                                                                {"tasks", "Tasks in time"},
                                                                {"tables", "Page tables"},
                                                                {"frames", "Frames"},
                                                                {"events", "Events"},
                                                                {"story", "Fork story"},
                                                                {"tlb", "TLB"},
                                                                {"counters", "Counters"}}};
[[nodiscard]] constexpr std::optional<Panel> panel_named(std::string_view name) {
    for (size_t i = 0; i < kPanels; ++i)
        if (kPanelNames[i].name == name) return static_cast<Panel>(i);
    return std::nullopt;
}

void draw_tasks(Desk& desk);
void draw_tables(Desk& desk);
void draw_frames(Desk& desk);
void draw_events(Desk& desk);
void draw_event_card(Desk& desk);
void draw_story(Desk& desk);
void draw_tlb(Desk& desk);
void draw_counters(Desk& desk);

// The bar with which one goes through time.
void draw_time_bar(Desk& desk);

}  // namespace forkscope::panels
