// The page tables of one address space: a tree whose entries glow when they have just changed.
#include <fmt/format.h>

#include "tools/log/text/numbers.hpp"
#include "tools/panels/draw/panels.hpp"
#include "tools/panels/draw/widgets.hpp"

namespace forkscope::panels {

namespace {

struct GlowChoice {
    uint64_t events;
    const char* label;
};
constexpr std::array<GlowChoice, 5> kGlows = {{{1, "the last event"},
                                               {50, "the last 50 events"},
                                               {300, "the last 300 events"},
                                               {1000, "the last 1,000 events"},
                                               {RecentEvents::kMost, "the last 8,192 events"}}};

void choose_space(Desk& desk, const TreeModel& model) {
    ImGui::SetNextItemWidth(ImGui::GetFontSize() * 15);
    if (ImGui::BeginCombo("##space", model.label.empty() ? "no address space yet" : model.label.c_str())) {
        for (const TreeSpace& space : model.spaces)
            if (ImGui::Selectable(fmt::format("{}  (root {:x})", space.label, space.root).c_str(),
                                  space.root == model.root))
                desk.choose_space(space.root);
        ImGui::EndCombo();
    }
    if (ImGui::IsItemHovered())
        tip("Whose page tables: an address space, by the task that lives in it (Up, Down)");
}

void choose_glow(Desk& desk) {
    const uint64_t window = desk.tree_choice().glow_window;
    const char* label = kGlows[3].label;
    for (const GlowChoice& glow : kGlows)
        if (glow.events == window) label = glow.label;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float side = ImGui::GetFrameHeight() * 0.45f;
    const float middle = at.y + ImGui::GetFrameHeight() / 2;
    ImGui::GetWindowDrawList()->AddRectFilled({at.x, middle - side / 2}, {at.x + side, middle + side / 2},
                                              faded(desk.colours.glow, 0.8f), 3);
    ImGui::Dummy({side, side});
    ImGui::SameLine();
    ImGui::SetNextItemWidth(ImGui::GetFontSize() * 12);
    if (ImGui::BeginCombo("##glow", label)) {
        for (const GlowChoice& glow : kGlows)
            if (ImGui::Selectable(glow.label, glow.events == window)) desk.choose_glow(glow.events);
        ImGui::EndCombo();
    }
    if (ImGui::IsItemHovered()) tip("Entries that changed in these events glow, the latest the brightest");
}

void explain(Desk& desk, const TreeRow& row) {
    begin_tip();
    ImGui::PushFont(desk.fonts.mono);
    put(desk.colours.text, fmt::format("{}{}", row.row.links ? "table for " : "", row.text));
    put(desk.colours.dim, row.target);
    ImGui::PopFont();
    ImGui::Separator();
    ImGui::PushFont(desk.fonts.mono);
    put(desk.colours.text, explain_entry(row.row.bits, row.row.level));
    ImGui::PopFont();
    if (!row.shared.empty()) put(desk.colours.shared, "shared " + row.shared);
    if (row.changed != 0) {
        ImGui::Separator();
        put(desk.colours.glow, fmt::format("{} changed lately: {}",
                                           tools::counted(row.changed, "entry", "entries"), row.change));
    }
    put_small(desk, desk.colours.dim,
              row.changed != 0 ? "Click: go to that event" : "Click: go to the last write of this entry");
    end_tip();
}

// Where a row stands in the tree, and what it is.
void first_cell(Desk& desk, const TreeRow& row) {
    const float step = 12 * desk.scale;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImDrawList& draw = *ImGui::GetWindowDrawList();
    const float height = ImGui::GetTextLineHeightWithSpacing();
    for (unsigned d = 1; d <= row.row.depth; ++d) {
        const float x = at.x + (static_cast<float>(d) - 0.5f) * step;
        draw.AddLine({x, at.y - 2}, {x, at.y + height - 2}, faded(desk.colours.line, 0.9f));
    }
    ImGui::Dummy({static_cast<float>(row.row.depth) * step, 1});
    ImGui::SameLine(0, 0);
    const ImVec2 mark = ImGui::GetCursorScreenPos();
    const float side = 7 * desk.scale;
    const float top = mark.y + (line_of(desk.fonts.mono) - side) / 2;
    if (row.row.links) {
        draw.AddRectFilled({mark.x, top}, {mark.x + side, top + side}, desk.colours.table, 1);
    } else {
        const ImU32 colour = row.shared.empty() ? desk.colours.dim : desk.colours.shared;
        draw.AddCircleFilled({mark.x + side / 2, top + side / 2}, side / 2, colour);
    }
    ImGui::Dummy({side, side});
    ImGui::SameLine(0, 5 * desk.scale);
    put_mono(desk, row.row.links ? desk.colours.dim : desk.colours.text, row.text);
}

void draw_row(Desk& desk, const TreeRow& row, int id) {
    ImGui::TableNextRow();
    if (row.glow > 0) {
        const float strength = 0.12f + 0.5f * row.glow;
        ImGui::TableSetBgColor(ImGuiTableBgTarget_RowBg1, faded(desk.colours.glow, strength));
    }
    ImGui::TableNextColumn();
    const bool clicked = row_button(id, false);
    if (ImGui::IsItemHovered()) explain(desk, row);
    ImGui::SameLine(0, 0);
    first_cell(desk, row);
    ImGui::TableNextColumn();
    put_mono(desk,
             row.glow > 0    ? desk.colours.text
             : row.row.links ? desk.colours.table
                             : desk.colours.dim,
             row.target);
    ImGui::TableNextColumn();
    put_bits(desk, row.row.bits, 0);
    ImGui::TableNextColumn();
    if (row.changed != 0)
        put(desk.colours.text,
            row.row.count == 1 ? row.change : fmt::format("{} ×{}", row.change, row.changed));
    if (!row.shared.empty()) {
        if (row.changed != 0) ImGui::SameLine();
        put(desk.colours.shared, row.shared);
    }
    if (!row.code.empty()) {
        if (row.changed != 0 || !row.shared.empty()) ImGui::SameLine();
        put(desk.colours.dim, row.code);
    }
    if (!clicked) return;
    if (row.changed != 0) {
        desk.go_to_event(row.event);
    } else if (row.entry != 0) {
        desk.go_to_write_of(row.entry);
    }
}

void gone_entries(Desk& desk, const TreeModel& model) {
    if (model.gone.empty()) return;
    put_small(
        desk, desk.colours.dim,
        fmt::format("{} cleared lately", tools::counted(model.gone.size(), "entry was", "entries were")));
    constexpr size_t kShown = 3;
    for (size_t i = 0; i < std::min(kShown, model.gone.size()); ++i) {
        ImGui::PushID(static_cast<int>(i));
        if (ImGui::Selectable("##gone", false)) desk.go_to_event(model.gone[i].number);
        ImGui::SameLine(0, 0);
        put_mono(desk, faded(desk.colours.text, 0.5f + 0.5f * model.gone[i].glow), model.gone[i].text);
        ImGui::PopID();
    }
}

void draw_rows(Desk& desk, const TreeModel& model) {
    constexpr ImGuiTableFlags kFlags = ImGuiTableFlags_ScrollY | ImGuiTableFlags_Resizable |
                                       ImGuiTableFlags_BordersInnerV | ImGuiTableFlags_NoSavedSettings;
    const float below = model.gone.empty() ? 0 : ImGui::GetTextLineHeightWithSpacing() * 4.2f;
    if (!ImGui::BeginTable("tree", 4, kFlags, {0, -below - 1})) return;
    const float letter = text_size(desk.fonts.mono, "W").x;
    ImGui::TableSetupScrollFreeze(0, 1);
    ImGui::TableSetupColumn("addresses", ImGuiTableColumnFlags_WidthFixed, letter * 34);
    ImGui::TableSetupColumn("lead to", ImGuiTableColumnFlags_WidthFixed, letter * 18);
    ImGui::TableSetupColumn("bits", ImGuiTableColumnFlags_WidthFixed, letter * 11);
    ImGui::TableSetupColumn("what changed, who shares");
    ImGui::TableHeadersRow();
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(model.rows.size()));
    // A click changes the model that is being drawn: the rest of the rows is drawn with the next frame.
    const uint64_t revision = desk.log().revision();
    while (clipper.Step())
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd && desk.log().revision() == revision; ++i)
            draw_row(desk, model.rows[static_cast<size_t>(i)], i);
    ImGui::EndTable();
}

}  // namespace

void draw_tables(Desk& desk) {
    const TreeModel& model = desk.tree();
    choose_space(desk, model);
    ImGui::SameLine();
    choose_glow(desk);
    ImGui::SameLine();
    bool kernel = desk.tree_choice().kernel;
    if (ImGui::Checkbox("kernel half", &kernel)) desk.choose_kernel_half(kernel);
    const TreeModel& chosen = desk.tree();
    put_small(desk, desk.colours.dim,
              fmt::format("{} · {} mapped by {}{}", tools::counted(chosen.size.tables_in_all(), "page table"),
                          tools::bytes_text(chosen.size.bytes),
                          tools::counted(chosen.size.leaves, "entry", "entries"),
                          chosen.rows_left_out == 0
                              ? ""
                              : fmt::format(" · {} rows left out", tools::grouped(chosen.rows_left_out))));
    draw_rows(desk, chosen);
    gone_entries(desk, desk.tree());
}

}  // namespace forkscope::panels
