#include "emu/screen/vga_text.hpp"

#include <algorithm>

#include "roms/font8x16.hpp"

namespace forkscope::screen {

namespace {

enum Crtc : unsigned {
    kDisplayedColumns = 1,
    kOverflow = 7,
    kMaxScanLine = 9,
    kCursorStart = 0xa,
    kCursorEnd = 0xb,
    kStartHigh = 0xc,
    kStartLow = 0xd,
    kCursorHigh = 0xe,
    kCursorLow = 0xf,
    kDisplayedLines = 0x12,
    kOffset = 0x13,
};
constexpr unsigned kAttributeMode = 0x10, kColourSelect = 0x14;
constexpr uint8_t kGraphicsMode = 1, kLineGraphics = 4, kBlinks = 8,
                  kPaletteFromSelect = 0x80;  // of the attribute mode
constexpr uint8_t kScreenOn = 0x20;           // of the attribute index
constexpr unsigned kMostColumns = 160, kMostRows = 100;

Rgb eight_bits(const devices::Vga::Colour& c) {
    const auto wide = [](uint8_t six) { return static_cast<uint8_t>(six << 2 | six >> 4); };
    return {wide(c.red), wide(c.green), wide(c.blue)};
}

Rgb palette_colour(const devices::Vga::Regs& vga, unsigned n) {
    const unsigned select = vga.attribute[kColourSelect];
    unsigned index = vga.attribute[n] & 0x3fu;
    if ((vga.attribute[kAttributeMode] & kPaletteFromSelect) != 0) index = (index & 0xf) | (select & 3) << 4;
    index |= (select & 0xc) << 4;
    return eight_bits(vga.dac[index & vga.dac_mask]);
}

unsigned displayed_lines(const devices::Vga::Regs& vga) {
    const unsigned overflow = vga.crtc[kOverflow];
    return (vga.crtc[kDisplayedLines] | (overflow & 2) << 7 | (overflow & 0x40) << 3) + 1;
}

std::optional<Cursor> cursor_of(const devices::Vga::Regs& vga, const TextScreen& screen, unsigned start,
                                unsigned pitch) {
    constexpr uint8_t kCursorOff = 0x20;
    const uint8_t first = vga.crtc[kCursorStart], last = vga.crtc[kCursorEnd];
    if ((first & kCursorOff) != 0) return std::nullopt;
    const unsigned at = vga.crtc[kCursorHigh] * 256u + vga.crtc[kCursorLow];
    if (at < start || pitch == 0) return std::nullopt;
    const unsigned row = (at - start) / pitch, column = (at - start) % pitch;
    if (row >= screen.rows || column >= screen.columns) return std::nullopt;
    const unsigned top = first & 0x1f, bottom = std::min(last & 0x1fu, screen.cell_height - 1);
    if (top > bottom) return std::nullopt;
    return Cursor{column, row, top, bottom};
}

// The ninth column of a cell repeats the eighth where lines have to meet.
bool joins(uint8_t code) { return code >= 0xc0 && code <= 0xdf; }

void draw_cell(Picture& picture, const TextScreen& screen, unsigned column, unsigned row, BlinkPhase phase) {
    const unsigned width = screen.nine_wide ? 9 : 8;
    const Cell& cell = screen.cells[row * screen.columns + column];
    const Rgb back = screen.palette[cell.background];
    const Rgb front = cell.blinks && phase == BlinkPhase::Hidden ? back : screen.palette[cell.foreground];
    const auto font = roms::font8x16();
    for (unsigned y = 0; y < screen.cell_height; ++y) {
        unsigned bits = 0;
        if (y < roms::kFontHeight) bits = font[cell.code * roms::kFontHeight + y] * 2u;
        if (screen.lines_join && joins(cell.code)) bits |= bits >> 1 & 1;
        Rgb* pixel = &picture.at(column * width, row * screen.cell_height + y);
        for (unsigned x = 0; x < width; ++x) pixel[x] = (bits >> (8 - x) & 1) != 0 ? front : back;
    }
}

}  // namespace

bool shows_text(const devices::Vga::Regs& vga) {
    return (vga.attribute_index & kScreenOn) != 0 && (vga.attribute[kAttributeMode] & kGraphicsMode) == 0 &&
           (vga.graphics[6] & 1) == 0;
}

TextScreen read_text(const devices::Vga::Regs& vga, std::span<const uint8_t> memory) {
    constexpr uint8_t kEightWide = 1;  // of sequencer register 1
    TextScreen screen;
    screen.cell_height = (vga.crtc[kMaxScanLine] & 0x1fu) + 1;
    screen.columns = std::min(vga.crtc[kDisplayedColumns] + 1u, kMostColumns);
    screen.rows = std::clamp(displayed_lines(vga) / screen.cell_height, 1u, kMostRows);
    screen.nine_wide = (vga.sequencer[1] & kEightWide) == 0;
    screen.lines_join = (vga.attribute[kAttributeMode] & kLineGraphics) != 0;
    for (unsigned n = 0; n < screen.palette.size(); ++n) screen.palette[n] = palette_colour(vga, n);

    const unsigned start = vga.crtc[kStartHigh] * 256u + vga.crtc[kStartLow];
    const unsigned pitch = vga.crtc[kOffset] * 2u;
    const bool blinks = (vga.attribute[kAttributeMode] & kBlinks) != 0;
    screen.cells.reserve(size_t{screen.rows} * screen.columns);
    for (unsigned row = 0; row < screen.rows; ++row) {
        for (unsigned column = 0; column < screen.columns; ++column) {
            const size_t at = (start + row * pitch + column) * size_t{2} % (memory.size() & ~size_t{1});
            const uint8_t attribute = memory[at + 1];
            Cell cell{memory[at], static_cast<uint8_t>(attribute & 0xf), static_cast<uint8_t>(attribute >> 4),
                      false};
            if (blinks) {
                cell.blinks = (attribute & 0x80) != 0;
                cell.background &= 7;
            }
            screen.cells.push_back(cell);
        }
    }
    screen.cursor = cursor_of(vga, screen, start, pitch);
    return screen;
}

std::string to_utf8(const TextScreen& screen) {
    std::string text;
    for (unsigned row = 0; row < screen.rows; ++row) {
        std::string line;
        size_t used = 0;
        for (unsigned column = 0; column < screen.columns; ++column) {
            const uint8_t code = screen.cells[row * screen.columns + column].code;
            const char32_t c = code == 0 || code == 0xff ? U' ' : roms::unicode_of(code);
            if (c < 0x80) {
                line += static_cast<char>(c);
            } else if (c < 0x800) {
                line += static_cast<char>(0xc0 | c >> 6);
                line += static_cast<char>(0x80 | (c & 0x3f));
            } else {
                line += static_cast<char>(0xe0 | c >> 12);
                line += static_cast<char>(0x80 | (c >> 6 & 0x3f));
                line += static_cast<char>(0x80 | (c & 0x3f));
            }
            if (c != U' ') used = line.size();
        }
        line.resize(used);
        text += line + "\n";
    }
    return text;
}

Picture draw(const TextScreen& screen, BlinkPhase phase) {
    const unsigned width = screen.nine_wide ? 9 : 8;
    Picture picture(screen.columns * width, screen.rows * screen.cell_height);
    for (unsigned row = 0; row < screen.rows; ++row)
        for (unsigned column = 0; column < screen.columns; ++column)
            draw_cell(picture, screen, column, row, phase);
    if (!screen.cursor || phase == BlinkPhase::Hidden) return picture;
    const Cursor& c = *screen.cursor;
    const Rgb colour = screen.palette[screen.cells[c.row * screen.columns + c.column].foreground];
    for (unsigned y = c.first_line; y <= c.last_line; ++y)
        for (unsigned x = 0; x < width; ++x)
            picture.at(c.column * width + x, c.row * screen.cell_height + y) = colour;
    return picture;
}

}  // namespace forkscope::screen
