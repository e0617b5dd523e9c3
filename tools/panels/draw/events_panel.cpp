// The last events, and the very last one in full.
#include <fmt/format.h>

#include <algorithm>

#include "emu/log/event_names.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/panels/draw/panels.hpp"
#include "tools/panels/draw/widgets.hpp"

namespace forkscope::panels {

namespace {

using log::EventKind;

void choose_kinds(Desk& desk) {
    TailFilter filter = desk.tail_filter();
    const bool all = (filter.kinds & log::kKnownKinds) == log::kKnownKinds;
    int count = 0;
    for (size_t i = 1; i < log::kKindNames.size(); ++i)
        count += (filter.kinds & log::mask_of(static_cast<EventKind>(i))) != 0 ? 1 : 0;
    if (ImGui::Button(all ? "all kinds" : fmt::format("{} kinds", count).c_str())) ImGui::OpenPopup("kinds");
    if (ImGui::IsItemHovered()) tip("Which kinds of events are listed; Left and Right step through these");
    if (!ImGui::BeginPopup("kinds")) return;
    if (ImGui::Button("all")) filter.kinds = log::kKnownKinds;
    ImGui::SameLine();
    if (ImGui::Button("none")) filter.kinds = 0;
    ImGui::SameLine();
    if (ImGui::Button("page tables"))
        filter.kinds = log::mask_of(EventKind::PteWrite) | log::mask_of(EventKind::TableLink) |
                       log::mask_of(EventKind::TableUnlink) | log::mask_of(EventKind::PteFound);
    ImGui::SameLine();
    if (ImGui::Button("faults and flushes"))
        filter.kinds = log::mask_of(EventKind::PageFault) | log::mask_of(EventKind::FaultResolved) |
                       log::mask_of(EventKind::Flush);
    for (size_t i = 1; i < log::kKindNames.size(); ++i) {
        const auto kind = static_cast<EventKind>(i);
        bool on = (filter.kinds & log::mask_of(kind)) != 0;
        put(desk.colours.of_kind(kind), "■");
        ImGui::SameLine();
        if (ImGui::Checkbox(std::string(log::kKindNames[i]).c_str(), &on)) filter.kinds ^= log::mask_of(kind);
    }
    ImGui::EndPopup();
    if (!(filter == desk.tail_filter())) desk.choose_tail(filter);
}

void choose_task(Desk& desk) {
    TailFilter filter = desk.tail_filter();
    const auto& tasks = desk.log().now().tasks();
    ImGui::SetNextItemWidth(ImGui::GetFontSize() * 12);
    const std::string label = filter.task == 0 ? "all tasks" : tasks.label(filter.task);
    if (ImGui::BeginCombo("##task", label.c_str())) {
        if (ImGui::Selectable("all tasks", filter.task == 0)) filter.task = 0;
        for (const analysis::Task& task : tasks.all()) {
            if (task.tid == 0) continue;
            const std::string name = analysis::party_label(task.tid, task.name, task.root);
            if (ImGui::Selectable(name.c_str(), filter.task == task.tid)) filter.task = task.tid;
        }
        ImGui::EndCombo();
    }
    if (!(filter == desk.tail_filter())) desk.choose_tail(filter);
}

void draw_line(Desk& desk, const TailLine& line, int id, std::optional<uint64_t>& go) {
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    const bool present = line.number + 1 == desk.log().at();
    if (row_button(id, present)) go = line.number;
    if (ImGui::IsItemHovered())
        tip(fmt::format("{}\n{}\nat instruction {}, {}", line.kind_name, line.text,
                        tools::grouped(line.icount), line.code.empty() ? "by no code" : line.code));
    ImGui::SameLine(0, 0);
    put_mono(desk, desk.colours.dim, fmt::format("{:>9}", tools::grouped(line.number)));
    ImGui::TableNextColumn();
    put(desk.colours.of_kind(line.kind), "■");
    ImGui::SameLine(0, 5 * desk.scale);
    put(desk.colours.text, line.kind_name);
    ImGui::TableNextColumn();
    put(desk.colours.dim, line.who);
    ImGui::TableNextColumn();
    put(desk.colours.text, line.text);
    if (!line.code.empty()) {
        ImGui::SameLine();
        put(desk.colours.dim, "· " + line.code);
    }
}

}  // namespace

void draw_events(Desk& desk) {
    choose_kinds(desk);
    ImGui::SameLine();
    choose_task(desk);
    const Tail& tail = desk.tail();
    ImGui::SameLine();
    ImGui::AlignTextToFramePadding();
    put_small(desk, desk.colours.dim,
              tail.hidden == 0 ? "" : fmt::format("{} in between are hidden", tools::grouped(tail.hidden)));
    constexpr ImGuiTableFlags kFlags = ImGuiTableFlags_ScrollY | ImGuiTableFlags_ScrollX |
                                       ImGuiTableFlags_RowBg | ImGuiTableFlags_NoSavedSettings;
    if (!ImGui::BeginTable("events", 4, kFlags)) return;
    ImGui::TableSetupColumn("number", ImGuiTableColumnFlags_WidthFixed);
    ImGui::TableSetupColumn("kind", ImGuiTableColumnFlags_WidthFixed);
    ImGui::TableSetupColumn("who", ImGuiTableColumnFlags_WidthFixed);
    ImGui::TableSetupColumn("what", ImGuiTableColumnFlags_WidthFixed);
    std::optional<uint64_t> go;
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(tail.lines.size()));
    while (clipper.Step())
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i)
            draw_line(desk, tail.lines[static_cast<size_t>(i)], i, go);
    // Two frames: the first one does not know yet how long the list is.
    if (desk.tail_moved) {
        ImGui::SetScrollY(1e9f);
        desk.tail_moved = false;
    } else if (ImGui::GetScrollMaxY() != desk.tail_height) {
        desk.tail_height = ImGui::GetScrollMaxY();
        ImGui::SetScrollY(1e9f);
    }
    ImGui::EndTable();
    if (go) desk.go_to_event(*go);
}

void draw_event_card(Desk& desk) {
    const EventCard& card = desk.card();
    if (card.title.empty()) {
        put(desk.colours.dim, "Nothing has happened yet");
        return;
    }
    put(desk.colours.accent, fmt::format("{} {}", card.title, tools::grouped(card.number)));
    ImGui::PushTextWrapPos(0);
    put(desk.colours.text, card.text);
    ImGui::PopTextWrapPos();
    if (ImGui::BeginTable("facts", 2, ImGuiTableFlags_SizingFixedFit)) {
        for (const auto& [name, value] : card.facts) {
            ImGui::TableNextRow();
            ImGui::TableNextColumn();
            put(desk.colours.dim, name);
            ImGui::TableNextColumn();
            put_mono(desk, desk.colours.text, value);
        }
        ImGui::EndTable();
    }
    if (!card.has_entries) return;
    for (const BitLine& bit : card.bits) {
        ImGui::BeginGroup();
        const bool changed = bit.before != bit.after;
        put_mono(desk, bit.after ? desk.colours.text : faded(desk.colours.dim, 0.6f),
                 fmt::format("{:<2} {}", bit.name,
                             changed     ? (bit.after ? "0→1" : "1→0")
                             : bit.after ? "1"
                                         : "0"));
        put_small(desk, changed ? desk.colours.accent : desk.colours.dim, bit.meaning);
        ImGui::EndGroup();
        ImGui::SameLine(0, 14 * desk.scale);
    }
    ImGui::NewLine();
}

}  // namespace forkscope::panels
