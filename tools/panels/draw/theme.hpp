// Colours, dark and light. What is told by colour is told by a shape or a letter as well, and the colours are
// those of Okabe and Ito ("Color Universal Design", 2008), which people with any colour vision can tell
// apart.
#pragma once

#include <imgui.h>

#include <array>
#include <cstdint>

#include "emu/log/event.hpp"
#include "tools/panels/model/frame_map.hpp"

namespace forkscope::panels {

enum class Theme : uint8_t { Dark, Light };

struct Palette {
    Theme theme = Theme::Dark;
    ImU32 back = 0;   // of the window
    ImU32 panel = 0;  // of a panel
    ImU32 line = 0;   // borders, rulers
    ImU32 text = 0;
    ImU32 dim = 0;      // text that matters less
    ImU32 accent = 0;   // the present moment, what is chosen
    ImU32 glow = 0;     // what changed lately
    ImU32 warning = 0;  // mistakes, stale entries
    ImU32 good = 0;
    ImU32 shared = 0;  // frames in several spaces
    ImU32 table = 0;   // page tables
    ImU32 kernel = 0;  // frames of the kernel's own
    ImU32 cache = 0;   // page cache
    std::array<ImU32, 5> tasks{};

    [[nodiscard]] ImU32 of_task(uint32_t tid) const { return tid == 0 ? kernel : tasks[tid % tasks.size()]; }
    [[nodiscard]] ImU32 of_kind(log::EventKind kind) const;
};

[[nodiscard]] Palette palette_of(Theme theme);

// The same colour, as strong as alpha says, 0..1.
[[nodiscard]] ImU32 faded(ImU32 colour, float alpha);
[[nodiscard]] ImVec4 vec(ImU32 colour);

// How much is spent on edges: where the processor draws, smooth ones cost more than all else.
enum class Finish : uint8_t { Smooth, Quick };

// Sets ImGui's own colours and sizes; `scale` is 1 on an ordinary screen.
void apply_theme(const Palette& palette, float scale, Finish finish);

struct Fonts {
    ImFont* text = nullptr;
    ImFont* mono = nullptr;
    ImFont* small = nullptr;
    ImFont* title = nullptr;
};
// Puts the fonts into ImGui's atlas: DejaVu where it is installed, else the one that ImGui brings.
[[nodiscard]] Fonts load_fonts(float scale);

}  // namespace forkscope::panels
