// The screen's cells and cursor: printing, moving, scrolling, erasing.
#include "guest/drivers/vt_screen.hpp"

namespace guest {

namespace {

void copy_cells(vt_screen::Cell* to, const vt_screen::Cell* from, unsigned count) {
    if (to <= from) {
        for (unsigned i = 0; i < count; ++i) to[i] = from[i];
    } else {
        for (unsigned i = count; i-- > 0;) to[i] = from[i];
    }
}

// The special graphics of a VT100, for the characters 0x5f to 0x7e.
constexpr uint8_t kGraphics[32] = {' ',  0x04, 0xb1, 0xfe, 0xfe, 0xfe, 0xfe, 0xf8, 0xf1, 0xfe, 0xfe,
                                   0xd9, 0xbf, 0xda, 0xc0, 0xc5, 0xc4, 0xc4, 0xc4, 0xc4, 0x5f, 0xc3,
                                   0xb4, 0xc1, 0xc2, 0xb3, 0xf3, 0xf2, 0xe3, 0xd8, 0x9c, 0xfa};

unsigned at_most(unsigned value, unsigned limit) { return value < limit ? value : limit; }

}  // namespace

const vt_screen::Cell* vt_screen::shown_row(unsigned row, unsigned back) const {
    back = at_most(back, history_used_);
    if (row >= back) return cells_ + (row - back) * kColumns;
    return lines_ + (history_next_ + kHistory - back + row) % kHistory * kColumns;
}

vt_screen::Cell vt_screen::blank() const {
    return static_cast<Cell>((pen_.background << 4 | kNormal) << 8 | ' ');
}

vt_screen::Cell vt_screen::cell_of(uint8_t code) const {
    unsigned front = pen_.foreground, back = pen_.background;
    // Without intensity of their own, underlined and faint text get a colour, as on Linux.
    if (pen_.underline) front = 3;
    if (pen_.faint) front = 8;
    if (pen_.bold && front < 8) front += 8;
    if (pen_.reverse != modes_.reverse) {
        const unsigned swap = front & 7;
        front = back | (front & 8);
        back = swap;
    }
    return static_cast<Cell>(((pen_.blink ? 0x80u : 0u) | back << 4 | front) << 8 | code);
}

void vt_screen::print(uint32_t character) {
    if (character == 0xfeff || (character >= 0x200b && character <= 0x200f)) return;  // of no width
    const bool graphics = charsets_[shifted_] == Charset::Graphics && character >= 0x5f && character < 0x7f;
    const uint8_t code = graphics ? kGraphics[character - 0x5f] : cp437_of(character);
    if (wraps_next_) {
        x_ = 0;
        line_feed();
    }
    if (modes_.insert) insert_characters(1);
    row_of(y_)[x_] = cell_of(code);
    wraps_next_ = x_ == kColumns - 1 && modes_.autowrap;
    if (x_ < kColumns - 1) ++x_;
}

void vt_screen::clear(unsigned from, unsigned to) {
    for (unsigned i = from; i < to; ++i) cells_[i] = blank();
}

void vt_screen::erase_display(unsigned what) {
    const unsigned at = y_ * kColumns + x_;
    if (what == 0) clear(at, kRows * kColumns);
    if (what == 1) clear(0, at + 1);
    if (what == 2 || what == 3) clear(0, kRows * kColumns);
    if (what == 3) history_used_ = 0;
    wraps_next_ = false;
}

void vt_screen::erase_line(unsigned what) {
    const unsigned start = y_ * kColumns;
    if (what == 0) clear(start + x_, start + kColumns);
    if (what == 1) clear(start, start + x_ + 1);
    if (what == 2) clear(start, start + kColumns);
    wraps_next_ = false;
}

void vt_screen::move_to(unsigned x, unsigned y) {
    x_ = at_most(x, kColumns - 1);
    y_ = at_most(y, kRows - 1);
    wraps_next_ = false;
}

void vt_screen::move_in_region(unsigned x, unsigned y) {
    if (modes_.origin)
        move_to(x, at_most(y + top_, bottom_));
    else
        move_to(x, y);
}

// The region's edges hold the cursor that starts inside.
void vt_screen::up(unsigned n) {
    const unsigned edge = y_ >= top_ ? top_ : 0;
    move_to(x_, y_ - edge < n ? edge : y_ - n);
}

void vt_screen::down(unsigned n) {
    const unsigned edge = y_ <= bottom_ ? bottom_ : kRows - 1;
    move_to(x_, edge - y_ < n ? edge : y_ + n);
}

void vt_screen::line_feed() {
    if (y_ == bottom_)
        scroll_up(top_, 1, History::Kept);
    else if (y_ < kRows - 1)
        ++y_;
    wraps_next_ = false;
}

void vt_screen::reverse_line_feed() {
    if (y_ == top_)
        scroll_down(top_, 1);
    else if (y_ > 0)
        --y_;
    wraps_next_ = false;
}

void vt_screen::remember_row(const Cell* row) {
    copy_cells(lines_ + history_next_ * kColumns, row, kColumns);
    history_next_ = (history_next_ + 1) % kHistory;
    if (history_used_ < kHistory) ++history_used_;
}

// Rows from `top` to the region's bottom.
void vt_screen::scroll_up(unsigned top, unsigned n, History history) {
    const unsigned rows = bottom_ - top + 1;
    n = at_most(n, rows);
    if (top == 0 && history == History::Kept)
        for (unsigned i = 0; i < n; ++i) remember_row(row_of(i));
    copy_cells(row_of(top), row_of(top + n), (rows - n) * kColumns);
    clear((bottom_ + 1 - n) * kColumns, (bottom_ + 1) * kColumns);
}

void vt_screen::scroll_down(unsigned top, unsigned n) {
    const unsigned rows = bottom_ - top + 1;
    n = at_most(n, rows);
    copy_cells(row_of(top + n), row_of(top), (rows - n) * kColumns);
    clear(top * kColumns, (top + n) * kColumns);
}

void vt_screen::insert_characters(unsigned n) {
    n = at_most(n, kColumns - x_);
    Cell* row = row_of(y_);
    copy_cells(row + x_ + n, row + x_, kColumns - x_ - n);
    clear(y_ * kColumns + x_, y_ * kColumns + x_ + n);
}

void vt_screen::delete_characters(unsigned n) {
    n = at_most(n, kColumns - x_);
    Cell* row = row_of(y_);
    copy_cells(row + x_, row + x_ + n, kColumns - x_ - n);
    clear((y_ + 1) * kColumns - n, (y_ + 1) * kColumns);
}

void vt_screen::save() { saved_ = {x_, y_, pen_, {charsets_[0], charsets_[1]}, shifted_}; }

void vt_screen::restore() {
    pen_ = saved_.pen;
    charsets_[0] = saved_.charsets[0];
    charsets_[1] = saved_.charsets[1];
    shifted_ = saved_.shifted;
    move_to(saved_.x, saved_.y);
}

}  // namespace guest
