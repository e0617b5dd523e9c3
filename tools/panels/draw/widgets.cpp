// Drawing small things.
#include "tools/panels/draw/widgets.hpp"

#include <array>

#include "emu/log/entry_bits.hpp"

namespace forkscope::panels {

void put(ImU32 colour, std::string_view text) {
    ImGui::PushStyleColor(ImGuiCol_Text, colour);
    ImGui::TextUnformatted(text.data(), text.data() + text.size());
    ImGui::PopStyleColor();
}

void put_mono(const Desk& desk, ImU32 colour, std::string_view text) {
    ImGui::PushFont(desk.fonts.mono);
    put(colour, text);
    ImGui::PopFont();
}

void put_small(const Desk& desk, ImU32 colour, std::string_view text) {
    ImGui::PushFont(desk.fonts.small);
    put(colour, text);
    ImGui::PopFont();
}

void draw_text(ImFont* font, ImVec2 at, ImU32 colour, std::string_view text) {
    ImGui::GetWindowDrawList()->AddText(font, line_of(font), at, colour, text.data(),
                                        text.data() + text.size());
}

ImVec2 text_size(ImFont* font, std::string_view text) {
    return font->CalcTextSizeA(line_of(font), 1e9f, 0, text.data(), text.data() + text.size());
}

void draw_edge(ImVec2 from, ImVec2 to, ImU32 colour, float width) {
    ImDrawList& draw = *ImGui::GetWindowDrawList();
    draw.AddRectFilled(from, {to.x, from.y + width}, colour);
    draw.AddRectFilled({from.x, to.y - width}, to, colour);
    draw.AddRectFilled({from.x, from.y + width}, {from.x + width, to.y - width}, colour);
    draw.AddRectFilled({to.x - width, from.y + width}, {to.x, to.y - width}, colour);
}

void put_bits(const Desk& desk, uint64_t bits, uint64_t changed) {
    struct Named {
        uint64_t mask;
        const char* name;
    };
    constexpr std::array<Named, 7> kBits = {{{log::kEntryPresent, "P"},
                                             {log::kEntryWritable, "W"},
                                             {log::kEntryUser, "U"},
                                             {log::kEntryAccessed, "A"},
                                             {log::kEntryDirty, "D"},
                                             {log::kEntryGlobal, "G"},
                                             {log::kEntryNoExecute, "NX"}}};
    ImFont* font = desk.fonts.mono;
    const float letter = text_size(font, "W").x;
    const ImVec2 start = ImGui::GetCursorScreenPos();
    ImVec2 at = start;
    for (const Named& bit : kBits) {
        const bool set = (bits & bit.mask) != 0;
        const float width = text_size(font, bit.name).x;
        if ((changed & bit.mask) != 0)
            ImGui::GetWindowDrawList()->AddRectFilled({at.x - 2, at.y},
                                                      {at.x + width + 2, at.y + line_of(font) + 1},
                                                      faded(desk.colours.glow, 0.75f), 3);
        const bool writable = set && bit.mask == log::kEntryWritable;
        draw_text(font, at,
                  writable ? desk.colours.good
                  : set    ? desk.colours.text
                           : faded(desk.colours.dim, 0.6f),
                  set ? bit.name : "·");
        at.x += width + letter * 0.45f;
    }
    ImGui::Dummy({at.x - start.x, line_of(font)});
}

void begin_tip() {
    ImGui::BeginTooltip();
    ImGui::PushTextWrapPos(ImGui::GetFontSize() * 38);
}

void end_tip() {
    ImGui::PopTextWrapPos();
    ImGui::EndTooltip();
}

void tip(std::string_view text) {
    begin_tip();
    ImGui::TextUnformatted(text.data(), text.data() + text.size());
    end_tip();
}

bool row_button(int id, bool chosen) {
    ImGui::PushID(id);
    const bool clicked = ImGui::Selectable("##row", chosen, ImGuiSelectableFlags_SpanAllColumns);
    ImGui::PopID();
    return clicked;
}

}  // namespace forkscope::panels
