// Dear ImGui's draw lists on SDL's software renderer, which is quick with rectangles and pictures and slow
// with triangles. Most of what ImGui draws are rectangles and letters in the shape of two triangles each.
#pragma once

#include <SDL.h>

struct ImDrawData;

namespace forkscope::ui {

[[nodiscard]] bool is_software(SDL_Renderer* renderer);

// Rectangles as rectangles, letters as parts of the font's texture, and the rest as triangles.
void soft_draw(SDL_Renderer* renderer, const ImDrawData& data);

}  // namespace forkscope::ui
