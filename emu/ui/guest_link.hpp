// What passes between the two threads of a run with a window: pictures of the guest one way; keys, the mouse
// and wishes the other. The window's thread never touches the machine, nor the machine's the window.
//
// Threads and locks: one mutex guards everything but attention_, and is held only to copy or move; no call is
// made under it. Each function says whose thread calls it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "emu/base/units.hpp"
#include "emu/screen/vga_text.hpp"

namespace forkscope::ui {

enum class GuestState : uint8_t { Starting, Running, Idle, Paused, Ended };

// A linear framebuffer: four bytes a pixel, blue, green, red and one that says nothing.
struct Pixels {
    unsigned width = 0, height = 0;
    std::vector<uint8_t> bytes;
};

// What the window shows.
struct GuestView {
    GuestState state = GuestState::Starting;
    screen::TextScreen screen;             // without cells while the screen is dark
    std::shared_ptr<const Pixels> pixels;  // instead of it, if there; another object when they have changed
    VirtualNs now = 0;
    bool listens_to_mouse = false;
    bool operator==(const GuestView&) const = default;
};

// A key by its usage in the keyboard page of the USB HID Usage Tables, which is also SDL's scan code.
struct KeyInput {
    uint16_t usage = 0;
    bool down = false;
    bool operator==(const KeyInput&) const = default;
};
// To be typed as the keys of a US keyboard; UTF-8. What is on none of them is left out.
struct TextInput {
    std::string text;
    bool operator==(const TextInput&) const = default;
};
struct MouseInput {
    int right = 0, up = 0;  // steps
    int wheel = 0;          // towards the person is positive
    uint8_t buttons = 0;    // bit 0 left, 1 right, 2 middle
    bool operator==(const MouseInput&) const = default;
};
using Input = std::variant<KeyInput, TextInput, MouseInput>;

// What the person at the window wants of the machine.
enum class Wish : uint8_t { Pause, GoOn, Step, Reset, Quit };

class GuestLink {
public:
    // The window's thread.
    void send(Input input);
    void wish(Wish wish);
    // True if there is a view that was not taken yet; it is then in `view`.
    [[nodiscard]] bool take_view(GuestView& view);
    // Once the machine's thread will touch this no more: one line about how it ended.
    [[nodiscard]] std::optional<std::string> outcome();

    // The machine's thread. A cheap question: whether there is input or a wish that was not taken.
    [[nodiscard]] bool wants_attention() const { return attention_.load(std::memory_order_acquire); }
    [[nodiscard]] std::vector<Input> take_inputs();
    void publish(GuestView view);
    // At most so long, less if something comes.
    void wait(std::chrono::nanoseconds longest);
    [[nodiscard]] bool paused();
    // One that was made while the machine stood still. Taking it uses it up.
    [[nodiscard]] bool take_step();
    // Quit or reset: the machine has to end.
    [[nodiscard]] bool must_end();
    // The reset, which is then used up. Another machine follows.
    [[nodiscard]] bool take_reset();
    void finish(std::string outcome);

private:
    std::atomic<bool> attention_{false};
    std::mutex mutex_;
    std::condition_variable changed_;  // attention_ was set
    std::vector<Input> inputs_;
    GuestView view_;
    bool view_is_new_ = false;
    bool paused_ = false, quit_ = false, reset_ = false;
    unsigned steps_ = 0;
    std::optional<std::string> outcome_;
};

}  // namespace forkscope::ui
