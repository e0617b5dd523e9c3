// The line discipline: what becomes of output on its way to the terminal.
#include "guest/drivers/n_tty.hpp"

namespace guest {

void n_tty::put_processed(char c) {
    if ((termios_.c_oflag & abi::kOPost) == 0) {
        port_.output(port_, &c, 1);
        return;
    }
    const auto flag = [this](abi::tcflag_t bit) { return (termios_.c_oflag & bit) != 0; };
    switch (c) {
        case '\n':
            if (flag(abi::kONlRet)) column_ = 0;
            if (flag(abi::kONlCr)) {
                column_ = 0;
                port_.output(port_, "\r\n", 2);
                return;
            }
            break;
        case '\r':
            if (flag(abi::kONoCr) && column_ == 0) return;
            if (flag(abi::kOCrNl)) {
                c = '\n';
                if (flag(abi::kONlRet)) column_ = 0;
                break;
            }
            column_ = 0;
            break;
        case '\t': {
            const unsigned width = kTabStop - column_ % kTabStop;
            column_ += width;
            if ((termios_.c_oflag & abi::kTabDly) != abi::kXTabs) break;
            port_.output(port_, "        ", width);
            return;
        }
        case '\b':
            if (column_ > 0) --column_;
            break;
        default:
            if (flag(abi::kOLcUc) && c >= 'a' && c <= 'z') c = static_cast<char>(c & ~0x20);
            if (!is_control(static_cast<uint8_t>(c)) && (static_cast<uint8_t>(c) & 0xc0) != 0x80) ++column_;
            break;
    }
    port_.output(port_, &c, 1);
}

}  // namespace guest
