// Terminals: a line discipline, a driver that moves bytes, and the processes that it belongs to.
#pragma once

#include "guest/abi/file.hpp"
#include "guest/abi/termios.hpp"
#include "guest/drivers/n_tty.hpp"
#include "guest/fs/file.hpp"
#include "guest/kernel/pid.hpp"
#include "guest/kernel/wait.hpp"
#include "guest/lib/spinlock.hpp"

namespace guest {

struct task_struct;
struct tty_struct;

// Sends bytes; does not return before they are on their way. Interrupts are off.
using tty_write_function = void (*)(tty_struct& tty, const char* text, size_t bytes);

// How a terminal begins, as Linux's tty_std_termios on a serial line.
inline constexpr abi::Termios kInitTermios{
    .c_iflag = abi::kICrNl | abi::kIXon,
    .c_oflag = abi::kOPost | abi::kONlCr,
    .c_cflag = abi::kB115200 | abi::kCs8 | abi::kCRead | abi::kHupCl | abi::kCLocal,
    .c_lflag = abi::kISig | abi::kICanon | abi::kEcho | abi::kEchoE | abi::kEchoK | abi::kEchoCtl |
               abi::kEchoKe | abi::kIExten,
    .c_line = 0,
    // ^C ^\ DEL ^U ^D, TIME 0, MIN 1, no swtch, ^Q ^S ^Z, no EOL, ^R ^O ^W ^V, no EOL2
    .c_cc = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0}};

struct tty_struct : tty_port {
    constexpr tty_struct(abi::dev_t number, tty_write_function write)
        : tty_port{put_bytes, signal_foreground, set_output_stopped},
          dev(number),
          driver_write(write),
          termios(kInitTermios),
          ldisc(*this, termios) {}

    const abi::dev_t dev;
    const tty_write_function driver_write;
    mutable spinlock_t lock;  // everything below; also taken by the driver's interrupt
    abi::Termios termios;
    abi::Winsize winsize{24, 80, 0, 0};
    n_tty ldisc;
    bool stopped = false;  // by ^S
    RefPtr<pid> session;   // whose controlling terminal it is
    RefPtr<pid> pgrp;      // in the foreground
    wait_queue_head read_wait;
    fasync_list fasync;
    wait_queue_head write_wait;

private:
    static void put_bytes(tty_port& port, const char* text, size_t bytes);
    static void signal_foreground(tty_port& port, int sig);
    static void set_output_stopped(tty_port& port, bool stopped);
};

// From the driver: bytes came in. Callable from interrupts.
void tty_receive(tty_struct& tty, const uint8_t* bytes, size_t count);

// Makes open find the terminal under its device number. Before any open.
void tty_register(tty_struct& tty);
// What /dev/console is.
void tty_set_console(tty_struct& tty);
// The device numbers of terminals: /dev/tty, /dev/console, /dev/ttyS0 ...
void tty_init();

// task, which leads a session, ends or gives up its terminal: the foreground gets SIGHUP and SIGCONT, and
// nobody in the session has a controlling terminal any more.
void disassociate_ctty(task_struct& task);

// tty_job.cpp: who may use a terminal now.
// A background process that reads or changes the terminal gets sig (SIGTTIN, SIGTTOU), and the call is
// restarted after it; Io if that would be for ever.
Result<> tty_check_change(tty_struct& tty, int sig);
// open without O_NOCTTY: the terminal becomes the session's, if it has none and the leader asks.
void tty_open_proc_set_tty(tty_struct& tty);
// The ioctls about sessions and process groups; NoTty for others.
Result<int64_t> tty_job_ioctl(tty_struct& tty, uint32_t request, uint64_t argument);

// tty_ioctl.cpp: all others.
Result<int64_t> tty_ioctl(file& f, uint32_t request, uint64_t argument);

[[nodiscard]] inline tty_struct& file_tty(const file& f) { return *static_cast<tty_struct*>(f.private_data); }

}  // namespace guest
