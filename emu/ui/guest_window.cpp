#include "emu/ui/guest_window.hpp"

#include <imgui.h>

#include <algorithm>
#include <chrono>

#include "emu/ui/host_keys.hpp"
#include "emu/ui/keyboard.hpp"
#include "emu/ui/mouse.hpp"
#include "emu/ui/overlay.hpp"
#include "emu/ui/picture_file.hpp"
#include "emu/ui/screen_view.hpp"
#include "emu/ui/title.hpp"
#include "emu/ui/window.hpp"

namespace forkscope::ui {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kFrame{16};
constexpr milliseconds kBlink{266};  // of a VGA: 16 of its 60 frames a second, shown and hidden
constexpr milliseconds kTitle{250};
constexpr SDL_Point kTextMode{720, 400};

// The largest whole multiple of a text screen that leaves some of the display free.
int comfortable_scale() {
    SDL_Rect usable;
    if (SDL_GetDisplayUsableBounds(0, &usable) != 0) return 1;
    return std::max(1, std::min(usable.w * 9 / 10 / kTextMode.x, usable.h * 9 / 10 / kTextMode.y));
}

class Console final : public GuestWindow {
public:
    Console(std::unique_ptr<Window> window, AtEnd at_end)
        : at_end_(at_end), window_(std::move(window)), screen_(window_->renderer()) {}

    void run(GuestLink& link) override;

private:
    struct Hands {  // what the person works with while a guest is there
        Keyboard keyboard;
        Mouse mouse;
    };

    void start(GuestLink& link);
    void handle(const SDL_Event& event);
    void handle_window_event(const SDL_WindowEvent& event);
    void handle_key(const SDL_KeyboardEvent& event);
    void act(Action action);
    void close();
    void take_what_the_guest_shows();
    void end(const std::string& outcome);
    void tick();
    void draw_frame();
    [[nodiscard]] bool full_screen() const;
    void toggle_full_screen();
    void resize(int step);
    void set_layout(Keyboard::Mode mode);
    void copy();
    void paste(char* text);
    void save(const screen::Picture& picture, const std::string& name);

    const AtEnd at_end_;
    std::unique_ptr<Window> window_;
    ScreenView screen_;
    Overlay overlay_;
    GuestLink* link_ = nullptr;
    std::optional<Hands> hands_;
    GuestView view_;
    bool visible_ = false, over_ = false, closing_ = false, leaving_ = false, dirty_ = true;
    bool picture_wanted_ = false;  // of the window, with the next frame
    SDL_Point size_before_{};      // before it filled the screen
    Theme theme_ = Theme::Dark;
    screen::BlinkPhase phase_ = screen::BlinkPhase::Shown;
    Clock::time_point next_blink_{}, next_title_{};
};

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
            return save(draw(view_.screen, screen::BlinkPhase::Shown), "forkscope");
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
        dirty_ = dirty_ || view.screen != view_.screen;
        view_ = std::move(view);
        if (!visible_) {
            visible_ = true;
            const int scale = comfortable_scale();
            SDL_SetWindowSize(window_->handle(), kTextMode.x * scale, kTextMode.y * scale);
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

}  // namespace

Result<std::unique_ptr<GuestWindow>> GuestWindow::open(AtEnd at_end) {
    auto window = TRY(Window::open({"Forkscope", kTextMode.x, kTextMode.y}));
    return std::make_unique<Console>(std::move(window), at_end);
}

}  // namespace forkscope::ui
