// What the keys of the window do.
#include <algorithm>

#include "emu/screen/framebuffer.hpp"
#include "emu/ui/console.hpp"
#include "emu/ui/picture_file.hpp"

namespace forkscope::ui {

void Console::act(Action action) {
    dirty_ = true;
    switch (action) {
        case Action::Help:
            return overlay_.toggle_help();
        case Action::FullScreen:
            return toggle_full_screen();
        case Action::Larger:
        case Action::Smaller:
            return resize(action == Action::Larger ? 1 : -1);
        case Action::Grab:
            return hands_->mouse.grab(!hands_->mouse.grabbed() && !over_);
        case Action::Copy:
            return copy();
        case Action::Paste:
            return paste(SDL_GetClipboardText());
        case Action::Layout:
            return set_layout(hands_->keyboard.mode() == Keyboard::Mode::Places ? Keyboard::Mode::Letters
                                                                                : Keyboard::Mode::Places);
        case Action::Pause:
            return link_->wish(view_.state == GuestState::Paused ? Wish::GoOn : Wish::Pause);
        case Action::Step:
            return link_->wish(Wish::Step);
        case Action::Reset:
            return link_->wish(Wish::Reset);
        case Action::Picture:
            return save(view_.pixels ? screen::draw_framebuffer(view_.pixels->bytes, view_.pixels->width,
                                                                view_.pixels->height)
                                     : draw(view_.screen, screen::BlinkPhase::Shown),
                        "forkscope");
        case Action::WindowPicture:
            picture_wanted_ = true;
            return;
        case Action::Theme:
            theme_ = theme_ == Theme::Dark ? Theme::Light : Theme::Dark;
            return window_->set_theme(theme_);
        case Action::Quit:
            return close();
    }
}

bool Console::full_screen() const {
    return (SDL_GetWindowFlags(window_->handle()) & SDL_WINDOW_FULLSCREEN_DESKTOP) != 0;
}

void Console::toggle_full_screen() {
    if (full_screen()) {
        SDL_SetWindowFullscreen(window_->handle(), 0);
        // Without a window manager SDL leaves it at the size of the display.
        SDL_SetWindowSize(window_->handle(), size_before_.x, size_before_.y);
    } else {
        SDL_GetWindowSize(window_->handle(), &size_before_.x, &size_before_.y);
        SDL_SetWindowFullscreen(window_->handle(), SDL_WINDOW_FULLSCREEN_DESKTOP);
    }
}

void Console::resize(int step) {
    if (full_screen()) return;
    const float density = window_->density();
    const SDL_Point size = screen_.size();
    const int now =
        std::max(1, place_picture(size, {0, 0, window_->pixels().x, window_->pixels().y}).w / size.x);
    const int scale = std::max(1, now + step);
    SDL_SetWindowSize(window_->handle(), static_cast<int>(static_cast<float>(size.x * scale) / density),
                      static_cast<int>(static_cast<float>(size.y * scale) / density));
}

void Console::set_layout(Keyboard::Mode mode) {
    hands_->keyboard.release_all();
    hands_->keyboard.set_mode(mode);
    overlay_.notice(mode == Keyboard::Mode::Letters ? "Keys are typed by their letters"
                                                    : "Keys are those of a US keyboard, by their places");
}

void Console::copy() {
    const auto& marked_text = hands_->mouse.selection();
    if (view_.screen.cells.empty()) return overlay_.notice("There is no text on the screen");
    const std::string text = marked_text ? text_of(view_.screen, *marked_text) : to_utf8(view_.screen);
    if (SDL_SetClipboardText(text.c_str()) != 0)
        overlay_.notice(fmt::format("Not copied: {}", SDL_GetError()));
    else
        overlay_.notice(marked_text ? "Copied what is marked" : "Copied the whole screen");
}

// text: SDL's, to be freed here.
void Console::paste(char* text) {
    if (text == nullptr) return;
    if (!over_ && *text != '\0') link_->send(TextInput{text});
    SDL_free(text);
}

void Console::save(const screen::Picture& picture, const std::string& name) {
    const auto saved = save_picture(picture, name);
    overlay_.notice(saved ? *saved : saved.error().message);
    dirty_ = true;
}

}  // namespace forkscope::ui
