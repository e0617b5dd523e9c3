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
    if (texture_ != nullptr && !shown_pixels_ && phase == phase_ && screen == shown_) return;
    shown_ = screen;
    shown_pixels_.reset();
    phase_ = phase;
    if (screen.cells.empty()) {
        forget_texture();
        size_ = kDark;
        return;
    }
    const screen::Picture picture = draw(screen, phase);
    const SDL_Point size{static_cast<int>(picture.width), static_cast<int>(picture.height)};
    upload(size, SDL_PIXELFORMAT_RGB24, picture.pixels.data(),
           size.x * static_cast<int>(sizeof(screen::Rgb)));
}

void ScreenView::show(const std::shared_ptr<const Pixels>& pixels) {
    if (texture_ != nullptr && pixels == shown_pixels_) return;
    shown_ = {};
    shown_pixels_ = pixels;
    const SDL_Point size{static_cast<int>(pixels->width), static_cast<int>(pixels->height)};
    // Named by the bits of a word, least significant first in memory.
    upload(size, SDL_PIXELFORMAT_RGB888, pixels->bytes.data(), size.x * 4);
}

void ScreenView::upload(SDL_Point size, uint32_t format, const void* pixels, int pitch) {
    size_ = size;
    if (texture_ == nullptr || texture_size_.x != size.x || texture_size_.y != size.y ||
        texture_format_ != format) {
        forget_texture();
        texture_ = SDL_CreateTexture(renderer_, format, SDL_TEXTUREACCESS_STREAMING, size.x, size.y);
        texture_size_ = size;
        texture_format_ = format;
    }
    if (texture_ != nullptr) SDL_UpdateTexture(texture_, nullptr, pixels, pitch);
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
