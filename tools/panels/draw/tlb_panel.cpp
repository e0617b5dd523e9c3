// What the TLB could hold; what is stale comes first and stands out.
#include <fmt/format.h>

#include "tools/log/text/numbers.hpp"
#include "tools/panels/draw/panels.hpp"
#include "tools/panels/draw/widgets.hpp"

namespace forkscope::panels {

namespace {

using analysis::Agreement;

struct Verdict {
    const char* mark;
    const char* text;
    ImU32 colour;
};

[[nodiscard]] Verdict verdict_of(const Palette& p, Agreement agreement) {
    switch (agreement) {
        case Agreement::Stale:
            return {"✖",
                    "stale: the tables allow less now, or lead elsewhere; a flush is due before it is used",
                    p.warning};
        case Agreement::Stronger:
            return {"△", "weaker than the tables: the CPU asks again, no flush is needed", p.glow};
        case Agreement::Same:
            break;
    }
    return {"", "as the tables say", p.dim};
}

void draw_line(Desk& desk, const TlbLine& line, int id, std::optional<uint64_t>& go) {
    const Verdict verdict = verdict_of(desk.colours, line.row.agreement);
    ImGui::TableNextRow();
    if (line.row.agreement == Agreement::Stale)
        ImGui::TableSetBgColor(ImGuiTableBgTarget_RowBg1, faded(desk.colours.warning, 0.25f));
    ImGui::TableNextColumn();
    if (row_button(id, false)) go = line.row.first.number;
    if (ImGui::IsItemHovered()) {
        begin_tip();
        put(verdict.colour, verdict.text);
        if (!line.tables.empty()) put_mono(desk, desk.colours.text, "tables: " + line.tables);
        put_small(desk, desk.colours.dim, "Click: go to the fill");
        end_tip();
    }
    ImGui::SameLine(0, 0);
    put(verdict.colour, verdict.mark);
    ImGui::TableNextColumn();
    put_mono(desk, desk.colours.text, line.pages);
    ImGui::TableNextColumn();
    put_bits(desk, line.row.first.fill.a, 0);
    ImGui::TableNextColumn();
    put(desk.colours.dim, line.space);
    ImGui::TableNextColumn();
    put_mono(desk, desk.colours.dim, line.target);
}

}  // namespace

void draw_tlb(Desk& desk) {
    const TlbList& list = desk.tlb();
    const auto count = [&list](Agreement how) { return list.by_agreement[static_cast<size_t>(how)]; };
    const uint64_t stale = count(Agreement::Stale);
    put(stale == 0 ? desk.colours.good : desk.colours.warning,
        stale == 0 ? "nothing stale" : fmt::format("✖ {} stale", tools::grouped(stale)));
    ImGui::SameLine();
    const uint64_t all = stale + count(Agreement::Stronger) + count(Agreement::Same);
    put(desk.colours.dim, fmt::format("of {} · {} weaker than the tables", tools::counted(all, "translation"),
                                      tools::grouped(count(Agreement::Stronger))));
    if (ImGui::IsItemHovered())
        tip("Every translation that the CPU may have kept: no flush has covered it since");
    constexpr ImGuiTableFlags kFlags = ImGuiTableFlags_ScrollY | ImGuiTableFlags_ScrollX |
                                       ImGuiTableFlags_RowBg | ImGuiTableFlags_NoSavedSettings;
    if (!ImGui::BeginTable("tlb", 5, kFlags)) return;
    for (const char* name : {"state", "addresses", "bits", "space", "lead to"})
        ImGui::TableSetupColumn(name, ImGuiTableColumnFlags_WidthFixed);
    std::optional<uint64_t> go;
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(list.lines.size()));
    while (clipper.Step())
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i)
            draw_line(desk, list.lines[static_cast<size_t>(i)], i, go);
    ImGui::EndTable();
    if (go) desk.go_to_event(*go);
}

}  // namespace forkscope::panels
