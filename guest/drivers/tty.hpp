// Terminals: a line discipline, a driver that moves bytes, and the processes that it belongs to.
#pragma once

#include "guest/abi/file.hpp"
#include "guest/abi/termios.hpp"
#include "guest/drivers/n_tty.hpp"
#include "guest/fs/file.hpp"
#include "guest/kernel/pid.hpp"
#include "guest/kernel/wait.hpp"
#include "guest/lib/refcount.hpp"
#include "guest/lib/spinlock.hpp"

namespace guest {

struct task_struct;
struct tty_struct;

// A real line is hung up when the session ends that it belongs to. The master of a pseudo-terminal stays.
enum class TtyLine : uint8_t { Real, Pseudo };

// What a driver does; a null operation does nothing.
struct tty_operations {
    TtyLine line = TtyLine::Real;
    // Sends bytes, for which there is room. tty.lock is held.
    void (*write)(tty_struct& tty, const char* text, size_t bytes) = nullptr;
    // How many bytes can be sent now. Null: any number. tty.lock is held.
    size_t (*write_room)(const tty_struct& tty) = nullptr;
    // Sent bytes that are still on their way are thrown away. tty.lock is held.
    void (*flush_output)(tty_struct& tty) = nullptr;
    // The owner of the other end may want to know: abi::kPkt* (man 2 ioctl_tty). tty.lock is held.
    void (*report)(tty_struct& tty, uint8_t what) = nullptr;
    // A read made room for more input.
    void (*unthrottle)(tty_struct& tty) = nullptr;
    // There is a first description of it; there is none any more. tty.lock is held.
    void (*opened)(tty_struct& tty) = nullptr;
    void (*closed)(tty_struct& tty) = nullptr;
    // The last reference is gone. Null: it never goes.
    void (*free)(tty_struct& tty) = nullptr;
};

// How a terminal begins, as Linux's tty_std_termios, with the line settings in c_cflag.
constexpr abi::Termios init_termios(abi::tcflag_t cflag) {
    return {.c_iflag = abi::kICrNl | abi::kIXon,
            .c_oflag = abi::kOPost | abi::kONlCr,
            .c_cflag = cflag,
            .c_lflag = abi::kISig | abi::kICanon | abi::kEcho | abi::kEchoE | abi::kEchoK | abi::kEchoCtl |
                       abi::kEchoKe | abi::kIExten,
            .c_line = 0,
            // ^C ^\ DEL ^U ^D, TIME 0, MIN 1, no swtch, ^Q ^S ^Z, no EOL, ^R ^O ^W ^V, no EOL2
            .c_cc = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0}};
}

struct tty_struct : tty_port, RefCounted<tty_struct> {
    constexpr tty_struct(abi::dev_t number, const tty_operations& operations, abi::tcflag_t cflag,
                         abi::Winsize size)
        : tty_port{put_bytes, signal_foreground, set_output_stopped},
          dev(number),
          ops(operations),
          termios(init_termios(cflag)),
          winsize(size),
          ldisc(*this, termios) {}
    void release();  // for RefCounted

    const abi::dev_t dev;
    const tty_operations& ops;
    mutable spinlock_t lock;  // everything below; also taken by the driver's interrupt
    abi::Termios termios;
    uint32_t other_ispeed = 0, other_ospeed = 0;  // bits a second, where c_cflag says kBOther
    abi::Winsize winsize;
    n_tty ldisc;
    bool stopped = false;       // by ^S or tcflow
    bool exclusive = false;     // TIOCEXCL
    bool other_closed = false;  // of a pseudo-terminal: nobody is at the other end any more
    uint32_t count = 0;         // descriptions that are open
    uint32_t hangups = 0;       // so far; who opened it before the last one has nothing of it any more
    RefPtr<pid> session;        // whose controlling terminal it is
    RefPtr<pid> pgrp;           // in the foreground
    wait_queue_head read_wait;
    fasync_list fasync;
    wait_queue_head write_wait;

private:
    static void put_bytes(tty_port& port, const char* text, size_t bytes);
    static void signal_foreground(tty_port& port, int sig);
    static void set_output_stopped(tty_port& port, bool stopped);
};

// What an open description of a terminal keeps.
struct tty_file {
    KMEM_CACHED()
    RefPtr<tty_struct> tty;
    uint32_t hangups;  // of the terminal when it was opened
    bool console;      // opened as /dev/console, which does not hang up
};
[[nodiscard]] inline tty_file& file_tty_data(const file& f) {
    return *static_cast<tty_file*>(f.private_data);
}
[[nodiscard]] inline tty_struct& file_tty(const file& f) { return *file_tty_data(f).tty; }
// The terminal was hung up since f was opened.
[[nodiscard]] inline bool tty_hung_up(const file& f) {
    const tty_file& data = file_tty_data(f);
    return data.hangups != data.tty->hangups && !data.console;
}

// Makes f, whose open this is part of, a description of the terminal. Busy, NoMem.
enum class TtyName : uint8_t { Own, Console, Current };  // what it was opened by: the last is /dev/tty
Result<> tty_open_file(file& f, RefPtr<tty_struct> tty, TtyName name);

// From the driver: bytes came in. Callable from interrupts.
void tty_receive(tty_struct& tty, const uint8_t* bytes, size_t count);

// Makes open find the terminal under its device number. Before any open.
void tty_register(tty_struct& tty);
// What /dev/console is.
void tty_set_console(tty_struct& tty);
// The device numbers of terminals: /dev/tty, /dev/console, /dev/ttyS0 ... and pseudo-terminals.
void tty_init();

// One character can become as many on its way out: a tab.
inline constexpr size_t kMostOutput = 8;
// Whether a character can be written now. tty.lock is held.
[[nodiscard]] bool tty_can_write(const tty_struct& tty);

// tty_io.cpp: of file_operations.
Result<size_t> tty_read(file& f, iov_iter& to, abi::loff_t& pos);
Result<size_t> tty_write(file& f, iov_iter& from, abi::loff_t& pos);
uint32_t tty_poll(file& f, poll_table* table);
void tty_fasync(file& f, int fd, bool on);

// tty_job.cpp: who may use a terminal now.
// signal_struct::tty has a reference and is guarded by tasklist_lock, which is not held for these.
// The controlling terminal of a process, or null.
[[nodiscard]] RefPtr<tty_struct> get_task_tty(task_struct& task);
void proc_clear_tty(task_struct& task);
// Nobody in the session has a controlling terminal any more. The caller has a reference to it.
void session_clear_tty(pid* session);
// A background process that reads or changes the terminal gets sig (SIGTTIN, SIGTTOU), and the call is
// restarted after it; Io if that would be for ever.
Result<> tty_check_change(tty_struct& tty, int sig);
// open without O_NOCTTY: the terminal becomes the session's, if it has none and the leader asks.
void tty_open_proc_set_tty(tty_struct& tty);
// The ioctls about sessions and process groups; NoTty for others. From the master of a pseudo-terminal, tty
// is its slave.
enum class TtySide : uint8_t { Own, Master };
Result<int64_t> tty_job_ioctl(file& f, tty_struct& tty, TtySide side, uint32_t request, uint64_t argument);

// tty_hangup.cpp: whoever has the terminal open has nothing of it any more, and its session loses it: the
// leader gets SIGHUP and SIGCONT, the foreground SIGHUP as well if that is because the leader ends.
enum class HangupFor : uint8_t { Line, SessionEnd };
void tty_vhangup(tty_struct& tty, HangupFor reason);
// task, which leads a session, ends or gives up its terminal.
enum class LeaderDoes : uint8_t { End, GiveUp };
void disassociate_ctty(task_struct& task, LeaderDoes what);

// tty_ioctl.cpp: all others.
Result<int64_t> tty_ioctl(file& f, uint32_t request, uint64_t argument);
// The settings, in the form that the request is about.
Result<int64_t> tty_get_mode(const tty_struct& tty, uint32_t request, uint64_t argument);
Result<int64_t> tty_set_mode(tty_struct& tty, uint32_t request, uint64_t argument);
Result<int64_t> tty_ioctl_from(file& f, tty_struct& tty, TtySide side, uint32_t request, uint64_t argument);

}  // namespace guest
