// Keys to commands.
#pragma once

#include <SDL.h>

#include "tools/panels/draw/commands.hpp"

namespace forkscope::panels {

[[nodiscard]] Command command_of(const SDL_KeyboardEvent& key);

}  // namespace forkscope::panels
