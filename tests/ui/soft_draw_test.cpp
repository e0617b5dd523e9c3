// What is drawn the quick way, against the same as triangles and against the font.
#include "emu/ui/soft_draw.hpp"

#include <gtest/gtest.h>
#include <imgui.h>
#include <imgui_impl_sdlrenderer.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <vector>

#include "emu/ui/window.hpp"

namespace forkscope::ui {
namespace {

constexpr int kWidth = 200;
constexpr int kHeight = 100;
using Pixels = std::vector<uint32_t>;

class SoftDraw : public ::testing::Test {
protected:
    void SetUp() override {
        setenv("SDL_VIDEODRIVER", "dummy", 1);
        auto window = Window::open({"test", kWidth, kHeight});
        ASSERT_TRUE(window) << window.error().message;
        window_ = std::move(*window);
        ASSERT_TRUE(is_software(window_->renderer()));
    }

    Pixels drawn(const std::function<void(ImDrawList&)>& draw,
                 const std::function<void(ImDrawData&)>& render) {
        window_->begin_frame();
        draw(*ImGui::GetForegroundDrawList());
        ImGui::Render();
        render(*ImGui::GetDrawData());
        Pixels pixels(size_t{kWidth} * kHeight);
        EXPECT_EQ(0, SDL_RenderReadPixels(window_->renderer(), nullptr, SDL_PIXELFORMAT_RGB888, pixels.data(),
                                          kWidth * 4));
        for (uint32_t& pixel : pixels) pixel &= 0xff'ff'ff;
        return pixels;
    }
    // Both ways; how many pixels are clearly different.
    size_t differences(const std::function<void(ImDrawList&)>& draw) {
        quick_ = drawn(draw, [this](ImDrawData& data) { soft_draw(window_->renderer(), data); });
        const Pixels slow =
            drawn(draw, [](ImDrawData& data) { ImGui_ImplSDLRenderer_RenderDrawData(&data); });
        size_t count = 0;
        for (size_t i = 0; i < quick_.size(); ++i)
            for (const int shift : {0, 8, 16}) {
                const int a = static_cast<int>((quick_[i] >> shift) & 0xff);
                const int b = static_cast<int>((slow[i] >> shift) & 0xff);
                if (std::abs(a - b) <= 24) continue;
                ++count;
                break;
            }
        return count;
    }
    [[nodiscard]] size_t lit() const {
        return static_cast<size_t>(std::ranges::count_if(quick_, [](uint32_t pixel) { return pixel != 0; }));
    }

    std::unique_ptr<Window> window_;
    Pixels quick_;
};

TEST_F(SoftDraw, SolidRectanglesAreThePixelsInside) {
    EXPECT_EQ(differences([](ImDrawList& list) {
                  list.AddRectFilled({10, 10}, {60, 40}, IM_COL32(200, 100, 50, 255));
              }),
              0u);
    EXPECT_EQ(quick_[15 * kWidth + 12], 0xc8'64'32u);
    EXPECT_EQ(quick_[9 * kWidth + 12], 0u);
    EXPECT_EQ(lit(), 50u * 30u);
    // A pixel is inside if its centre is.
    (void)differences([](ImDrawList& list) {
        list.AddRectFilled({20.4f, 20.6f}, {90.5f, 60.2f}, IM_COL32(0, 200, 250, 255));
    });
    EXPECT_EQ(lit(), (90u - 20u) * (60u - 21u));
}

TEST_F(SoftDraw, TransparentOnesMix) {
    EXPECT_EQ(differences([](ImDrawList& list) {
                  list.AddRectFilled({10, 10}, {60, 40}, IM_COL32(200, 100, 50, 255));
                  list.AddRectFilled({30, 20}, {90, 60}, IM_COL32(255, 255, 255, 128));
              }),
              0u);
    EXPECT_EQ(quick_[50 * kWidth + 80] & 0xff, 0x80u);
}

TEST_F(SoftDraw, LettersAreThoseOfTheFont) {
    constexpr int kLeft = 50;
    constexpr int kTop = 20;
    (void)differences([](ImDrawList& list) {
        list.AddText({kLeft, kTop}, IM_COL32(255, 255, 255, 255), "R");
    });
    unsigned char* texels = nullptr;
    int width = 0;
    int height = 0;
    ImFontAtlas& atlas = *ImGui::GetIO().Fonts;
    atlas.GetTexDataAsAlpha8(&texels, &width, &height);
    const ImFontGlyph& glyph = *atlas.Fonts[0]->FindGlyph('R');
    const auto texel = [&](float part, int size) {
        return static_cast<int>(std::lround(part * static_cast<float>(size)));
    };
    const int x0 = texel(glyph.U0, width);
    const int y0 = texel(glyph.V0, height);
    size_t expected = 0;
    for (int y = y0; y < texel(glyph.V1, height); ++y)
        for (int x = x0; x < texel(glyph.U1, width); ++x) {
            const uint32_t grey = texels[y * width + x];
            const int row = kTop + static_cast<int>(glyph.Y0) + y - y0;
            const int column = kLeft + static_cast<int>(glyph.X0) + x - x0;
            const uint32_t pixel = quick_[static_cast<size_t>(row * kWidth + column)];
            EXPECT_NEAR(pixel & 0xff, grey, 2) << column << ", " << row;
            expected += (pixel & 0xff) != 0 ? 1 : 0;
        }
    EXPECT_GT(expected, 10u);
    EXPECT_EQ(lit(), expected);
}

TEST_F(SoftDraw, WhatIsNoRectangleIsStillDrawn) {
    EXPECT_EQ(differences([](ImDrawList& list) {
                  list.AddRectFilled({5, 5}, {15, 15}, IM_COL32(255, 0, 0, 255));
                  list.AddCircleFilled({50, 50}, 20, IM_COL32(0, 255, 0, 255));
                  list.AddTriangleFilled({90, 20}, {120, 20}, {105, 50}, IM_COL32(0, 0, 255, 255));
                  list.AddLine({130, 10}, {190, 90}, IM_COL32(255, 255, 255, 255), 2);
                  list.AddRectFilled({150, 5}, {160, 15}, IM_COL32(255, 0, 0, 255));
              }),
              0u);
    EXPECT_EQ(quick_[50 * kWidth + 50], 0x00'ff'00u);
}

TEST_F(SoftDraw, ClipsAsTold) {
    EXPECT_EQ(differences([](ImDrawList& list) {
                  list.PushClipRect({20, 20}, {40, 40});
                  list.AddRectFilled({0, 0}, {200, 100}, IM_COL32(255, 255, 255, 255));
                  list.PopClipRect();
              }),
              0u);
    EXPECT_EQ(lit(), 400u);
}

}  // namespace
}  // namespace forkscope::ui
