#include "emu/ui/console.hpp"

#include <imgui.h>

#include <algorithm>

#include "emu/ui/title.hpp"

namespace forkscope::ui {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kFrame{16};
constexpr milliseconds kBlink{266};  // of a VGA: 16 of its 60 frames a second, shown and hidden
constexpr milliseconds kTitle{250};
constexpr SDL_Point kTextMode{720, 400};

// The largest whole multiple of a screen that leaves some of the display free.
int comfortable_scale(SDL_Point size) {
    SDL_Rect usable;
    if (SDL_GetDisplayUsableBounds(0, &usable) != 0) return 1;
    return std::max(1, std::min(usable.w * 9 / 10 / size.x, usable.h * 9 / 10 / size.y));
}

}  // namespace

void Console::run(GuestLink& link) {
    start(link);
    while (!leaving_) {
        const auto begun = Clock::now();
        window_->handle_events(static_cast<int>(kFrame.count()),
                               [this](const SDL_Event& event) { handle(event); });
        take_what_the_guest_shows();
        tick();
        if (visible_ && dirty_) {
            draw_frame();
            // What comes meanwhile is drawn with the next frame.
            if (const auto rest = kFrame - (Clock::now() - begun); rest > milliseconds(0))
                SDL_Delay(static_cast<uint32_t>(std::chrono::ceil<milliseconds>(rest).count()));
        }
    }
    hands_->mouse.grab(false);
}

void Console::start(GuestLink& link) {
    link_ = &link;
    hands_.emplace(Hands{Keyboard(link), Mouse(*window_, link, screen_)});
    hands_->keyboard.set_mode(Keyboard::mode_for_layout());
    SDL_StartTextInput();
}

void Console::handle(const SDL_Event& event) {
    const ImGuiIO& io = ImGui::GetIO();
    switch (event.type) {
        case SDL_QUIT:
            close();
            break;
        case SDL_WINDOWEVENT:
            handle_window_event(event.window);
            break;
        case SDL_RENDER_TARGETS_RESET:
        case SDL_RENDER_DEVICE_RESET:
            screen_.forget_texture();
            dirty_ = true;
            break;
        case SDL_KEYMAPCHANGED:
            hands_->keyboard.set_mode(Keyboard::mode_for_layout());
            break;
        case SDL_KEYDOWN:
        case SDL_KEYUP:
            handle_key(event.key);
            break;
        case SDL_TEXTINPUT:
            if (!io.WantCaptureKeyboard) hands_->keyboard.text(event.text);
            break;
        case SDL_MOUSEBUTTONDOWN:
        case SDL_MOUSEBUTTONUP:
            if (io.WantCaptureMouse) break;
            if (hands_->mouse.button(event.button, view_.listens_to_mouse))
                paste(SDL_GetPrimarySelectionText());
            dirty_ = true;
            break;
        case SDL_MOUSEMOTION:
            hands_->mouse.motion(event.motion);
            dirty_ = dirty_ || hands_->mouse.selection().has_value();
            break;
        case SDL_MOUSEWHEEL:
            hands_->mouse.wheel(event.wheel);
            break;
        default:
            break;
    }
}

void Console::handle_window_event(const SDL_WindowEvent& event) {
    if (event.event == SDL_WINDOWEVENT_FOCUS_LOST) {
        hands_->keyboard.release_all();
        hands_->mouse.grab(false);
    }
    dirty_ = true;
}

void Console::handle_key(const SDL_KeyboardEvent& event) {
    if (event.type == SDL_KEYDOWN) {
        if (const auto action = action_of(event)) {
            const bool resizes = *action == Action::Larger || *action == Action::Smaller;
            // The guest has seen Ctrl and Alt go down; they were not meant for it.
            hands_->keyboard.release_all();
            if (event.repeat == 0 || resizes || *action == Action::Step) act(*action);
            return;
        }
        const SDL_Keycode key = event.keysym.sym;
        if (over_ && (key == SDLK_ESCAPE || key == SDLK_RETURN)) return close();
        if (ImGui::GetIO().WantCaptureKeyboard) return;
        const SDL_Scancode code = event.keysym.scancode;
        // The keys with which it may be copied leave it.
        if (code < SDL_SCANCODE_LCTRL || code > SDL_SCANCODE_RGUI) hands_->mouse.clear_selection();
    }
    if (!over_) hands_->keyboard.key(event);
}

// The first time it ends the run, whose log is then written; when that is done, the window.
void Console::close() {
    if (over_)
        leaving_ = true;
    else
        link_->wish(Wish::Quit);
    closing_ = true;
}

void Console::take_what_the_guest_shows() {
    if (GuestView view; link_->take_view(view)) {
        // Time alone shows in the title.
        dirty_ = dirty_ || view.screen != view_.screen || view.pixels != view_.pixels;
        view_ = std::move(view);
        if (!visible_) {
            visible_ = true;
            const SDL_Point size = view_.pixels ? SDL_Point{static_cast<int>(view_.pixels->width),
                                                            static_cast<int>(view_.pixels->height)}
                                                : kTextMode;
            const int scale = comfortable_scale(size);
            SDL_SetWindowSize(window_->handle(), size.x * scale, size.y * scale);
            window_->show();
        }
    }
    if (over_) return;
    if (const auto outcome = link_->outcome()) end(*outcome);
}

void Console::end(const std::string& outcome) {
    over_ = true;
    leaving_ = closing_ || !visible_ || at_end_ == AtEnd::Close;
    hands_->mouse.grab(false);
    overlay_.outcome(outcome + "  Esc or Enter closes the window.");
    dirty_ = true;
}

// What changes with time alone.
void Console::tick() {
    const auto now = Clock::now();
    if (overlay_.has_expired()) dirty_ = true;
    if (now >= next_blink_) {
        next_blink_ = now + kBlink;
        phase_ = phase_ == screen::BlinkPhase::Shown && !over_ ? screen::BlinkPhase::Hidden
                                                               : screen::BlinkPhase::Shown;
        dirty_ = true;
    }
    if (now >= next_title_) {
        next_title_ = now + kTitle;
        window_->set_title(title_of(view_, hands_->mouse.grabbed() ? MouseOwner::Guest : MouseOwner::Host));
    }
    if (hands_->mouse.take_marked())
        SDL_SetPrimarySelectionText(text_of(view_.screen, *hands_->mouse.selection()).c_str());
}

void Console::draw_frame() {
    dirty_ = false;
    const auto& selection = hands_->mouse.selection();
    if (view_.pixels)
        screen_.show(view_.pixels);
    else
        screen_.show(selection ? marked(view_.screen, *selection) : view_.screen, phase_);
    window_->begin_frame();
    const SDL_Point size = window_->pixels();
    screen_.render({0, 0, size.x, size.y});
    overlay_.draw();
    screen::Picture picture;
    window_->end_frame(picture_wanted_ ? &picture : nullptr);
    if (picture_wanted_) save(picture, "forkscope-window");
    picture_wanted_ = false;
}

Result<std::unique_ptr<GuestWindow>> GuestWindow::open(AtEnd at_end) {
    auto window = TRY(Window::open({"Forkscope", kTextMode.x, kTextMode.y}));
    return std::make_unique<Console>(std::move(window), at_end);
}

}  // namespace forkscope::ui
