// The pretend kernel: page faults, copy-on-write, fork, exec, exit, and what it announces.
#include <cassert>
#include <functional>

#include "tests/log/fake_guest.hpp"

namespace forkscope::test {

using abi::Announcement;
using log::Cause;
using log::Event;
using log::EventKind;
using log::FlushKind;

namespace {

constexpr uint64_t kCloneVm = 0x100;
// Where its functions are.
constexpr uint64_t kCopyPteRange = kKernelText + 0x1000;
constexpr uint64_t kDoWpPage = kKernelText + 0x2000;
constexpr uint64_t kHandleFault = kKernelText + 0x3000;
constexpr uint64_t kExitMmap = kKernelText + 0x4000;
constexpr uint64_t kSwitchTo = kKernelText + 0x5000;

}  // namespace

void FakeGuest::touch_new_pages(uint64_t va, unsigned pages) {
    for (unsigned i = 0; i < pages; ++i) {
        const uint64_t page = va + uint64_t{i} * 0x1000;
        const log::Origin user = origin_;
        const uint64_t when = fault(page, 6);
        advance(40);
        at(kHandleFault + 0x10, 0);
        const uint64_t frame = alloc_frame();
        owners_[frame] = 1;
        set_leaf(current_->root, page, frame | kPresent | kWritable | kUser | kNoExec);
        advance(20);
        at(user.rip, user.cpl);
        access(page, log::kAccessWrite);
        resolved(page, when);
        advance(10);
    }
}

void FakeGuest::write(uint64_t va) {
    const uint64_t page = va & ~uint64_t{0xfff};
    uint64_t entry = leaf(current_->root, page);
    uint64_t table_entry_pa = 0;
    const uint64_t table_entry = entry_value(current_->root, page, 2, &table_entry_pa);
    const bool shares_table = (table_entry & (kPresent | kWritable)) == kPresent;
    if ((entry & kWritable) != 0 && !shares_table) {
        access(va, log::kAccessWrite);
        return;
    }
    const log::Origin user = origin_;
    const uint64_t when = fault(va, 7, shares_table ? 2 : 1);
    advance(60);
    if (shares_table) unshare_table(page);
    entry = leaf(current_->root, page);
    if ((entry & kWritable) != 0) {
        at(user.rip, user.cpl);
        access(page, log::kAccessWrite);
        resolved(va, when);
        return;
    }
    at(kDoWpPage + 0x24, 0);
    const uint64_t old_frame = entry & kFrameMask;
    uint64_t frame = old_frame;
    if (owners_[old_frame] > 1) {
        frame = alloc_frame();
        owners_[frame] = 1;
        --owners_[old_frame];
        advance(512);
    }
    const bool copied = frame != old_frame;
    if (copied && options_.clear_before_copy) {
        set_leaf(current_->root, page, 0);
        flush(FlushKind::Invlpg, page, 0, 0);
    }
    set_leaf(current_->root, page, (entry & ~kFrameMask) | frame | kWritable);
    advance(3);
    at(kDoWpPage + 0x30, 0);
    if (copied ? !options_.clear_before_copy : options_.flush_after_reuse)
        flush(FlushKind::Invlpg, page, 0, 0);
    if (options_.announce_cow)
        announce(Announcement::CowBreak, current_->tid, page, old_frame,
                 options_.wrong_cow_frame ? frame + 0x1000 : frame);
    advance(30);
    at(user.rip, user.cpl);
    access(page, log::kAccessWrite);
    resolved(va, when);
    advance(5);
}

void FakeGuest::write_and_hang(uint64_t va) {
    (void)fault(va, 7);
    advance(60);
}

void FakeGuest::unmap(uint64_t va) {
    const uint64_t entry = leaf(current_->root, va);
    at(kExitMmap + 0x80, 0);
    set_leaf(current_->root, va, 0);
    flush(FlushKind::Invlpg, va, 0, 0);
    put_frame(entry & kFrameMask);
}

void FakeGuest::remap(uint64_t from, uint64_t to) {
    const uint64_t entry = leaf(current_->root, from);
    at(kExitMmap + 0x80, 0);
    set_leaf(current_->root, from, 0);
    flush(FlushKind::Invlpg, from, 0, 0);
    set_leaf(current_->root, to, entry);
}

void FakeGuest::copy_space(uint64_t parent, uint64_t child) {
    const std::function<void(uint64_t, unsigned, uint64_t)> visit = [&](uint64_t table, unsigned level,
                                                                        uint64_t va) {
        for (unsigned i = 0; i < log::kTableEntries; ++i) {
            if (level == 4 && i >= 256) break;
            const uint64_t entry = ram_.at(table)[i];
            if ((entry & kPresent) == 0) continue;
            const uint64_t span = log::entry_va(va, level, i);
            if (level > 1) {
                visit(entry & kFrameMask, level - 1, span);
                continue;
            }
            at(kCopyPteRange + 0x3c, 0);
            advance(12);
            if ((entry & kWritable) != 0) write_entry(table, i, entry & ~kWritable, span, parent);
            const uint64_t rights = options_.child_left_writable ? entry : entry & ~kWritable;
            set_leaf(child, span, rights & ~kAccessed & ~kDirty);
            ++owners_[entry & kFrameMask];
        }
    };
    visit(parent, 4, 0);
}

void FakeGuest::begin_fork(uint64_t flags) {
    at(kKernelText + 0x100, 0);
    advance(100);
    announce(Announcement::ForkBegin, current_->tid, flags, current_->root);
    open_forks_[current_->tid] = {next_tid_++, flags};
}

uint32_t FakeGuest::finish_fork() {
    const OpenFork fork = open_forks_.at(current_->tid);
    open_forks_.erase(current_->tid);
    announce(Announcement::TaskCreate, fork.child, current_->tid, fork.child, fork.flags);
    FakeTask& child = tasks_[fork.child];
    child = {fork.child, current_->root, current_->name};
    if ((fork.flags & kCloneVm) == 0) {
        child.root = make_space();
        if (options_.shared_tables) {
            share_tables(current_->root, child.root);
        } else {
            copy_space(current_->root, child.root);
        }
        at(kCopyPteRange + 0x90, 0);
        advance(4);
        if (options_.flush_after_fork) flush(FlushKind::Cr3Load, 0, current_->root, current_->root);
    }
    announce_name(Announcement::TaskName, fork.child, child.name, 0);
    advance(50);
    announce(Announcement::ForkEnd, current_->tid, fork.child, child.root);
    return fork.child;
}

uint32_t FakeGuest::fork(uint64_t flags) {
    const log::Origin user = origin_;
    syscall(57);
    begin_fork(flags);
    const uint32_t child = finish_fork();
    at(user.rip, user.cpl);
    syscall_return(57, child);
    return child;
}

void FakeGuest::fail_fork(uint64_t flags, int64_t error) {
    const log::Origin user = origin_;
    syscall(57);
    begin_fork(flags);
    open_forks_.erase(current_->tid);
    announce(Announcement::ForkEnd, current_->tid, static_cast<uint64_t>(-error), 0);
    at(user.rip, user.cpl);
    syscall_return(57, static_cast<uint64_t>(-error));
}

void FakeGuest::exec(const std::string& name, uint64_t va, unsigned pages) {
    syscall(59);
    at(kKernelText + 0x600, 0);
    const uint64_t old_root = current_->root;
    current_->root = make_space();
    current_->name = name;
    announce_name(Announcement::TaskExec, current_->tid, name, current_->root);
    Event e = event(EventKind::Cr3Switch);
    e.a = old_root;
    e.b = current_->root;
    record(e);
    flush(FlushKind::Cr3Load, 0, old_root, current_->root);
    origin_.root = current_->root;
    enter_root();
    if (users_of(old_root) == 0) destroy_space(old_root);
    at(kUserText, 3);
    touch_new_pages(va, pages);
}

unsigned FakeGuest::users_of(uint64_t root) const {
    unsigned users = 0;
    for (const auto& [tid, task] : tasks_) users += task.root == root ? 1u : 0u;
    return users;
}

void FakeGuest::zap(uint64_t table, unsigned level, uint64_t va, uint64_t root) {
    for (unsigned i = 0; i < log::kTableEntries; ++i) {
        if (level == 4 && i >= 256) break;
        const uint64_t entry = ram_.at(table)[i];
        if ((entry & kPresent) == 0) continue;
        const uint64_t span = log::entry_va(va, level, i);
        // A table that another space uses stays as it is; only the link to it goes.
        const auto users = table_owners_.find(entry & kFrameMask);
        const bool shared = level == 2 && users != table_owners_.end() && --users->second != 0;
        if (level > 1 && !shared) zap(entry & kFrameMask, level - 1, span, root);
        advance(6);
        write_entry(table, i, 0, span, root);
        if (shared) continue;
        if (level == 1) {
            put_frame(entry & kFrameMask);
        } else {
            ram_.erase(entry & kFrameMask);
            free_frames_.push_back(entry & kFrameMask);
        }
    }
}

void FakeGuest::destroy_space(uint64_t root) {
    at(kExitMmap + 0x18, 0);
    zap(root, 4, 0, root);
    if (roots_.erase(root) != 0) {
        Event e = event(EventKind::RootDeath);
        e.pa = root;
        e.aux = static_cast<uint16_t>(log::RootDeath::Emptied);
        record(e);
        unlink(root, 4, 0, 0, root);
    }
    announce(Announcement::MmDestroy, root);
    ram_.erase(root);
    free_frames_.push_back(root);
}

// Leaves the tables to destroy_space(), as a kernel does whose dead task still stands on them.
void FakeGuest::exit(uint64_t status) {
    syscall(231, status >> 8);
    at(kKernelText + 0x700, 0);
    announce(Announcement::TaskExit, current_->tid, status);
}

void FakeGuest::reap(uint32_t tid) {
    at(kKernelText + 0x800, 0);
    const uint64_t root = tasks_.at(tid).root;
    announce(Announcement::TaskReap, tid, current_->tid);
    tasks_.erase(tid);
    if (users_of(root) == 0) destroy_space(root);
}

void FakeGuest::switch_to(uint32_t tid) {
    FakeTask& next = tasks_.at(tid);
    at(kSwitchTo + 0x40, 0);
    advance(30);
    announce(Announcement::TaskSwitch, tid, current_->tid);
    if (options_.announce) origin_.task = tid;
    if (next.root != current_->root) {
        Event e = event(EventKind::Cr3Switch);
        e.a = current_->root;
        e.b = next.root;
        record(e);
        flush(FlushKind::Cr3Load, 0, current_->root, next.root);
        origin_.root = next.root;
        enter_root();
    }
    current_ = &next;
    at(kUserText + 0x10, 3);
}

void FakeGuest::interrupt(uint8_t vector) {
    Event e = event(EventKind::Interrupt);
    e.aux = vector;
    e.flags = log::kIntHardware;
    e.va = kKernelText + 0x900;
    record(e);
}

void FakeGuest::syscall(uint64_t number, uint64_t arg0) {
    if (!options_.syscalls) return;
    Event e = event(EventKind::Syscall);
    e.a = number;
    e.b = arg0;
    record(e);
}

void FakeGuest::syscall_return(uint64_t number, uint64_t result) {
    if (!options_.syscalls) return;
    Event e = event(EventKind::SyscallReturn);
    e.rip += 2;  // behind the SYSCALL
    e.a = number;
    e.b = result;
    record(e);
}

}  // namespace forkscope::test
