#include "emu/ui/window.hpp"

#include <imgui.h>
#include <imgui_impl_sdl.h>
#include <imgui_impl_sdlrenderer.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "emu/ui/soft_draw.hpp"

namespace forkscope::ui {

namespace {

constexpr float kFontPixels = 13;  // of ImGui's own font, which is crisp in whole multiples of it

const char* or_unset(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr && *value != '\0' ? value : "unset";
}

Result<> open_display() {
    const auto where = [] {
        return fmt::format("DISPLAY is {}, WAYLAND_DISPLAY {}, SDL_VIDEODRIVER {}", or_unset("DISPLAY"),
                           or_unset("WAYLAND_DISPLAY"), or_unset("SDL_VIDEODRIVER"));
    };
    if (SDL_Init(SDL_INIT_VIDEO) != 0)
        return fail("no window can be opened: {} ({})", SDL_GetError(), where());
    // Where there is no display SDL takes one that nobody sees; that must have been asked for.
    const std::string driver = SDL_GetCurrentVideoDriver();
    if ((driver == "offscreen" || driver == "dummy") && std::getenv("SDL_VIDEODRIVER") == nullptr) {
        SDL_Quit();
        return fail("no window can be opened: there is no display ({})", where());
    }
    return {};
}

// The renderer of the host's choice, or else one that needs no graphics hardware.
SDL_Renderer* make_renderer(SDL_Window* window) {
    if (SDL_Renderer* renderer = SDL_CreateRenderer(window, -1, SDL_RENDERER_PRESENTVSYNC)) return renderer;
    return SDL_CreateRenderer(window, -1, SDL_RENDERER_SOFTWARE);
}

SDL_Point fit_the_screen(SDL_Point wanted) {
    SDL_Rect usable;
    if (SDL_GetDisplayUsableBounds(0, &usable) != 0 || usable.w <= 0 || usable.h <= 0) return wanted;
    return {std::min(wanted.x, usable.w), std::min(wanted.y, usable.h)};
}

}  // namespace

Result<std::unique_ptr<Window>> Window::open(const Config& config) {
    // Signals are the program's own business.
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_RENDER_SCALE_QUALITY, "nearest");
    // What the processor has drawn goes to the display without another renderer in between.
    SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
    // A click that gives the window the focus is also a click.
    SDL_SetHint(SDL_HINT_MOUSE_FOCUS_CLICKTHROUGH, "1");
    TRY_VOID(open_display());
    const SDL_Point size = fit_the_screen({config.width, config.height});
    SDL_Window* window =
        SDL_CreateWindow(config.title.c_str(), SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED, size.x, size.y,
                         SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI | SDL_WINDOW_HIDDEN);
    SDL_Renderer* renderer = window != nullptr ? make_renderer(window) : nullptr;
    if (renderer == nullptr) {
        const std::string why = SDL_GetError();
        if (window != nullptr) SDL_DestroyWindow(window);
        SDL_Quit();
        return fail("no window can be opened: {}", why);
    }
    return std::unique_ptr<Window>(new Window(window, renderer));
}

Window::Window(SDL_Window* window, SDL_Renderer* renderer) : window_(window), renderer_(renderer) {
    ImGui::CreateContext();
    ImGuiIO& io = ImGui::GetIO();
    io.IniFilename = nullptr;
    io.ConfigFlags |= ImGuiConfigFlags_NavEnableKeyboard;
    const float scale = std::max(1.0f, std::round(density()));
    ImFontConfig font;
    font.SizePixels = kFontPixels * scale;
    // Its letters are drawn for whole pixels.
    font.OversampleH = font.OversampleV = 1;
    font.PixelSnapH = true;
    io.Fonts->AddFontDefault(&font);
    io.FontGlobalScale = 1 / scale;
    set_theme(Theme::Dark);
    ImGui_ImplSDL2_InitForSDLRenderer(window_);
    ImGui_ImplSDLRenderer_Init(renderer_);
}

Window::~Window() {
    ImGui_ImplSDLRenderer_Shutdown();
    ImGui_ImplSDL2_Shutdown();
    ImGui::DestroyContext();
    SDL_DestroyRenderer(renderer_);
    SDL_DestroyWindow(window_);
    SDL_Quit();
}

void Window::show() { SDL_ShowWindow(window_); }

void Window::set_title(const std::string& title) { SDL_SetWindowTitle(window_, title.c_str()); }

void Window::set_theme(Theme theme) {
    if (theme == Theme::Dark)
        ImGui::StyleColorsDark();
    else
        ImGui::StyleColorsLight();
}

void Window::handle_events(int wait_ms, const EventHandler& handler) {
    SDL_Event event;
    for (int more = SDL_WaitEventTimeout(&event, wait_ms); more != 0; more = SDL_PollEvent(&event)) {
        ImGui_ImplSDL2_ProcessEvent(&event);
        handler(event);
    }
}

void Window::begin_frame() {
    ImGui_ImplSDLRenderer_NewFrame();
    ImGui_ImplSDL2_NewFrame();
    ImGui::NewFrame();
    SDL_SetRenderDrawColor(renderer_, 0, 0, 0, SDL_ALPHA_OPAQUE);
    SDL_RenderClear(renderer_);
}

void Window::end_frame(screen::Picture* copy) {
    ImGui::Render();
    const ImDrawData& data = *ImGui::GetDrawData();
    const bool whole = data.FramebufferScale.x == 1 && data.FramebufferScale.y == 1;
    if (whole && is_software(renderer_))
        soft_draw(renderer_, data);
    else
        ImGui_ImplSDLRenderer_RenderDrawData(ImGui::GetDrawData());
    if (copy != nullptr) {
        const SDL_Point size = pixels();
        *copy = screen::Picture(static_cast<unsigned>(size.x), static_cast<unsigned>(size.y));
        SDL_RenderReadPixels(renderer_, nullptr, SDL_PIXELFORMAT_RGB24, copy->pixels.data(),
                             size.x * static_cast<int>(sizeof(screen::Rgb)));
    }
    SDL_RenderPresent(renderer_);
}

SDL_Point Window::pixels() const {
    SDL_Point size{};
    if (SDL_GetRendererOutputSize(renderer_, &size.x, &size.y) != 0)
        SDL_GetWindowSize(window_, &size.x, &size.y);
    return size;
}

float Window::density() const {
    int units = 0;
    SDL_GetWindowSize(window_, &units, nullptr);
    return units > 0 ? static_cast<float>(pixels().x) / static_cast<float>(units) : 1;
}

}  // namespace forkscope::ui
