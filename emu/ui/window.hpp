// A window of the host, with what draws in it: SDL's renderer, and Dear ImGui over it. The one place that
// sets them up and takes them down. All of it belongs to the thread that opened it, which is the program's
// first.
#pragma once

#include <SDL.h>

#include <functional>
#include <memory>
#include <string>

#include "emu/base/result.hpp"
#include "emu/screen/picture.hpp"

namespace forkscope::ui {

enum class Theme : uint8_t { Dark, Light };

class Window {
public:
    struct Config {
        std::string title;
        int width = 0, height = 0;  // of the inside, in the host's units; made to fit the screen
    };
    using EventHandler = std::function<void(const SDL_Event&)>;

    // Hidden until show(). One at a time. The error says which display could not be opened, and why.
    static Result<std::unique_ptr<Window>> open(const Config& config);
    ~Window();
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;

    void show();
    void set_title(const std::string& title);
    void set_theme(Theme theme);

    // Waits up to wait_ms for an event, then hands on all that there are: first to Dear ImGui, then to the
    // handler (which asks ImGui::GetIO() whether ImGui wants them for itself).
    void handle_events(int wait_ms, const EventHandler& handler);

    // A frame: begin, draw with renderer() and ImGui, end. ImGui's windows come above what the renderer
    // draws.
    void begin_frame();
    // copy: gets the pixels of the frame.
    void end_frame(screen::Picture* copy = nullptr);

    [[nodiscard]] SDL_Renderer* renderer() { return renderer_; }
    [[nodiscard]] SDL_Window* handle() { return window_; }
    // Pixels of the inside; more than its units on a display of high resolution.
    [[nodiscard]] SDL_Point pixels() const;
    // Pixels a unit.
    [[nodiscard]] float density() const;

private:
    Window(SDL_Window* window, SDL_Renderer* renderer);

    SDL_Window* window_;
    SDL_Renderer* renderer_;
};

}  // namespace forkscope::ui
