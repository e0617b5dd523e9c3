#include "emu/ui/selection.hpp"

#include <algorithm>
#include <utility>

namespace forkscope::ui {

namespace {

// Indices of cells: the first, and the one after the last.
std::pair<size_t, size_t> range_of(const screen::TextScreen& screen, const Selection& selection) {
    const auto index = [&](const CellPlace& place) {
        return size_t{place.row} * screen.columns + std::min(place.column, screen.columns - 1);
    };
    const auto [first, last] = std::minmax({index(selection.from), index(selection.to)});
    const size_t cells = screen.cells.size();
    return {std::min(first, cells), std::min(last + 1, cells)};
}

}  // namespace

std::string text_of(const screen::TextScreen& screen, const Selection& selection) {
    if (screen.cells.empty()) return {};
    const auto [first, end] = range_of(screen, selection);
    std::string text;
    for (size_t at = first; at < end;) {
        const size_t row_end = std::min(end, (at / screen.columns + 1) * screen.columns);
        screen::TextScreen line;
        line.rows = 1;
        line.columns = static_cast<unsigned>(row_end - at);
        line.cells.assign(screen.cells.begin() + static_cast<std::ptrdiff_t>(at),
                          screen.cells.begin() + static_cast<std::ptrdiff_t>(row_end));
        text += to_utf8(line);
        at = row_end;
    }
    if (!text.empty()) text.pop_back();
    return text;
}

screen::TextScreen marked(screen::TextScreen screen, const Selection& selection) {
    if (screen.cells.empty()) return screen;
    const auto [first, end] = range_of(screen, selection);
    for (size_t at = first; at < end; ++at)
        std::swap(screen.cells[at].foreground, screen.cells[at].background);
    return screen;
}

}  // namespace forkscope::ui
