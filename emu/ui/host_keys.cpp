#include "emu/ui/host_keys.hpp"

namespace forkscope::ui {

namespace {

constexpr HostKey kKeys[] = {
    {Action::Help, SDLK_h, false, "H", "show or hide this list"},
    {Action::FullScreen, SDLK_f, false, "F", "full screen, and back"},
    {Action::Larger, SDLK_EQUALS, false, "=", "larger"},
    {Action::Smaller, SDLK_MINUS, false, "-", "smaller"},
    {Action::Grab, SDLK_g, false, "G", "give the mouse and Alt-F4 to the guest, or take them back"},
    {Action::Copy, SDLK_c, false, "C", "copy the marked text, or all of the screen"},
    {Action::Paste, SDLK_v, false, "V", "type what the clipboard holds"},
    {Action::Layout, SDLK_k, false, "K", "keys by their letters, or by their places on a US keyboard"},
    {Action::Pause, SDLK_p, false, "P", "pause the machine, or let it go on"},
    {Action::Step, SDLK_s, false, "S", "pause; then two virtual milliseconds at a time"},
    {Action::Reset, SDLK_r, false, "R",
     "start the machine anew; its log is closed, the next one is NAME-2.mmu"},
    {Action::Picture, SDLK_i, false, "I", "picture of the guest's screen, to a file"},
    {Action::WindowPicture, SDLK_i, true, "Shift-I", "picture of the window, to a file"},
    {Action::Theme, SDLK_b, false, "B", "bright or dark"},
    {Action::Quit, SDLK_q, false, "Q", "end the run, as closing the window does"},
};

}  // namespace

std::span<const HostKey> host_keys() { return kKeys; }

// The left Alt: the right one types characters on many keyboards.
std::optional<Action> action_of(const SDL_KeyboardEvent& event) {
    const unsigned modifiers = event.keysym.mod;
    if ((modifiers & KMOD_CTRL) == 0 || (modifiers & KMOD_LALT) == 0) return std::nullopt;
    const bool shift = (modifiers & KMOD_SHIFT) != 0;
    for (const HostKey& key : kKeys)
        if (key.key == event.keysym.sym && key.shift == shift) return key.action;
    return std::nullopt;
}

}  // namespace forkscope::ui
