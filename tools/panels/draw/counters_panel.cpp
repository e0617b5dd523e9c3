// How much of what happened when: a row a counter, over the stretch of time that the tasks' panel shows.
#include <fmt/format.h>

#include <algorithm>

#include "tools/log/text/numbers.hpp"
#include "tools/panels/draw/panels.hpp"
#include "tools/panels/draw/time_axis.hpp"
#include "tools/panels/draw/widgets.hpp"

namespace forkscope::panels {

namespace {

struct PlotRow {
    std::string name;
    std::string value;
    ImU32 colour = 0;
    bool steps = false;  // a level, drawn as a line; else a count, drawn as bars
};

class Plots {
public:
    Plots(Desk& desk, const TimeAxis& axis, const std::vector<Activity::Bin>& bins)
        : desk_(desk), axis_(axis), bins_(bins), draw_(*ImGui::GetWindowDrawList()) {}

    template <typename Value>
    void plot(const PlotRow& row, float top, float height, float left, Value&& value) {
        uint32_t most = 1;
        for (const Activity::Bin& bin : bins_) most = std::max(most, value(bin));
        const float bottom = top + height - 3;
        const float scale = (height - 8) / static_cast<float>(most);
        draw_.AddLine({axis_.left(), bottom}, {axis_.right(), bottom}, faded(desk_.colours.line, 0.8f));
        const float width = (axis_.right() - axis_.left()) / static_cast<float>(bins_.size());
        for (size_t i = 0; i < bins_.size(); ++i) {
            const float x = axis_.left() + static_cast<float>(i) * width;
            const float y = bottom - static_cast<float>(value(bins_[i])) * scale;
            if (!row.steps) {
                if (value(bins_[i]) != 0)
                    draw_.AddRectFilled({x, std::min(y, bottom - 1)},
                                        {x + std::max(1.0f, width - 0.5f), bottom}, row.colour);
                continue;
            }
            draw_.AddRectFilled({x, y}, {x + width, bottom}, faded(row.colour, 0.18f));
            draw_.AddLine({x, y}, {x + width, y}, row.colour, 1.5f);
        }
        ImFont* font = desk_.fonts.small;
        draw_text(font, {left, top + 2}, desk_.colours.text, row.name);
        const float below = top + 2 + line_of(font) + 1;
        if (height > 2.6f * line_of(font)) draw_text(font, {left, below}, desk_.colours.dim, row.value);
        draw_text(font, {axis_.right() + 5, top}, desk_.colours.dim, tools::grouped(most));
        const ImVec2 mouse = ImGui::GetMousePos();
        if (ImGui::IsWindowHovered() && mouse.x >= axis_.left() && mouse.x < axis_.right() &&
            mouse.y >= top && mouse.y < top + height) {
            const auto bin =
                std::min(bins_.size() - 1, static_cast<size_t>((mouse.x - axis_.left()) / width));
            tip(fmt::format("{}: {}", row.name, tools::grouped(value(bins_[bin]))));
        }
    }

private:
    Desk& desk_;
    const TimeAxis& axis_;
    const std::vector<Activity::Bin>& bins_;
    ImDrawList& draw_;
};

[[nodiscard]] ImU32 colour_of(const Palette& p, Series series) {
    switch (series) {
        case Series::TableWrites:
            return p.glow;
        case Series::Faults:
        case Series::CowBreaks:
            return p.warning;
        case Series::TlbFills:
        case Series::Flushes:
            return p.shared;
        case Series::Syscalls:
            return p.good;
        case Series::Events:
            break;
    }
    return p.dim;
}

}  // namespace

void draw_counters(Desk& desk) {
    ImGui::PushStyleColor(ImGuiCol_ChildBg, 0);
    if (ImGui::BeginChild("plots", {0, 0})) {
        const ImVec2 origin = ImGui::GetCursorScreenPos();
        const ImVec2 space = ImGui::GetContentRegionAvail();
        const float names = 118 * desk.scale;
        const TimeAxis axis(desk, origin.x + names, origin.x + space.x - 46 * desk.scale);
        const auto columns =
            static_cast<size_t>(std::clamp((axis.right() - axis.left()) / (3 * desk.scale), 20.0f, 600.0f));
        const auto& bins = desk.rates(columns);
        constexpr std::array<Series, 6> kShown = {Series::TableWrites, Series::Faults,  Series::CowBreaks,
                                                  Series::TlbFills,    Series::Flushes, Series::Syscalls};
        const float ruler = line_of(desk.fonts.small) + 8 * desk.scale;
        const auto rows = static_cast<float>(kShown.size() + kGauges);
        const float height = std::max((space.y - ruler - 2) / rows, 22 * desk.scale);
        axis.draw_ruler(origin.y, ruler + rows * height);
        Plots plots(desk, axis, bins);
        float top = origin.y + ruler;
        const Activity& activity = desk.log().overview().activity();
        for (const Series series : kShown) {
            const auto place = static_cast<size_t>(series);
            plots.plot({name_of(series), tools::grouped(activity.totals()[place]),
                        colour_of(desk.colours, series), false},
                       top, height, origin.x,
                       [place](const Activity::Bin& bin) { return bin.counts[place]; });
            top += height;
        }
        for (size_t place = 0; place < kGauges; ++place) {
            const ImU32 colour = desk.colours.tasks[place];
            plots.plot({name_of(static_cast<Gauge>(place)), "", colour, true}, top, height, origin.x,
                       [place](const Activity::Bin& bin) { return bin.levels[place]; });
            top += height;
        }
        axis.draw_now(origin.y, ruler + rows * height);
        ImGui::Dummy({space.x, ruler + rows * height - 4});
        axis.react(false);
    }
    ImGui::EndChild();
    ImGui::PopStyleColor();
}

}  // namespace forkscope::panels
