// The line discipline.
#include "guest/drivers/n_tty.hpp"

#include "guest/abi/signal.hpp"

namespace guest {

namespace {

constexpr uint8_t kDisabled = 0;  // in c_cc: no character has this meaning
// What stands in the buffer for ^D: ends a line and is not read itself.
constexpr uint8_t kEofMark = 0;
constexpr uint8_t kErrorMark = 0xff;  // PARMRK

bool is_word(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c >= 0x80;
}

}  // namespace

bool n_tty::is_cc(uint8_t c, size_t which) const { return c != kDisabled && termios_.c_cc[which] == c; }

bool n_tty::is_line_end(size_t position) const {
    return (line_ends_[position % kBuffer / 64] >> position % 64 & 1) != 0;
}

void n_tty::set_line_end(size_t position, bool on) {
    uint64_t& word = line_ends_[position % kBuffer / 64];
    const uint64_t bit = uint64_t{1} << position % 64;
    word = on ? word | bit : word & ~bit;
}

void n_tty::receive(uint8_t c) {
    if (iflag(abi::kIstrip)) c &= 0x7f;
    if (iflag(abi::kIUclc) && lflag(abi::kIExten) && c >= 'A' && c <= 'Z') c = static_cast<uint8_t>(c | 0x20);
    if (literal_next_) {
        literal_next_ = false;
        accept(c);
        return;
    }
    if (iflag(abi::kIXon) && receive_flow(c)) return;
    if (lflag(abi::kISig) && receive_signal(c)) return;
    if (c == '\r') {
        if (iflag(abi::kIgnCr)) return;
        if (iflag(abi::kICrNl)) c = '\n';
    } else if (c == '\n' && iflag(abi::kINlCr)) {
        c = '\r';
    }
    if (lflag(abi::kICanon) && receive_editing(c)) return;
    accept(c);
}

bool n_tty::receive_flow(uint8_t c) {
    if (is_cc(c, abi::kVStart)) {
        port_.set_stopped(port_, false);
    } else if (is_cc(c, abi::kVStop)) {
        port_.set_stopped(port_, true);
    } else {
        return false;
    }
    return true;
}

bool n_tty::receive_signal(uint8_t c) {
    if (is_cc(c, abi::kVIntr)) {
        send_signal(c, abi::kSigInt);
    } else if (is_cc(c, abi::kVQuit)) {
        send_signal(c, abi::kSigQuit);
    } else if (is_cc(c, abi::kVSusp)) {
        send_signal(c, abi::kSigTstp);
    } else {
        return false;
    }
    return true;
}

void n_tty::send_signal(uint8_t c, int sig) {
    if (!lflag(abi::kNoFlsh)) flush_input();
    if (iflag(abi::kIXon)) port_.set_stopped(port_, false);
    if (lflag(abi::kEcho)) echo(c);
    port_.signal(port_, sig);
}

// Canonical mode: characters that edit the line or end it.
bool n_tty::receive_editing(uint8_t c) {
    if (is_cc(c, abi::kVErase)) {
        erase_char();
    } else if (is_cc(c, abi::kVKill)) {
        erase_line(c);
    } else if (lflag(abi::kIExten) && is_cc(c, abi::kVWerase)) {
        erase_word();
    } else if (lflag(abi::kIExten) && is_cc(c, abi::kVLnext)) {
        literal_next_ = true;
        if (lflag(abi::kEcho) && lflag(abi::kEchoCtl)) echo_raw("^\b");
    } else if (lflag(abi::kIExten) && lflag(abi::kEcho) && is_cc(c, abi::kVReprint)) {
        reprint(c);
    } else if (c == '\n') {
        if (lflag(abi::kEcho) || lflag(abi::kEchoNl)) put_processed('\n');
        finish_line('\n');
    } else if (is_cc(c, abi::kVEof)) {
        finish_line(kEofMark);
    } else if (is_cc(c, abi::kVEol) || (lflag(abi::kIExten) && is_cc(c, abi::kVEol2))) {
        if (lflag(abi::kEcho)) echo(c);
        finish_line(c);
    } else {
        return false;
    }
    return true;
}

// A full buffer rings the bell. Canonical mode keeps one place free, so that the line can be finished.
void n_tty::accept(uint8_t c) {
    const size_t limit = lflag(abi::kICanon) ? kBuffer - 1 : kBuffer;
    if (used() >= limit) {
        if (iflag(abi::kIMaxBel)) echo_raw("\a");
        return;
    }
    if (head_ == committed_) line_column_ = column_;
    if (lflag(abi::kEcho)) echo(c);
    // So that it is not taken for the mark of an error, which begins with it.
    if (iflag(abi::kParMrk) && c == kErrorMark && used() + 1 < limit) append(c, false);
    append(c, false);
    if (!lflag(abi::kICanon)) committed_ = head_;
}

void n_tty::append(uint8_t c, bool ends_line) {
    buffer_[head_ % kBuffer] = static_cast<char>(c);
    set_line_end(head_, ends_line);
    ++head_;
}

void n_tty::finish_line(uint8_t c) {
    if (used() >= kBuffer) return;
    append(c, true);
    committed_ = head_;
}

size_t n_tty::available() const {
    const size_t end = lflag(abi::kICanon) ? committed_ : head_;
    return end - tail_;
}

bool n_tty::readable(size_t least) const {
    if (lflag(abi::kICanon)) return committed_ != tail_;
    return used() >= least;
}

size_t n_tty::take(char* to, size_t room) {
    const bool canonical = lflag(abi::kICanon);
    const size_t end = canonical ? committed_ : head_;
    size_t taken = 0;
    while (tail_ != end) {
        const uint8_t c = at(tail_);
        const bool ends = is_line_end(tail_);
        // ^D is not read itself; one that follows a full buffer still ends this line and not the next read.
        const bool mark = canonical && ends && c == kEofMark;
        if (!mark) {
            if (taken == room) break;
            to[taken++] = static_cast<char>(c);
        }
        ++tail_;
        if (canonical && ends) break;
    }
    return taken;
}

void n_tty::flush_input() {
    tail_ = committed_ = head_;
    literal_next_ = false;
}

void n_tty::mode_changed() { committed_ = head_; }

// The last character of the unfinished line goes; one in UTF-8 with all its bytes.
void n_tty::erase_char() {
    while (head_ != committed_) {
        const uint8_t c = at(--head_);
        const bool continuation = (c & 0xc0) == 0x80;
        if (iflag(abi::kIUtf8) && continuation && head_ != committed_) continue;
        if (lflag(abi::kEcho)) erase_echo(c);
        return;
    }
}

void n_tty::erase_word() {
    bool seen_word = false;
    while (head_ != committed_) {
        const bool word = is_word(at(head_ - 1));
        if (seen_word && !word) return;
        seen_word = seen_word || word;
        erase_char();
    }
}

void n_tty::erase_line(uint8_t c) {
    if (!lflag(abi::kEcho)) {
        head_ = committed_;
        return;
    }
    if (lflag(abi::kEchoK) && lflag(abi::kEchoKe) && lflag(abi::kEchoE)) {
        while (head_ != committed_) erase_char();
        return;
    }
    head_ = committed_;
    echo(c);
    if (lflag(abi::kEchoK)) put_processed('\n');
}

void n_tty::reprint(uint8_t c) {
    echo_control(c);
    put_processed('\n');
    for (size_t position = committed_; position != head_; ++position) echo(at(position));
}

// Takes a character that head_ no longer includes off the screen.
void n_tty::erase_echo(uint8_t c) {
    if (!lflag(abi::kEchoE)) {
        echo(termios_.c_cc[abi::kVErase]);
        return;
    }
    if (c == '\t') {
        for (unsigned width = width_of_tab(); width > 0; --width) echo_raw("\b");
        return;
    }
    if (is_control(c)) {
        if (!lflag(abi::kEchoCtl)) return;
        echo_raw("\b \b");
    }
    echo_raw("\b \b");
}

// How far a tab at head_ went, counted from where the line began.
unsigned n_tty::width_of_tab() const {
    unsigned column = line_column_;
    for (size_t position = committed_; position != head_; ++position) {
        const uint8_t c = at(position);
        if (c == '\t') {
            column += kTabStop - column % kTabStop;
        } else if (is_control(c)) {
            if (lflag(abi::kEchoCtl)) column += 2;
        } else if (!iflag(abi::kIUtf8) || (c & 0xc0) != 0x80) {
            ++column;
        }
    }
    return kTabStop - column % kTabStop;
}

void n_tty::echo(uint8_t c) {
    if (is_control(c) && c != '\t' && c != '\n' && lflag(abi::kEchoCtl)) {
        echo_control(c);
    } else {
        put_processed(static_cast<char>(c));
    }
}

void n_tty::echo_control(uint8_t c) {
    const char text[3] = {'^', static_cast<char>(c ^ 0x40), '\0'};
    echo_raw(text);
}

void n_tty::echo_raw(const char* text) {
    for (; *text != '\0'; ++text) put_processed(*text);
}

}  // namespace guest
