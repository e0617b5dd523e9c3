#include "guest/drivers/vga_text.hpp"

#include "guest/arch/io.hpp"
#include "guest/mm/page.hpp"

namespace guest {

namespace {

constexpr uint64_t kTextMemory = 0xb8000;
constexpr uint16_t kCrtcIndex = 0x3d4, kCrtcData = 0x3d5;
enum Crtc : uint8_t {
    kCursorStart = 0x0a,
    kStartHigh = 0x0c,
    kStartLow = 0x0d,
    kCursorHigh = 0x0e,
    kCursorLow = 0x0f
};
constexpr unsigned kNowhere = ~0u;

constinit unsigned cursor_at = kNowhere;  // kNowhere: hidden
constinit uint8_t cursor_shape = 0;

uint8_t crtc(uint8_t index) {
    outb(kCrtcIndex, index);
    return inb(kCrtcData);
}
void set_crtc(uint8_t index, uint8_t value) {
    outb(kCrtcIndex, index);
    outb(kCrtcData, value);
}

}  // namespace

bool vga_init() {
    constexpr uint8_t kHidden = 0x20;
    set_crtc(kCursorLow, 0x5a);
    if (crtc(kCursorLow) != 0x5a) return false;
    set_crtc(kStartHigh, 0);
    set_crtc(kStartLow, 0);
    cursor_shape = crtc(kCursorStart) & ~kHidden;
    vga_hide_cursor();
    return true;
}

void vga_put_row(unsigned row, const vt_screen::Cell* cells) {
    auto* to = static_cast<volatile uint64_t*>(phys_to_virt(PhysAddr(kTextMemory))) +
               row * vt_screen::kColumns * sizeof(*cells) / 8;
    for (unsigned i = 0; i < vt_screen::kColumns * sizeof(*cells) / 8; ++i) {
        uint64_t four;
        __builtin_memcpy(&four, cells + i * 4, sizeof(four));
        if (to[i] != four) to[i] = four;
    }
}

void vga_put_cursor(unsigned column, unsigned row) {
    const unsigned at = row * vt_screen::kColumns + column;
    if (at == cursor_at) return;
    if (cursor_at == kNowhere) set_crtc(kCursorStart, cursor_shape);
    cursor_at = at;
    set_crtc(kCursorHigh, static_cast<uint8_t>(at >> 8));
    set_crtc(kCursorLow, static_cast<uint8_t>(at));
}

void vga_hide_cursor() {
    constexpr uint8_t kHidden = 0x20;
    cursor_at = kNowhere;
    set_crtc(kCursorStart, cursor_shape | kHidden);
}

}  // namespace guest
