#include "emu/ui/screen_view.hpp"

#include <algorithm>

namespace forkscope::ui {

SDL_Rect place_picture(SDL_Point picture, const SDL_Rect& area) {
    const int whole = std::min(area.w / picture.x, area.h / picture.y);
    SDL_Point size{picture.x * whole, picture.y * whole};
    if (whole < 1) {
        // Too small for all of its pixels: as much of the area as keeps the shape.
        const bool wide = int64_t{area.w} * picture.y > int64_t{area.h} * picture.x;
        size = wide ? SDL_Point{picture.x * area.h / picture.y, area.h}
                    : SDL_Point{area.w, picture.y * area.w / picture.x};
    }
    return {area.x + (area.w - size.x) / 2, area.y + (area.h - size.y) / 2, size.x, size.y};
}

void ScreenView::show(const screen::TextScreen& screen, screen::BlinkPhase phase) {
    if (texture_ != nullptr && phase == phase_ && screen == shown_) return;
    shown_ = screen;
    phase_ = phase;
    if (screen.cells.empty()) {
        forget_texture();
        size_ = kDark;
        return;
    }
    upload(draw(screen, phase));
}

void ScreenView::upload(const screen::Picture& picture) {
    size_ = {static_cast<int>(picture.width), static_cast<int>(picture.height)};
    if (texture_ == nullptr || texture_size_.x != size_.x || texture_size_.y != size_.y) {
        forget_texture();
        texture_ = SDL_CreateTexture(renderer_, SDL_PIXELFORMAT_RGB24, SDL_TEXTUREACCESS_STREAMING, size_.x,
                                     size_.y);
        texture_size_ = size_;
    }
    if (texture_ != nullptr)
        SDL_UpdateTexture(texture_, nullptr, picture.pixels.data(),
                          size_.x * static_cast<int>(sizeof(screen::Rgb)));
}

void ScreenView::forget_texture() {
    if (texture_ != nullptr) SDL_DestroyTexture(texture_);
    texture_ = nullptr;
}

void ScreenView::render(const SDL_Rect& area) {
    place_ = place_picture(size_, area);
    if (texture_ == nullptr) return;
    SDL_SetTextureScaleMode(texture_, place_.w < size_.x ? SDL_ScaleModeLinear : SDL_ScaleModeNearest);
    SDL_RenderCopy(renderer_, texture_, nullptr, &place_);
}

std::optional<CellPlace> ScreenView::cell_at(SDL_Point pixel) const {
    if (shown_.cells.empty() || place_.w <= 0 || place_.h <= 0) return std::nullopt;
    const auto cell = [](int at, int start, int length, unsigned cells) {
        const int inside = std::clamp(at - start, 0, length - 1);
        return static_cast<unsigned>(int64_t{inside} * cells / length);
    };
    return CellPlace{cell(pixel.x, place_.x, place_.w, shown_.columns),
                     cell(pixel.y, place_.y, place_.h, shown_.rows)};
}

}  // namespace forkscope::ui
