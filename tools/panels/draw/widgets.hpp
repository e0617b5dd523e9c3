// Small things that several panels draw.
#pragma once

#include <string_view>

#include "tools/panels/draw/desk.hpp"

namespace forkscope::panels {

void put(ImU32 colour, std::string_view text);
void put_mono(const Desk& desk, ImU32 colour, std::string_view text);
void put_small(const Desk& desk, ImU32 colour, std::string_view text);
// Height of a line of this font, in units of the screen.
[[nodiscard]] inline float line_of(const ImFont* font) {
    return font->FontSize * ImGui::GetIO().FontGlobalScale;
}
// At a place of the screen.
void draw_text(ImFont* font, ImVec2 at, ImU32 colour, std::string_view text);
[[nodiscard]] ImVec2 text_size(ImFont* font, std::string_view text);

// The edge of a rectangle, in as many pixels, by four rectangles: quick wherever it is drawn.
void draw_edge(ImVec2 from, ImVec2 to, ImU32 colour, float width);

// The bits of an entry, each in a place of its own: a letter where one is set, a dot where it is clear. Those
// in `changed` stand on a coloured ground.
void put_bits(const Desk& desk, uint64_t bits, uint64_t changed);

// A tooltip of some lines, wrapped.
void tip(std::string_view text);
void begin_tip();
void end_tip();

// A row of a table that can be clicked; true: it was. The table's other cells follow on the same row.
[[nodiscard]] bool row_button(int id, bool chosen);

[[nodiscard]] inline ImVec2 operator+(ImVec2 a, ImVec2 b) { return {a.x + b.x, a.y + b.y}; }

}  // namespace forkscope::panels
