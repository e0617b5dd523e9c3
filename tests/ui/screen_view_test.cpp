// Where the guest's screen stands in the window, and what its pixels become.
#include "emu/ui/screen_view.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "emu/ui/title.hpp"
#include "emu/ui/window.hpp"

namespace forkscope::ui {

namespace {

bool placed(SDL_Point picture, SDL_Rect area, SDL_Rect expected) {
    const SDL_Rect place = place_picture(picture, area);
    return SDL_RectEquals(&place, &expected) == SDL_TRUE;
}

TEST(ScreenView, IsPlacedInWholeMultiples) {
    EXPECT_TRUE(placed({720, 400}, {0, 0, 720, 400}, {0, 0, 720, 400}));
    EXPECT_TRUE(placed({720, 400}, {0, 0, 1500, 1000}, {30, 100, 1440, 800}));
    EXPECT_TRUE(placed({720, 400}, {100, 10, 1439, 799}, {459, 209, 720, 400}));
}

TEST(ScreenView, KeepsItsShapeWhereItHasToShrink) {
    EXPECT_TRUE(placed({720, 400}, {0, 0, 360, 400}, {0, 100, 360, 200}));
    EXPECT_TRUE(placed({720, 400}, {0, 0, 720, 200}, {180, 0, 360, 200}));
}

TEST(ScreenView, ScalesEveryPixelToASquare) {
    setenv("SDL_VIDEODRIVER", "dummy", 1);
    auto opened = Window::open({"test", 32, 64});
    ASSERT_TRUE(opened);
    Window& window = **opened;
    screen::TextScreen text;
    text.columns = 2;
    text.rows = 2;
    text.cell_height = 16;
    text.palette[7] = {200, 100, 50};
    text.cells = {{'F'}, {'k'}, {0xdb}, {' '}};
    const screen::Picture guest = draw(text, screen::BlinkPhase::Shown);
    ScreenView view(window.renderer());
    view.show(text, screen::BlinkPhase::Shown);
    window.begin_frame();
    view.render({0, 0, window.pixels().x, window.pixels().y});
    screen::Picture shown;
    window.end_frame(&shown);
    ASSERT_EQ(2 * guest.width, shown.width);
    ASSERT_EQ(2 * guest.height, shown.height);
    for (unsigned y = 0; y < shown.height; ++y)
        for (unsigned x = 0; x < shown.width; ++x)
            ASSERT_EQ(guest.at(x / 2, y / 2), shown.at(x, y)) << x << ' ' << y;
    EXPECT_EQ((CellPlace{1, 0}), view.cell_at({16, 31}));
    EXPECT_EQ((CellPlace{0, 1}), view.cell_at({15, 32}));
    EXPECT_EQ((CellPlace{1, 1}), view.cell_at({1000, 1000}));
    view.show({}, screen::BlinkPhase::Shown);
    EXPECT_EQ(std::nullopt, view.cell_at({16, 31}));
}

TEST(ScreenView, ShowsAFramebuffersColours) {
    setenv("SDL_VIDEODRIVER", "dummy", 1);
    auto opened = Window::open({"test", 4, 2});
    ASSERT_TRUE(opened);
    Window& window = **opened;
    const auto pixels = std::make_shared<Pixels>(Pixels{2, 1, {0x10, 0x20, 0x30, 0xff, 0x40, 0x50, 0x60, 0}});
    ScreenView view(window.renderer());
    view.show(pixels);
    window.begin_frame();
    view.render({0, 0, window.pixels().x, window.pixels().y});
    screen::Picture shown;
    window.end_frame(&shown);
    EXPECT_EQ((screen::Rgb{0x30, 0x20, 0x10}), shown.at(1, 1));
    EXPECT_EQ((screen::Rgb{0x60, 0x50, 0x40}), shown.at(2, 1));
    EXPECT_EQ(std::nullopt, view.cell_at({1, 1}));
}

TEST(Title, TellsStateAndTime) {
    GuestView view;
    view.state = GuestState::Paused;
    view.now = 12'034'567'890;
    EXPECT_EQ("Forkscope: paused, 12.034 s (Ctrl-Alt-H: keys)", title_of(view, MouseOwner::Host));
    view.state = GuestState::Running;
    EXPECT_EQ("Forkscope: running, 12.034 s (Ctrl-Alt-G gives the mouse back)",
              title_of(view, MouseOwner::Guest));
}

}  // namespace
}  // namespace forkscope::ui
