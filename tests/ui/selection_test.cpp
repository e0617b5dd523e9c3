// Marked text.
#include "emu/ui/selection.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace forkscope::ui {
namespace {

screen::TextScreen screen_of(std::initializer_list<std::string_view> rows) {
    screen::TextScreen screen;
    screen.columns = 8;
    screen.rows = static_cast<unsigned>(rows.size());
    screen.cell_height = 16;
    for (std::string_view row : rows)
        for (unsigned column = 0; column < screen.columns; ++column)
            screen.cells.push_back({column < row.size() ? static_cast<uint8_t>(row[column]) : uint8_t{' '}});
    return screen;
}

TEST(Selection, TakesTextInTheOrderOfReading) {
    const auto screen = screen_of({"one two", "", "  three"});
    EXPECT_EQ("two\n\n  thr", text_of(screen, {{4, 0}, {4, 2}}));
    EXPECT_EQ("two\n\n  thr", text_of(screen, {{4, 2}, {4, 0}}));
    EXPECT_EQ("n", text_of(screen, {{1, 0}, {1, 0}}));
}

TEST(Selection, LeavesOutWhatIsNotOnTheScreen) {
    const auto screen = screen_of({"one", "two"});
    EXPECT_EQ("two", text_of(screen, {{0, 1}, {99, 7}}));
    EXPECT_EQ("", text_of(screen, {{0, 5}, {3, 7}}));
    EXPECT_EQ("", text_of(screen::TextScreen{}, {{0, 0}, {3, 3}}));
}

TEST(Selection, MarksByExchangingColours) {
    const auto before = screen_of({"one", "two"});
    const auto after = marked(before, {{1, 0}, {0, 1}});
    for (size_t at = 0; at < before.cells.size(); ++at) {
        const bool inside = at >= 1 && at <= 8;
        EXPECT_EQ(inside ? 0 : 7, after.cells[at].foreground) << at;
        EXPECT_EQ(inside ? 7 : 0, after.cells[at].background) << at;
    }
}

}  // namespace
}  // namespace forkscope::ui
