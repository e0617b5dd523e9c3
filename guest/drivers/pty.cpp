// Pseudo-terminals: the pair, and its slave as a terminal's driver.
#include "guest/drivers/pty.hpp"

#include "guest/abi/signal.hpp"
#include "guest/drivers/pty_pair.hpp"
#include "guest/fs/devpts.hpp"
#include "guest/fs/poll.hpp"
#include "guest/fs/special.hpp"

namespace guest {

namespace {

constexpr uint32_t kPtsMajor = 136;

pty_pair& pair_of(const tty_struct& slave) {
    return *const_cast<pty_pair*>(static_cast<const pty_pair*>(&slave));
}

void slave_write(tty_struct& slave, const char* text, size_t bytes) {
    pty_pair& pair = pair_of(slave);
    for (size_t i = 0; i < bytes && pair.used() < pty_pair::kRing; ++i)
        pair.ring[pair.head++ % pty_pair::kRing] = text[i];
    wake_up_poll(pair.master_read_wait, abi::kPollReadable);
    kill_fasync(pair.master_fasync, abi::kPollInCode);
}

size_t slave_write_room(const tty_struct& slave) { return pty_pair::kRing - pair_of(slave).used(); }

void slave_report(tty_struct& slave, uint8_t what) {
    pty_pair& pair = pair_of(slave);
    if (!pair.packet) return;
    // Of two that exclude each other, the later one.
    constexpr uint8_t kOpposites[][2] = {{abi::kPktStop, abi::kPktStart}, {abi::kPktNoStop, abi::kPktDoStop}};
    for (const auto& [one, other] : kOpposites) {
        if ((what & one) != 0) pair.packet_status &= static_cast<uint8_t>(~other);
        if ((what & other) != 0) pair.packet_status &= static_cast<uint8_t>(~one);
    }
    pair.packet_status |= what;
    wake_up_poll(pair.master_read_wait, abi::kPollReadable | abi::kPollPri);
}

void slave_flush_output(tty_struct& slave) {
    pty_pair& pair = pair_of(slave);
    pair.tail = pair.head;
    slave_report(slave, abi::kPktFlushWrite);
    wake_up_poll(slave.write_wait, abi::kPollWritable);
}

void slave_unthrottle(tty_struct& slave) {
    wake_up_poll(pair_of(slave).master_write_wait, abi::kPollWritable);
}

void slave_opened(tty_struct& slave) { pair_of(slave).slave_closed = false; }

void slave_closed(tty_struct& slave) {
    pty_pair& pair = pair_of(slave);
    pair.slave_closed = true;
    wake_up_poll(pair.master_read_wait, abi::kPollReadable | abi::kPollHup);
    wake_up_poll(pair.master_write_wait, abi::kPollWritable | abi::kPollHup);
}

void slave_free(tty_struct& slave) { delete &pair_of(slave); }

constexpr tty_operations kSlaveOperations{.line = TtyLine::Pseudo,
                                          .write = slave_write,
                                          .write_room = slave_write_room,
                                          .flush_output = slave_flush_output,
                                          .report = slave_report,
                                          .unthrottle = slave_unthrottle,
                                          .opened = slave_opened,
                                          .closed = slave_closed,
                                          .free = slave_free};

Result<> pts_open(inode& node, file& f) {
    RefPtr<tty_struct> slave;
    {
        const mutex_guard guard(devpts_mutex);
        slave = RefPtr<tty_struct>(static_cast<tty_struct*>(devpts_private(node)));
    }
    if (!slave) return Errno::Io;
    {
        const spinlock_guard guard(slave->lock);
        if (pair_of(*slave).locked || slave->other_closed) return Errno::Io;
    }
    return tty_open_file(f, std::move(slave), TtyName::Own);
}

constexpr file_operations kPtsOperations{.open = pts_open};

}  // namespace

pty_pair::pty_pair(RefPtr<super_block> devpts, uint32_t number)
    : tty_struct(abi::make_dev(kPtsMajor, number), kSlaveOperations, abi::kB38400 | abi::kCs8 | abi::kCRead,
                 {0, 0, 0, 0}),
      fs(std::move(devpts)),
      index(number) {}

pty_pair::~pty_pair() { devpts_free_index(*fs, index); }

Result<> ptmx_open(file& f) {
    const path root = TRY(devpts_of_ptmx(f.f_path));
    super_block& sb = root.dentry->sb();
    const uint32_t number = TRY(devpts_new_index(sb));
    auto* pair = new (nothrow) pty_pair(RefPtr<super_block>(&sb), number);
    if (pair == nullptr) {
        devpts_free_index(sb, number);
        return Errno::NoMem;
    }
    const RefPtr<tty_struct> slave = RefPtr<tty_struct>::adopt(pair);
    pair->name = TRY(devpts_new_name(*root.dentry, number, pair->dev, static_cast<tty_struct*>(pair)));
    slave->get();  // the master's own
    f.private_data = pair;
    f.f_op = &ptm_file_operations;
    return {};
}

void pty_init() { register_chrdev(kPtsMajor, kPtsOperations, "pts"); }

}  // namespace guest
