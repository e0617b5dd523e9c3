// Two themes and their fonts.
#include "tools/panels/draw/theme.hpp"

#include <unistd.h>

#include <string>

namespace forkscope::panels {

namespace {

constexpr ImU32 rgb(uint32_t hex) {
    return IM_COL32((hex >> 16) & 0xff, (hex >> 8) & 0xff, hex & 0xff, 0xff);
}

// Okabe and Ito.
constexpr ImU32 kOrange = rgb(0xe69f00);
constexpr ImU32 kSky = rgb(0x56b4e9);
constexpr ImU32 kGreen = rgb(0x009e73);
constexpr ImU32 kYellow = rgb(0xf0e442);
constexpr ImU32 kBlue = rgb(0x0072b2);
constexpr ImU32 kVermilion = rgb(0xd55e00);
constexpr ImU32 kPurple = rgb(0xcc79a7);

[[nodiscard]] Palette dark() {
    Palette p;
    p.theme = Theme::Dark;
    p.back = rgb(0x14171c);
    p.panel = rgb(0x1c2027);
    p.line = rgb(0x363d49);
    p.text = rgb(0xe6e9ee);
    p.dim = rgb(0x8d96a5);
    p.accent = kYellow;
    p.glow = kOrange;
    p.warning = rgb(0xf0743a);
    p.good = rgb(0x2fc296);
    p.shared = kSky;
    p.table = kPurple;
    p.kernel = rgb(0x5b6472);
    p.cache = rgb(0x3d4654);
    p.tasks = {rgb(0x2fc296), kOrange, rgb(0x2f6fe0), rgb(0xe8703a), rgb(0xb5ad35)};
    return p;
}

[[nodiscard]] Palette light() {
    Palette p;
    p.theme = Theme::Light;
    p.back = rgb(0xeceef1);
    p.panel = rgb(0xffffff);
    p.line = rgb(0xc9ced6);
    p.text = rgb(0x1b1f26);
    p.dim = rgb(0x646c7a);
    p.accent = kVermilion;
    p.glow = rgb(0xf0b400);
    p.warning = rgb(0xc23f00);
    p.good = rgb(0x007a59);
    p.shared = kSky;
    p.table = rgb(0xb85a8e);
    p.kernel = rgb(0xa3abb8);
    p.cache = rgb(0xd5dae1);
    p.tasks = {kGreen, rgb(0xd08f00), kBlue, kVermilion, rgb(0x8f8600)};
    return p;
}

}  // namespace

Palette palette_of(Theme theme) { return theme == Theme::Dark ? dark() : light(); }

ImU32 Palette::of_kind(log::EventKind kind) const {
    using log::EventKind;
    switch (kind) {
        case EventKind::PteWrite:
        case EventKind::PteFound:
            return glow;
        case EventKind::TableLink:
        case EventKind::TableUnlink:
        case EventKind::RootDeath:
            return table;
        case EventKind::PageFault:
        case EventKind::FaultResolved:
        case EventKind::Finding:
            return warning;
        case EventKind::TlbFill:
        case EventKind::Flush:
        case EventKind::Cr3Switch:
            return shared;
        case EventKind::Syscall:
        case EventKind::SyscallReturn:
        case EventKind::SyscallArguments:
        case EventKind::Interrupt:
            return good;
        default:
            return dim;
    }
}

ImU32 faded(ImU32 colour, float alpha) {
    const auto old = static_cast<float>((colour >> IM_COL32_A_SHIFT) & 0xff);
    return (colour & ~IM_COL32_A_MASK) | (static_cast<ImU32>(old * alpha) << IM_COL32_A_SHIFT);
}

ImVec4 vec(ImU32 colour) { return ImGui::ColorConvertU32ToFloat4(colour); }

void apply_theme(const Palette& p, float scale, Finish finish) {
    ImGuiStyle& style = ImGui::GetStyle();
    style = ImGuiStyle();
    p.theme == Theme::Dark ? ImGui::StyleColorsDark() : ImGui::StyleColorsLight();
    style.WindowPadding = {10, 8};
    style.FramePadding = {8, 4};
    style.ItemSpacing = {8, 5};
    style.CellPadding = {6, 2};
    style.FrameRounding = style.GrabRounding = style.TabRounding = 4;
    style.ChildRounding = style.PopupRounding = 6;
    style.WindowBorderSize = 0;
    style.ChildBorderSize = style.PopupBorderSize = 1;
    style.ScrollbarSize = 11;
    if (finish == Finish::Quick) {
        style.AntiAliasedLines = style.AntiAliasedFill = false;
        style.FrameRounding = style.GrabRounding = style.TabRounding = style.ScrollbarRounding = 0;
        style.ChildRounding = style.PopupRounding = 0;
    }
    style.ScaleAllSizes(scale);
    const auto set = [&style](int which, ImU32 colour) { style.Colors[which] = vec(colour); };
    set(ImGuiCol_WindowBg, p.back);
    set(ImGuiCol_ChildBg, p.panel);
    set(ImGuiCol_PopupBg, p.panel);
    set(ImGuiCol_Border, p.line);
    set(ImGuiCol_Text, p.text);
    set(ImGuiCol_TextDisabled, p.dim);
    set(ImGuiCol_FrameBg, faded(p.line, 0.55f));
    set(ImGuiCol_FrameBgHovered, faded(p.line, 0.9f));
    set(ImGuiCol_FrameBgActive, p.line);
    set(ImGuiCol_Button, faded(p.line, 0.55f));
    set(ImGuiCol_ButtonHovered, p.line);
    set(ImGuiCol_ButtonActive, faded(p.accent, 0.5f));
    set(ImGuiCol_Header, faded(p.accent, 0.22f));
    set(ImGuiCol_HeaderHovered, faded(p.line, 0.7f));
    set(ImGuiCol_HeaderActive, faded(p.accent, 0.35f));
    set(ImGuiCol_CheckMark, p.accent);
    set(ImGuiCol_TableHeaderBg, p.panel);
    set(ImGuiCol_TableBorderLight, faded(p.line, 0.5f));
    set(ImGuiCol_TableBorderStrong, p.line);
    set(ImGuiCol_TableRowBgAlt, faded(p.line, 0.13f));
    set(ImGuiCol_ScrollbarBg, faded(p.line, 0.15f));
    set(ImGuiCol_ScrollbarGrab, p.line);
    set(ImGuiCol_Tab, p.panel);
    set(ImGuiCol_TabHovered, p.line);
    set(ImGuiCol_TabActive, faded(p.accent, 0.3f));
    set(ImGuiCol_Separator, p.line);
    set(ImGuiCol_NavHighlight, p.accent);
}

namespace {

[[nodiscard]] ImFont* load(const char* name, float pixels) {
    // Latin, punctuation, arrows, and a few signs.
    static constexpr ImWchar kRanges[] = {0x20,   0x17f,  0x2010, 0x2027, 0x2190, 0x2195,
                                          0x25a0, 0x25d0, 0x2715, 0x2716, 0};
    // Letters lie on whole pixels, in the texture as on the screen.
    ImFontConfig snapped;
    snapped.OversampleH = 1;
    snapped.PixelSnapH = true;
    const std::string path = std::string("/usr/share/fonts/truetype/dejavu/") + name;
    ImGuiIO& io = ImGui::GetIO();
    if (access(path.c_str(), R_OK) == 0)
        if (ImFont* font = io.Fonts->AddFontFromFileTTF(path.c_str(), pixels, &snapped, kRanges)) return font;
    ImFontConfig config;
    config.SizePixels = pixels;
    return io.Fonts->AddFontDefault(&config);
}

}  // namespace

Fonts load_fonts(float scale) {
    constexpr float kText = 14;  // pixels
    ImGui::GetIO().Fonts->Clear();
    Fonts fonts;
    const auto at = [scale](float pixels) {
        return static_cast<float>(static_cast<int>(pixels * scale + 0.5f));
    };
    fonts.text = load("DejaVuSans.ttf", at(kText));
    fonts.mono = load("DejaVuSansMono.ttf", at(kText - 1));
    fonts.small = load("DejaVuSans.ttf", at(kText - 3));
    fonts.title = load("DejaVuSans-Bold.ttf", at(kText));
    return fonts;
}

}  // namespace forkscope::panels
