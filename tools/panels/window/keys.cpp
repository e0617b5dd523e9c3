// Which key does what; Workbench::draw_help() tells it to the user.
#include "tools/panels/window/keys.hpp"

namespace forkscope::panels {

Command command_of(const SDL_KeyboardEvent& key) {
    const bool shift = (key.keysym.mod & KMOD_SHIFT) != 0;
    const bool control = (key.keysym.mod & KMOD_CTRL) != 0;
    if (control) return key.keysym.sym == SDLK_q ? Command::Quit : Command::None;
    if (key.keysym.sym >= SDLK_0 && key.keysym.sym <= SDLK_7)
        return static_cast<Command>(static_cast<int>(Command::ShowAll) + (key.keysym.sym - SDLK_0));
    switch (key.keysym.sym) {
        case SDLK_RIGHT:
            return shift ? Command::FarForward : Command::Forward;
        case SDLK_LEFT:
            return shift ? Command::FarBack : Command::Back;
        case SDLK_UP:
            return Command::PreviousSpace;
        case SDLK_DOWN:
            return Command::NextSpace;
        case SDLK_PAGEDOWN:
            return Command::NextFork;
        case SDLK_PAGEUP:
            return Command::PreviousFork;
        case SDLK_HOME:
            return Command::Start;
        case SDLK_END:
            return Command::End;
        case SDLK_SPACE:
            return Command::Play;
        case SDLK_n:
            return Command::NextMistake;
        case SDLK_b:
            return Command::PreviousMistake;
        case SDLK_TAB:
            return shift ? Command::PreviousPanel : Command::NextPanel;
        case SDLK_i:
            return Command::ZoomIn;
        case SDLK_o:
            return Command::ZoomOut;
        case SDLK_a:
            return Command::ZoomAll;
        case SDLK_k:
            return Command::ToggleKernelHalf;
        case SDLK_t:
            return Command::ToggleTheme;
        case SDLK_PLUS:
        case SDLK_EQUALS:
        case SDLK_KP_PLUS:
            return Command::Larger;
        case SDLK_MINUS:
        case SDLK_KP_MINUS:
            return Command::Smaller;
        case SDLK_F1:
            return Command::Help;
        case SDLK_ESCAPE:
            return Command::Quit;
        default:
            return Command::None;
    }
}

}  // namespace forkscope::panels
