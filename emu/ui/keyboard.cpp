#include "emu/ui/keyboard.hpp"

#include <string_view>
#include <utility>

namespace forkscope::ui {

namespace {

constexpr unsigned kCommandModifiers = KMOD_CTRL | KMOD_LALT | KMOD_GUI;

// What a US keyboard writes without Shift, by scan code from SDL_SCANCODE_A; \0: does not write.
constexpr std::string_view kUsLetters{
    "abcdefghijklmnopqrstuvwxyz1234567890"
    "\0\0\0\0 -=[]\\\0;'`,./",
    53};
static_assert(SDL_SCANCODE_A + kUsLetters.size() == SDL_SCANCODE_CAPSLOCK);

char us_letter(SDL_Scancode code) {
    const auto at = static_cast<size_t>(code) - SDL_SCANCODE_A;
    return code >= SDL_SCANCODE_A && at < kUsLetters.size() ? kUsLetters[at] : '\0';
}

bool writes(SDL_Scancode code) {
    return us_letter(code) != '\0' || code == SDL_SCANCODE_NONUSHASH || code == SDL_SCANCODE_NONUSBACKSLASH ||
           (code >= SDL_SCANCODE_INTERNATIONAL1 && code <= SDL_SCANCODE_INTERNATIONAL9);
}

}  // namespace

Keyboard::Mode Keyboard::mode_for_layout() {
    for (size_t at = 0; at < kUsLetters.size(); ++at) {
        const auto code = static_cast<SDL_Scancode>(SDL_SCANCODE_A + at);
        const char letter = us_letter(code);
        if (letter != '\0' && SDL_GetKeyFromScancode(code) != letter) return Mode::Letters;
    }
    return Mode::Places;
}

bool Keyboard::is_text(const SDL_KeyboardEvent& event) const {
    return mode_ == Mode::Letters && (event.keysym.mod & kCommandModifiers) == 0 &&
           writes(event.keysym.scancode);
}

// By letters, Ctrl and Alt go with the letter that is printed on the key.
uint16_t Keyboard::usage_of(const SDL_KeyboardEvent& event) const {
    const SDL_Keycode letter = event.keysym.sym;
    if (mode_ == Mode::Letters && letter > ' ' && letter < 0x7f)
        if (const size_t at = kUsLetters.find(static_cast<char>(letter)); at != std::string_view::npos)
            return static_cast<uint16_t>(SDL_SCANCODE_A + at);
    return static_cast<uint16_t>(event.keysym.scancode);
}

void Keyboard::key(const SDL_KeyboardEvent& event) {
    const SDL_Scancode code = event.keysym.scancode;
    if (code < 0 || code >= SDL_NUM_SCANCODES) return;
    if (event.type == SDL_KEYUP) {
        if (const uint16_t usage = std::exchange(held_[code], uint16_t{0}); usage != 0)
            link_.send(KeyInput{usage, false});
        return;
    }
    const bool chooses_characters = mode_ == Mode::Letters && code == SDL_SCANCODE_RALT;
    const bool modifier = code >= SDL_SCANCODE_LCTRL && code <= SDL_SCANCODE_RGUI;
    if (!modifier) last_was_text_ = is_text(event);
    if (chooses_characters || is_text(event)) return;
    if (held_[code] == 0) held_[code] = usage_of(event);
    link_.send(KeyInput{held_[code], true});
}

void Keyboard::text(const SDL_TextInputEvent& event) {
    if (mode_ == Mode::Letters && last_was_text_) link_.send(TextInput{event.text});
}

void Keyboard::release_all() {
    for (uint16_t& usage : held_)
        if (const uint16_t sent = std::exchange(usage, uint16_t{0}); sent != 0)
            link_.send(KeyInput{sent, false});
}

}  // namespace forkscope::ui
