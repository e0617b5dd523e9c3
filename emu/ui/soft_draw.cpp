#include "emu/ui/soft_draw.hpp"

#include <imgui.h>

#include <cmath>

namespace forkscope::ui {

namespace {

// Two triangles over one rectangle, as ImDrawList::PrimRect() and PrimRectUV() write them.
struct Quad {
    const ImDrawVert* corners[4];  // from the upper left one, clockwise

    [[nodiscard]] bool is_rectangle() const {
        const auto& [a, b, c, d] = corners;
        return a->pos.y == b->pos.y && b->pos.x == c->pos.x && c->pos.y == d->pos.y && d->pos.x == a->pos.x &&
               a->pos.x <= b->pos.x && a->pos.y <= d->pos.y && a->col == b->col && a->col == c->col &&
               a->col == d->col;
    }
    [[nodiscard]] bool has_one_texel() const {
        const auto& [a, b, c, d] = corners;
        const auto same = [](const ImVec2& x, const ImVec2& y) { return x.x == y.x && x.y == y.y; };
        return same(a->uv, b->uv) && same(a->uv, c->uv) && same(a->uv, d->uv);
    }
    [[nodiscard]] bool is_upright_picture() const {
        const auto& [a, b, c, d] = corners;
        return a->uv.y == b->uv.y && b->uv.x == c->uv.x && c->uv.y == d->uv.y && d->uv.x == a->uv.x &&
               a->uv.x < b->uv.x && a->uv.y < d->uv.y;
    }
};

// Pixels whose centres lie inside.
[[nodiscard]] SDL_Rect pixels_in(const ImVec2& from, const ImVec2& to) {
    const auto edge = [](float v) { return static_cast<int>(std::ceil(v - 0.5f)); };
    return {edge(from.x), edge(from.y), edge(to.x) - edge(from.x), edge(to.y) - edge(from.y)};
}

class Painter {
public:
    Painter(SDL_Renderer* renderer, const ImDrawData& data) : renderer_(renderer), data_(data) {}

    void list(const ImDrawList& list) {
        for (const ImDrawCmd& command : list.CmdBuffer) {
            if (command.UserCallback != nullptr || !clip(command)) continue;
            texture_ = static_cast<SDL_Texture*>(command.GetTexID());
            SDL_QueryTexture(texture_, nullptr, nullptr, &texture_size_.x, &texture_size_.y);
            elements(list, command);
        }
    }

private:
    [[nodiscard]] bool clip(const ImDrawCmd& command) {
        const ImVec2 at = data_.DisplayPos;
        const ImVec4& c = command.ClipRect;
        const SDL_Rect rect = {static_cast<int>(c.x - at.x), static_cast<int>(c.y - at.y),
                               static_cast<int>(c.z - c.x), static_cast<int>(c.w - c.y)};
        if (rect.w <= 0 || rect.h <= 0) return false;
        SDL_RenderSetClipRect(renderer_, &rect);
        return true;
    }

    void elements(const ImDrawList& list, const ImDrawCmd& command) {
        const ImDrawIdx* index = list.IdxBuffer.Data + command.IdxOffset;
        const ImDrawVert* vertices = list.VtxBuffer.Data + command.VtxOffset;
        const auto count = static_cast<int>(command.ElemCount);
        int waiting = 0;  // the first index of triangles that were not drawn yet
        for (int i = 0; i < count;) {
            const bool two = i + 6 <= count && index[i] == index[i + 3] && index[i + 2] == index[i + 4];
            if (!two) {
                i += 3;
                continue;
            }
            const Quad quad = {{vertices + index[i], vertices + index[i + 1], vertices + index[i + 2],
                                vertices + index[i + 5]}};
            const bool solid = quad.is_rectangle() && quad.has_one_texel();
            if (!solid && !(quad.is_rectangle() && quad.is_upright_picture())) {
                // The second triangle may begin another rectangle.
                i += 3;
                continue;
            }
            triangles(vertices, list.VtxBuffer.Size - static_cast<int>(command.VtxOffset), index + waiting,
                      i - waiting);
            solid ? fill(quad) : copy(quad);
            i += 6;
            waiting = i;
        }
        triangles(vertices, list.VtxBuffer.Size - static_cast<int>(command.VtxOffset), index + waiting,
                  count - waiting);
    }

    void fill(const Quad& quad) {
        const SDL_Rect rect = pixels_in(quad.corners[0]->pos, quad.corners[2]->pos);
        if (rect.w <= 0 || rect.h <= 0) return;
        const SDL_Color c = colour_of(quad);
        SDL_SetRenderDrawColor(renderer_, c.r, c.g, c.b, c.a);
        SDL_SetRenderDrawBlendMode(renderer_,
                                   c.a == SDL_ALPHA_OPAQUE ? SDL_BLENDMODE_NONE : SDL_BLENDMODE_BLEND);
        SDL_RenderFillRect(renderer_, &rect);
    }

    void copy(const Quad& quad) {
        const SDL_Rect rect = pixels_in(quad.corners[0]->pos, quad.corners[2]->pos);
        const auto texels = [](float part, int size) {
            return static_cast<int>(std::lround(part * static_cast<float>(size)));
        };
        const ImVec2& from = quad.corners[0]->uv;
        const ImVec2& to = quad.corners[2]->uv;
        const int x = texels(from.x, texture_size_.x);
        const int y = texels(from.y, texture_size_.y);
        const SDL_Rect source = {x, y, texels(to.x, texture_size_.x) - x, texels(to.y, texture_size_.y) - y};
        if (rect.w <= 0 || rect.h <= 0 || source.w <= 0 || source.h <= 0) return;
        const SDL_Color c = colour_of(quad);
        SDL_SetTextureColorMod(texture_, c.r, c.g, c.b);
        SDL_SetTextureAlphaMod(texture_, c.a);
        SDL_RenderCopy(renderer_, texture_, &source, &rect);
    }

    void triangles(const ImDrawVert* vertices, int vertex_count, const ImDrawIdx* index, int count) {
        if (count <= 0) return;
        SDL_SetTextureColorMod(texture_, 0xff, 0xff, 0xff);
        SDL_SetTextureAlphaMod(texture_, 0xff);
        constexpr int kStride = sizeof(ImDrawVert);
        SDL_RenderGeometryRaw(renderer_, texture_, &vertices->pos.x, kStride,
                              reinterpret_cast<const SDL_Color*>(&vertices->col), kStride, &vertices->uv.x,
                              kStride, vertex_count, index, count, sizeof(ImDrawIdx));
    }

    [[nodiscard]] static SDL_Color colour_of(const Quad& quad) {
        const ImU32 c = quad.corners[0]->col;
        const auto part = [c](int shift) { return static_cast<Uint8>((c >> shift) & 0xff); };
        return {part(IM_COL32_R_SHIFT), part(IM_COL32_G_SHIFT), part(IM_COL32_B_SHIFT),
                part(IM_COL32_A_SHIFT)};
    }

    SDL_Renderer* renderer_;
    const ImDrawData& data_;
    SDL_Texture* texture_ = nullptr;
    SDL_Point texture_size_{};
};

}  // namespace

bool is_software(SDL_Renderer* renderer) {
    SDL_RendererInfo info;
    return SDL_GetRendererInfo(renderer, &info) == 0 && (info.flags & SDL_RENDERER_SOFTWARE) != 0;
}

void soft_draw(SDL_Renderer* renderer, const ImDrawData& data) {
    Painter painter(renderer, data);
    for (int i = 0; i < data.CmdListsCount; ++i) painter.list(*data.CmdLists[i]);
    SDL_RenderSetClipRect(renderer, nullptr);
}

}  // namespace forkscope::ui
