// The guest's screen in the window: in whole multiples of its size if there is room, so that its pixels stay
// square and sharp.
#pragma once

#include <SDL.h>

#include <memory>
#include <optional>

#include "emu/screen/vga_text.hpp"
#include "emu/ui/guest_link.hpp"
#include "emu/ui/selection.hpp"

namespace forkscope::ui {

// Where a picture of that size goes in an area of so many pixels: centred, as large as it fits.
[[nodiscard]] SDL_Rect place_picture(SDL_Point picture, const SDL_Rect& area);

class ScreenView {
public:
    explicit ScreenView(SDL_Renderer* renderer) : renderer_(renderer) {}
    ~ScreenView() { forget_texture(); }
    ScreenView(const ScreenView&) = delete;
    ScreenView& operator=(const ScreenView&) = delete;

    // What it shows from now on; a screen without cells is dark. Draws what has changed.
    void show(const screen::TextScreen& screen, screen::BlinkPhase phase);
    void show(const std::shared_ptr<const Pixels>& pixels);
    void render(const SDL_Rect& area);
    // The renderer lost what it held.
    void forget_texture();

    // In pixels of the guest.
    [[nodiscard]] SDL_Point size() const { return size_; }
    // The cell at a pixel of the window, or the nearest one. None while the screen is dark.
    [[nodiscard]] std::optional<CellPlace> cell_at(SDL_Point pixel) const;

private:
    void upload(SDL_Point size, uint32_t format, const void* pixels, int pitch);

    static constexpr SDL_Point kDark{720, 400};

    SDL_Renderer* renderer_;
    SDL_Texture* texture_ = nullptr;
    SDL_Point texture_size_{};
    uint32_t texture_format_ = 0;
    SDL_Point size_ = kDark;
    SDL_Rect place_{};
    screen::TextScreen shown_;
    std::shared_ptr<const Pixels> shown_pixels_;
    screen::BlinkPhase phase_ = screen::BlinkPhase::Shown;
};

}  // namespace forkscope::ui
