// The window's life: frames, keys, a picture of it.
#include "tools/panels/window/view.hpp"

#include <SDL.h>
#include <imgui.h>
#include <imgui_impl_sdlrenderer.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "emu/screen/png.hpp"
#include "emu/ui/soft_draw.hpp"
#include "emu/ui/window.hpp"
#include "tools/panels/draw/workbench.hpp"
#include "tools/panels/window/keys.hpp"

namespace forkscope::panels {

namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kEnd = ~uint64_t{0};  // of the log

class View {
public:
    View(const ViewOptions& options, log::Reader& reader, std::unique_ptr<ui::Window> window)
        : options_(options),
          window_(std::move(window)),
          log_(reader),
          desk_(log_, std::filesystem::path(options.file).filename().string()),
          bench_(desk_) {
        desk_.scale = static_cast<float>(options.scale);
        desk_.colours = palette_of(options.theme == "light" ? Theme::Light : Theme::Dark);
        // A picture may take its time.
        const bool quick = options.screenshot.empty() && ui::is_software(window_->renderer());
        desk_.finish = quick ? Finish::Quick : Finish::Smooth;
        bench_.show(panel_named(options.panel).value_or(Panel::All));
        if (options.frame) {
            desk_.choose_frame(*options.frame);
            desk_.frame_is_kept = true;
        }
        // Arrow keys are ours: they go through time.
        ImGui::GetIO().ConfigFlags &= ~ImGuiConfigFlags_NavEnableKeyboard;
        make_fonts();
    }

    [[nodiscard]] Result<> run();
    [[nodiscard]] Result<> take_picture();
    [[nodiscard]] Result<ViewReport> measure();

private:
    void make_fonts();
    void frame();
    void handle(const SDL_Event& event);
    // Reads on for a part of a frame's time. True: nothing is left to read.
    bool work();
    void tell_title();
    // As soon as enough was read, to where the user wants to begin.
    [[nodiscard]] Result<> begin();
    void draw_frames(unsigned count) {
        for (unsigned i = 0; i < count; ++i) frame();
    }

    const ViewOptions& options_;
    std::unique_ptr<ui::Window> window_;
    LogView log_;
    Desk desk_;
    Workbench bench_;
    bool began_ = false;
    bool closed_ = false;
    uint64_t told_ = 0;  // revision of the moment that the title tells
    Clock::time_point last_frame_ = Clock::now();
};

// At the density of the display, so that letters are sharp on any.
void View::make_fonts() {
    const float density = std::max(0.5f, window_->density());
    desk_.fonts = load_fonts(desk_.scale * density);
    ImGui::GetIO().FontGlobalScale = 1 / density;
    ImGui_ImplSDLRenderer_DestroyFontsTexture();
    apply_theme(desk_.colours, desk_.scale, desk_.finish);
}

void View::frame() {
    if (bench_.take_rescale()) make_fonts();
    window_->begin_frame();
    bench_.draw();
    window_->end_frame();
}

void View::handle(const SDL_Event& event) {
    if (event.type == SDL_QUIT) closed_ = true;
    // Who wants to go elsewhere does not wait for the beginning.
    if (event.type == SDL_KEYDOWN || event.type == SDL_MOUSEBUTTONDOWN) began_ |= options_.fork == 0;
    if (event.type == SDL_KEYDOWN && !ImGui::GetIO().WantTextInput) bench_.obey(command_of(event.key));
}

bool View::work() {
    constexpr auto kShare = std::chrono::milliseconds(12);
    const auto start = Clock::now();
    while (!desk_.work())
        if (Clock::now() - start > kShare) return false;
    return true;
}

void View::tell_title() {
    if (log_.revision() == told_) return;
    told_ = log_.revision();
    window_->set_title(fmt::format("Forkscope: {}, {}", desk_.title(), log_.when()));
}

Result<> View::begin() {
    if (began_) return {};
    uint64_t at = options_.at;
    const auto& forks = log_.overview().forks();
    if (options_.fork > forks.size()) {
        if (!log_.all_read()) return {};
        return fail("there is no fork {} in '{}', which has {}", options_.fork, options_.file, forks.size());
    }
    if (options_.fork != 0) {
        desk_.open_story(options_.fork);
        if (at == kEnd) at = forks[options_.fork - 1].begin.event + 1;
    }
    // Until so much was read, the view goes along with the reading.
    began_ = at <= log_.read_events() || log_.all_read();
    log_.go_to(at);
    return {};
}

Result<> View::run() {
    constexpr int kIdleMs = 250;
    window_->show();
    unsigned due = 3;  // frames that ImGui needs to settle after something happened
    while (!closed_ && !bench_.wants_to_quit()) {
        const bool reads = !work();
        const bool idle = !reads && due == 0 && !desk_.playing;
        bool happened = false;
        window_->handle_events(idle ? kIdleMs : 0, [&](const SDL_Event& event) {
            happened = true;
            handle(event);
        });
        const auto now = Clock::now();
        bench_.play(std::chrono::duration<double>(now - last_frame_).count());
        last_frame_ = now;
        const bool was = began_;
        TRY_VOID(begin());
        if (happened || !was || desk_.playing) due = 3;
        if (reads) due = std::max(due, 1u);
        if (due == 0) continue;
        --due;
        tell_title();
        frame();
    }
    return {};
}

Result<> View::take_picture() {
    desk_.finish_work();
    TRY_VOID(begin());
    desk_.finish_work();
    // ImGui lays out by what the frames before have shown.
    draw_frames(4);
    window_->begin_frame();
    bench_.draw();
    screen::Picture picture;
    window_->end_frame(&picture);
    return screen::write_png(picture, options_.screenshot);
}

Result<ViewReport> View::measure() {
    desk_.finish_work();
    TRY_VOID(begin());
    log_.go_to(log_.event_count() / 2);
    draw_frames(4);
    std::vector<double> times;
    for (uint64_t i = 0; i < options_.frames; ++i) {
        const auto start = Clock::now();
        log_.go_to(log_.at() < log_.event_count() ? log_.at() + 1 : 0);
        frame();
        times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    }
    std::ranges::sort(times);
    return ViewReport{times[times.size() / 2], times.back()};
}

// Without a display a picture is taken all the same.
void need_no_display() {
    constexpr int kKeep = 0;
    setenv("SDL_VIDEODRIVER", "dummy", kKeep);
}

}  // namespace

Result<ViewReport> view(const ViewOptions& options) {
    const auto reader = TRY(log::Reader::open(options.file));
    const bool hidden = !options.screenshot.empty() || options.frames != 0;
    if (hidden) need_no_display();
    auto window =
        TRY(ui::Window::open({fmt::format("Forkscope: {}", options.file), options.width, options.height}));
    // The dummy display says that it is small, and takes any size.
    if (hidden) SDL_SetWindowSize(window->handle(), options.width, options.height);
    View view(options, *reader, std::move(window));
    if (options.frames != 0) return view.measure();
    if (hidden) {
        TRY_VOID(view.take_picture());
        return ViewReport{};
    }
    TRY_VOID(view.run());
    return ViewReport{};
}

}  // namespace forkscope::panels
