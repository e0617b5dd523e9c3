// The window on SDL's dummy display, which draws in memory.
#include "emu/ui/window.hpp"

#include <gtest/gtest.h>
#include <imgui.h>

#include <cstdlib>
#include <vector>

namespace forkscope::ui {
namespace {

class DummyDisplay : public ::testing::Test {
protected:
    void SetUp() override { setenv("SDL_VIDEODRIVER", "dummy", 1); }
};
using WindowTest = DummyDisplay;

std::vector<uint32_t> pixels_of(Window& window) {
    const SDL_Point size = window.pixels();
    std::vector<uint32_t> pixels(static_cast<size_t>(size.x) * static_cast<size_t>(size.y));
    EXPECT_EQ(0, SDL_RenderReadPixels(window.renderer(), nullptr, SDL_PIXELFORMAT_RGB888, pixels.data(),
                                      size.x * 4));
    for (uint32_t& p : pixels) p &= 0xff'ff'ff;
    return pixels;
}

TEST_F(WindowTest, DrawsTheRenderersAndImGuisThingsOverEachOther) {
    auto window = Window::open({"test", 200, 100});
    ASSERT_TRUE(window) << window.error().message;
    (*window)->begin_frame();
    SDL_SetRenderDrawColor((*window)->renderer(), 0x10, 0x20, 0x30, 0xff);
    SDL_RenderClear((*window)->renderer());
    ImGui::GetForegroundDrawList()->AddRectFilled({50, 20}, {60, 30}, IM_COL32(0xff, 0x80, 0, 0xff));
    (*window)->end_frame();
    const auto pixels = pixels_of(**window);
    EXPECT_EQ(0x10'20'30u, pixels[0]);
    EXPECT_EQ(0xff'80'00u, pixels[25 * 200 + 55]);
    EXPECT_EQ(0x10'20'30u, pixels[25 * 200 + 65]);
}

TEST_F(WindowTest, OpensAgainAfterItWasClosed) {
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(Window::open({"test", 64, 64}));
}

TEST_F(WindowTest, HandsOnEventsInOrder) {
    auto window = Window::open({"test", 64, 64});
    ASSERT_TRUE(window);
    (*window)->handle_events(0, [](const SDL_Event&) {});
    for (const int code : {1, 2, 3}) {
        SDL_Event event{};
        event.type = SDL_USEREVENT;
        event.user.code = code;
        SDL_PushEvent(&event);
    }
    std::vector<int> codes;
    (*window)->handle_events(0, [&](const SDL_Event& event) {
        if (event.type == SDL_USEREVENT) codes.push_back(event.user.code);
    });
    EXPECT_EQ((std::vector<int>{1, 2, 3}), codes);
}

TEST_F(WindowTest, SaysWhyThereIsNone) {
    setenv("SDL_VIDEODRIVER", "no-such-driver", 1);
    const auto window = Window::open({"test", 64, 64});
    ASSERT_FALSE(window);
    EXPECT_NE(std::string::npos, window.error().message.find("SDL_VIDEODRIVER no-such-driver"))
        << window.error().message;
}

}  // namespace
}  // namespace forkscope::ui
