// The line discipline: what a terminal does with each character that arrives before a program reads it
// (man 3 termios). It knows no hardware, no tasks and no locks: its owner calls it with the terminal locked,
// and gives it a place for echoes and signals.
#pragma once

#include "guest/abi/termios.hpp"

namespace guest {

// What the discipline asks of the terminal it belongs to, which derives from this.
struct tty_port {
    // To the screen, already in its final form.
    void (*output)(tty_port& port, const char* text, size_t bytes);
    // To the foreground processes.
    void (*signal)(tty_port& port, int sig);
    // ^S and ^Q.
    void (*set_stopped)(tty_port& port, bool stopped);
};

class n_tty {
public:
    static constexpr unsigned kTabStop = 8;  // columns
    static constexpr size_t kBuffer = 4096;  // characters, a power of two

    constexpr n_tty(tty_port& port, const abi::Termios& termios) : port_(port), termios_(termios) {}

    // One character from the line.
    void receive(uint8_t c);

    // Characters that a read would get now: those of finished lines, or all in non-canonical mode.
    [[nodiscard]] size_t available() const;
    // Whether a read need not wait: a line is finished (it may be empty: end of file), or `least` characters
    // are there.
    [[nodiscard]] bool readable(size_t least) const;
    // Whether receive() has a place for a character. Without a finished line it throws away what it has no
    // place for, so that the line can be ended.
    [[nodiscard]] bool has_room() const {
        return used() < kBuffer - 1 || (lflag(abi::kICanon) && committed_ == tail_);
    }
    // Takes characters for a read: in canonical mode at most one line. 0 of a finished line: end of file.
    size_t take(char* to, size_t room);

    // Output processing: c as the terminal is to get it.
    void put_processed(char c);

    void flush_input();
    // The mode changed between canonical and not: what is there can be read at once.
    void mode_changed();

private:
    [[nodiscard]] static bool is_control(uint8_t c) { return c < ' ' || c == 0x7f; }
    [[nodiscard]] bool lflag(abi::tcflag_t bit) const { return (termios_.c_lflag & bit) != 0; }
    [[nodiscard]] bool iflag(abi::tcflag_t bit) const { return (termios_.c_iflag & bit) != 0; }
    [[nodiscard]] bool is_cc(uint8_t c, size_t which) const;
    [[nodiscard]] size_t used() const { return head_ - tail_; }
    [[nodiscard]] uint8_t at(size_t position) const {
        return static_cast<uint8_t>(buffer_[position % kBuffer]);
    }
    [[nodiscard]] bool is_line_end(size_t position) const;
    void set_line_end(size_t position, bool on);

    bool receive_flow(uint8_t c);
    bool receive_signal(uint8_t c);
    bool receive_editing(uint8_t c);
    void accept(uint8_t c);
    void append(uint8_t c, bool ends_line);
    void finish_line(uint8_t c);
    void send_signal(uint8_t c, int sig);

    void erase_char();
    void erase_word();
    void erase_line(uint8_t c);
    void reprint(uint8_t c);
    void erase_echo(uint8_t c);
    [[nodiscard]] unsigned width_of_tab() const;

    void echo(uint8_t c);
    void echo_raw(const char* text);
    void echo_control(uint8_t c);

    tty_port& port_;
    const abi::Termios& termios_;
    char buffer_[kBuffer] = {};
    uint64_t line_ends_[kBuffer / 64] = {};
    // Positions count characters ever; tail_ <= committed_ <= head_.
    size_t tail_ = 0;           // next to be read
    size_t committed_ = 0;      // end of the last finished line
    size_t head_ = 0;           // next to be written
    unsigned column_ = 0;       // of the cursor, as far as the output tells
    unsigned line_column_ = 0;  // where the unfinished line began
    bool literal_next_ = false;
};

}  // namespace guest
