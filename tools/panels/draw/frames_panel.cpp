// Physical memory as a map: a cell a frame that the run ever uses.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "tools/log/text/numbers.hpp"
#include "tools/panels/draw/panels.hpp"
#include "tools/panels/draw/widgets.hpp"

namespace forkscope::panels {

namespace {

[[nodiscard]] ImU32 colour_of(const Desk& desk, const FrameMap& map, const FrameCell& cell) {
    const Palette& p = desk.colours;
    switch (cell.kind) {
        case FrameKind::Unused:
            return faded(p.line, 0.35f);
        case FrameKind::Table:
            return p.table;
        case FrameKind::Shared:
            return p.shared;
        case FrameKind::Kernel:
            return p.kernel;
        case FrameKind::Cache:
            return p.cache;
        case FrameKind::Own:
            break;
    }
    return cell.owner == 0 ? p.dim : p.of_task(map.owner_tids[cell.owner - 1u]);
}

// What colour cannot say alone: a letter or a stroke.
void mark(const Desk& desk, const FrameCell& cell, ImVec2 at, float side) {
    ImDrawList& draw = *ImGui::GetWindowDrawList();
    const ImU32 ink = desk.colours.back;
    if (cell.kind == FrameKind::Shared && !cell.writable)
        draw.AddLine({at.x, at.y + side}, {at.x + side, at.y}, ink, std::max(1.0f, side / 12));
    constexpr float kLegible = 13;
    if (side < kLegible * desk.scale) return;
    std::string text;
    if (cell.kind == FrameKind::Table) text = fmt::format("{}", cell.level);
    if (cell.kind == FrameKind::Shared && cell.writable) text = fmt::format("{}", cell.spaces);
    if (text.empty()) return;
    const ImVec2 size = text_size(desk.fonts.small, text);
    draw_text(desk.fonts.small, {at.x + (side - size.x) / 2, at.y + (side - size.y) / 2}, ink, text);
}

class Legend {
public:
    explicit Legend(const Desk& desk) : desk_(desk) {}

    void item(ImU32 colour, const std::string& text, bool struck = false) {
        const float side = line_of(desk_.fonts.small) * 0.85f;
        const float inside = 5 * desk_.scale;
        if (!first_) {
            ImGui::SameLine(0, 14 * desk_.scale);
            // On the next line if it does not fit any more.
            if (ImGui::GetContentRegionAvail().x < side + inside + text_size(desk_.fonts.small, text).x)
                ImGui::NewLine();
        }
        first_ = false;
        const ImVec2 at = ImGui::GetCursorScreenPos();
        ImDrawList& draw = *ImGui::GetWindowDrawList();
        draw.AddRectFilled({at.x, at.y + 2}, {at.x + side, at.y + 2 + side}, colour, 2);
        if (struck) draw.AddLine({at.x, at.y + 2 + side}, {at.x + side, at.y + 2}, desk_.colours.back, 1.5f);
        ImGui::Dummy({side, side});
        ImGui::SameLine(0, inside);
        put_small(desk_, desk_.colours.text, text);
    }

private:
    const Desk& desk_;
    bool first_ = true;
};

void draw_legend(const Desk& desk, const FrameMap& map) {
    const auto count = [&map](FrameKind kind) {
        return tools::grouped(map.counts[static_cast<size_t>(kind)]);
    };
    const Palette& p = desk.colours;
    Legend legend(desk);
    for (size_t i = 0; i < map.owners.size(); ++i) legend.item(p.of_task(map.owner_tids[i]), map.owners[i]);
    const uint64_t shared = map.counts[static_cast<size_t>(FrameKind::Shared)];
    constexpr bool kStruck = true;
    legend.item(p.shared, fmt::format("shared, copy-on-write {}", tools::grouped(map.copy_on_write)),
                kStruck);
    legend.item(p.shared, fmt::format("shared, writable {}", tools::grouped(shared - map.copy_on_write)));
    legend.item(p.table, "page table " + count(FrameKind::Table));
    legend.item(p.kernel, "kernel's own " + count(FrameKind::Kernel));
    legend.item(p.cache, "page cache " + count(FrameKind::Cache));
    legend.item(faded(p.line, 0.35f), "free now " + count(FrameKind::Unused));
}

void describe(Desk& desk, const FrameMap& map, const FrameCell& cell) {
    begin_tip();
    put_mono(desk, desk.colours.text, fmt::format("frame {:#x}", cell.frame));
    std::string what = name_of(cell.kind);
    if (cell.kind == FrameKind::Table) what = fmt::format("page table of level {}", cell.level);
    if (cell.kind == FrameKind::Shared)
        what = fmt::format("shared by {} address spaces, {}", cell.spaces,
                           cell.writable ? "writable" : "read-only in all: a write makes a copy");
    if (cell.kind == FrameKind::Own && cell.owner != 0) what = "mapped by " + map.owners[cell.owner - 1u];
    put(colour_of(desk, map, cell), what);
    if (const AnnouncedFrame* told = desk.log().now().frames().find(cell.frame))
        put(desk.colours.dim,
            fmt::format("the guest says: {}{}", use_text(told->use),
                        told->references == 0 ? "" : ", " + tools::counted(told->references, "reference")));
    put_small(desk, desk.colours.dim, "Its biography stands below. Click: keep it there");
    end_tip();
}

// The largest cells with which all fit into the space.
[[nodiscard]] float cell_side(size_t cells, ImVec2 space, float scale) {
    float side = 40 * scale;
    while (side > 1.5f) {
        const float columns = std::floor(space.x / side);
        if (columns >= 1 && std::ceil(static_cast<float>(cells) / columns) * side <= space.y) break;
        side -= side > 8 ? 1.0f : 0.5f;
    }
    return side;
}

// Frames that share a cell, where there are too many for cells of their own.
[[nodiscard]] size_t frames_a_cell(size_t frames, ImVec2 space, float least_side) {
    const float cells = std::floor(space.x / least_side) * std::floor(space.y / least_side);
    return static_cast<size_t>(std::ceil(static_cast<float>(frames) / std::max(1.0f, cells)));
}

// The one that says most of those from `first` on.
[[nodiscard]] const FrameCell& most_telling(const FrameMap& map, size_t first, size_t count) {
    const auto rank = [](const FrameCell& cell) {
        constexpr std::array<int, kFrameKinds> kRanks = {0, 4, 3, 5, 1, 2};
        return kRanks[static_cast<size_t>(cell.kind)] + (cell.glow > 0 ? 10 : 0);
    };
    size_t best = first;
    for (size_t i = first; i < std::min(first + count, map.cells.size()); ++i)
        if (rank(map.cells[i]) > rank(map.cells[best])) best = i;
    return map.cells[best];
}

void draw_cell(const Desk& desk, const FrameMap& map, const FrameCell& cell, ImVec2 corner, float side) {
    const float gap = side >= 6 ? 1.0f : 0.0f;
    const ImVec2 end = {corner.x + side - gap, corner.y + side - gap};
    ImDrawList& draw = *ImGui::GetWindowDrawList();
    draw.AddRectFilled(corner, end, colour_of(desk, map, cell),
                       side > 10 && desk.finish == Finish::Smooth ? 2.0f : 0.0f);
    if (side >= 5) mark(desk, cell, corner, side - gap);
    if (cell.glow > 0 && side >= 4)
        draw_edge(corner, end, faded(desk.colours.accent, 0.3f + 0.7f * cell.glow),
                  std::max(1.0f, std::round(side / 12)));
}

// The cell that the mouse is on.
[[nodiscard]] const FrameCell* draw_map(Desk& desk, const FrameMap& map, ImVec2 space) {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::InvisibleButton("map", space);
    const bool hovered = ImGui::IsItemHovered();
    if (map.cells.empty()) return nullptr;
    constexpr float kLeastSide = 3;
    const size_t together = frames_a_cell(map.cells.size(), space, kLeastSide * desk.scale);
    const size_t count = (map.cells.size() + together - 1) / together;
    const float side = cell_side(count, space, desk.scale);
    const auto columns = static_cast<size_t>(std::max(1.0f, std::floor(space.x / side)));
    const uint64_t chosen = desk.biography() != nullptr ? desk.biography()->frame() : 0;
    for (size_t i = 0; i < count; ++i) {
        const FrameCell& cell = most_telling(map, i * together, together);
        const ImVec2 corner = {at.x + static_cast<float>(i % columns) * side,
                               at.y + static_cast<float>(i / columns) * side};
        draw_cell(desk, map, cell, corner, side);
        if (cell.frame == chosen) draw_edge(corner, corner + ImVec2(side, side), desk.colours.text, 2);
    }
    if (!hovered) return nullptr;
    const ImVec2 mouse = ImGui::GetMousePos();
    const auto column = static_cast<size_t>((mouse.x - at.x) / side);
    const size_t place = static_cast<size_t>((mouse.y - at.y) / side) * columns + column;
    return column < columns && place < count ? &most_telling(map, place * together, together) : nullptr;
}

void draw_biography(Desk& desk) {
    const Biography* life = desk.biography();
    if (life == nullptr) {
        put_small(desk, desk.colours.dim, "Point at a frame: its life, from the first mapping to the last");
        return;
    }
    put(desk.colours.text,
        fmt::format("Frame {:#x}{}: {}{}", life->frame(), life->was_table() ? ", once a page table" : "",
                    tools::counted(life->lines().size() + life->left_out(), "event"),
                    life->progress() < 1 ? fmt::format(" ({:.0f}% read)", life->progress() * 100) : ""));
    if (!ImGui::BeginChild("life", {0, 0})) {
        ImGui::EndChild();
        return;
    }
    const uint64_t at = desk.log().at();
    std::optional<uint64_t> go;
    for (size_t i = 0; i < life->lines().size(); ++i) {
        const BiographyLine& line = life->lines()[i];
        ImGui::PushID(static_cast<int>(i));
        if (ImGui::Selectable("##line", line.number + 1 == at)) go = line.number;
        ImGui::SameLine(0, 0);
        put_mono(desk, desk.colours.dim, fmt::format("{:>10}  ", tools::grouped(line.number)));
        ImGui::SameLine(0, 0);
        put(line.number < at ? desk.colours.text : faded(desk.colours.dim, 0.7f), line.text);
        ImGui::PopID();
    }
    if (life->left_out() != 0)
        put(desk.colours.dim, fmt::format("and {} more", tools::grouped(life->left_out())));
    ImGui::EndChild();
    if (go) desk.go_to_event(*go);
}

}  // namespace

void draw_frames(Desk& desk) {
    const FrameMap& map = desk.frames();
    draw_legend(desk, map);
    const ImVec2 space = ImGui::GetContentRegionAvail();
    const float life = std::min(space.y * 0.32f, 190 * desk.scale);
    const float height = std::max(40.0f, space.y - life - 6);
    const FrameCell* pointed = draw_map(desk, map, {std::max(40.0f, space.x), height});
    if (pointed != nullptr) {
        describe(desk, map, *pointed);
        if (!desk.frame_is_kept) desk.choose_frame(pointed->frame);
        if (ImGui::IsMouseClicked(0)) {
            const bool same = desk.biography() != nullptr && desk.biography()->frame() == pointed->frame;
            desk.frame_is_kept = !(same && desk.frame_is_kept);
            desk.choose_frame(pointed->frame);
        }
    }
    draw_biography(desk);
}

}  // namespace forkscope::panels
