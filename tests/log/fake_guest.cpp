// The pretend machine: what a small kernel does to its page tables, and what is recorded of it.
#include "tests/log/fake_guest.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace forkscope::test {

using abi::Announcement;
using log::Cause;
using log::Event;
using log::EventKind;
using log::FlushKind;

namespace {

constexpr uint64_t kTableBits = kPresent | kWritable | kUser | kAccessed;
constexpr uint64_t kCloneVm = 0x100;
constexpr unsigned kKernelSlot = 511;
constexpr unsigned kKernelPages = 1024;
// Where the pretend kernel's functions are.
constexpr uint64_t kCopyPteRange = kKernelText + 0x1000;
constexpr uint64_t kDoWpPage = kKernelText + 0x2000;
constexpr uint64_t kHandleFault = kKernelText + 0x3000;
constexpr uint64_t kExitMmap = kKernelText + 0x4000;
constexpr uint64_t kSwitchTo = kKernelText + 0x5000;

[[nodiscard]] unsigned index_of(uint64_t va, unsigned level) {
    return static_cast<unsigned>((va >> (12 + 9 * (level - 1))) & 511);
}

[[nodiscard]] uint64_t span_of(unsigned index, unsigned level) {
    const uint64_t va = uint64_t{index} << (12 + 9 * (level - 1));
    return level == 4 && index >= 256 ? va | 0xffff'0000'0000'0000 : va;
}

[[nodiscard]] bool is_table(uint64_t entry, unsigned level) { return level > 1 && (entry & kPresent) != 0; }

}  // namespace

FakeGuest::FakeGuest(FakeOptions options) : options_(options) {
    kernel_table_ = alloc_frame();
    ram_[kernel_table_] = {};
    const uint64_t middle = alloc_frame();
    ram_[middle] = {};
    ram_[kernel_table_][510] = middle | kTableBits;
    for (unsigned table = 0; table < kKernelPages / 512; ++table) {
        const uint64_t last = alloc_frame();
        ram_[last] = {};
        ram_[middle][table] = last | kTableBits;
        for (unsigned i = 0; i < 512; ++i) ram_[last][i] = alloc_frame() | kPresent | kWritable | 0x100;
    }
    FakeTask& init = tasks_[1];
    init = {1, make_space(), "init"};
    current_ = &init;
    origin_.root = init.root;
    origin_.rip = kKernelText;
    origin_.task = options_.announce ? 1 : 0;
    enter_root();
    announce(Announcement::TaskCreate, 1, 0, 1, 0);
    announce_name(Announcement::TaskName, 1, "init", 0);
}

void FakeGuest::record(const Event& event) {
    if (sink) {
        sink(event);
    } else {
        events_.push_back(event);
    }
}

void FakeGuest::announce(Announcement what, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3) {
    if (!options_.announce) return;
    Event e = event(EventKind::Announce);
    e.aux = static_cast<uint16_t>(what);
    e.a = w0;
    e.b = w1;
    e.va = w2;
    e.pa = w3;
    record(e);
}

void FakeGuest::announce_name(Announcement what, uint32_t tid, const std::string& name, uint64_t root) {
    std::array<uint64_t, 2> words{};
    std::memcpy(words.data(), name.data(), std::min<size_t>(name.size(), 15));
    announce(what, tid, words[0], words[1], root);
}

uint64_t FakeGuest::alloc_frame() {
    if (!free_frames_.empty()) {
        const uint64_t frame = free_frames_.back();
        free_frames_.pop_back();
        return frame;
    }
    return next_frame_ += 0x1000;
}

void FakeGuest::put_frame(uint64_t frame) {
    const auto found = owners_.find(frame);
    if (found == owners_.end() || --found->second != 0) return;
    owners_.erase(found);
    free_frames_.push_back(frame);
}

uint64_t FakeGuest::make_space() {
    const uint64_t root = alloc_frame();
    ram_[root] = {};
    ram_[root][kKernelSlot] = kernel_table_ | kTableBits;
    return root;
}

bool FakeGuest::tracked(uint64_t frame, unsigned level) const { return references_.contains({level, frame}); }

void FakeGuest::enter_root() {
    tlb_.clear();
    if (!roots_.insert(origin_.root).second) return;
    link(origin_.root, 4, 0, 0, origin_.root);
}

void FakeGuest::link(uint64_t frame, unsigned level, uint64_t va, uint64_t from, uint64_t space) {
    const uint64_t references = ++references_[{level, frame}];
    Event e = event(EventKind::TableLink);
    e.pa = frame;
    e.level = static_cast<uint8_t>(level);
    e.va = va;
    e.a = from;
    e.b = references;
    e.space = space;
    e.flags = references == 1 ? log::kFirstLink : 0;
    record(e);
    if (references != 1) return;
    const Table table = ram_.at(frame);
    for (unsigned i = 0; i < log::kTableEntries; ++i) {
        if (table[i] == 0) continue;
        Event found = event(EventKind::PteFound);
        found.pa = frame + 8 * i;
        found.va = va + span_of(i, level);
        found.level = static_cast<uint8_t>(level);
        found.space = space;
        found.b = table[i];
        record(found);
    }
    for (unsigned i = 0; i < log::kTableEntries; ++i) {
        if (is_table(table[i], level))
            link(table[i] & kFrameMask, level - 1, va + span_of(i, level), frame + 8 * i, space);
    }
}

void FakeGuest::unlink(uint64_t frame, unsigned level, uint64_t va, uint64_t from, uint64_t space) {
    const uint64_t references = --references_.at({level, frame});
    Event e = event(EventKind::TableUnlink);
    e.pa = frame;
    e.level = static_cast<uint8_t>(level);
    e.va = va;
    e.a = from;
    e.b = references;
    e.space = space;
    e.flags = references == 0 ? log::kLastLink : 0;
    record(e);
    if (references != 0) return;
    references_.erase({level, frame});
    const Table table = ram_.at(frame);
    for (unsigned i = 0; i < log::kTableEntries; ++i) {
        if (is_table(table[i], level))
            unlink(table[i] & kFrameMask, level - 1, va + span_of(i, level), frame + 8 * i, space);
    }
}

// One event, at the highest level of the table; then, from the highest level down, children are linked
// before others are unlinked.
void FakeGuest::write_entry(uint64_t table, unsigned index, uint64_t value, uint64_t va, uint64_t space,
                            Cause cause) {
    const uint64_t old = ram_.at(table)[index];
    if (old == value) return;
    ram_[table][index] = value;
    std::vector<unsigned> levels;
    for (unsigned level = 4; level >= 1; --level)
        if (tracked(table, level)) levels.push_back(level);
    if (levels.empty()) return;
    Event e = event(EventKind::PteWrite);
    e.pa = table + 8 * index;
    e.va = va;
    e.level = static_cast<uint8_t>(levels.front());
    e.a = old;
    e.b = value;
    e.space = space;
    e.cause = cause;
    record(e);
    if ((old & kFrameMask) == (value & kFrameMask) && (old & value & kPresent) != 0) return;
    for (unsigned level : levels)
        if (is_table(value, level)) link(value & kFrameMask, level - 1, va, table + 8 * index, space);
    for (unsigned level : levels)
        if (is_table(old, level)) unlink(old & kFrameMask, level - 1, va, table + 8 * index, space);
}

uint64_t FakeGuest::leaf_table(uint64_t root, uint64_t va, bool create) {
    uint64_t table = root;
    for (unsigned level = 4; level > 1; --level) {
        const unsigned index = index_of(va, level);
        if ((ram_.at(table)[index] & kPresent) == 0) {
            if (!create) return 0;
            const uint64_t fresh = alloc_frame();
            ram_[fresh] = {};
            const uint64_t span = va & ~((uint64_t{1} << (12 + 9 * (level - 1))) - 1);
            write_entry(table, index, fresh | kTableBits, span, root);
        }
        table = ram_.at(table)[index] & kFrameMask;
    }
    return table;
}

uint64_t FakeGuest::leaf(uint64_t root, uint64_t va) const {
    uint64_t table = root;
    for (unsigned level = 4; level > 1; --level) {
        const uint64_t entry = ram_.at(table)[index_of(va, level)];
        if ((entry & kPresent) == 0) return 0;
        table = entry & kFrameMask;
    }
    return ram_.at(table)[index_of(va, 1)];
}

void FakeGuest::set_leaf(uint64_t root, uint64_t va, uint64_t value, Cause cause) {
    const uint64_t table = leaf_table(root, va, true);
    write_entry(table, index_of(va, 1), value, va & ~uint64_t{0xfff}, root, cause);
}

void FakeGuest::flush(FlushKind how, uint64_t va, uint64_t old_value, uint64_t new_value) {
    Event e = event(EventKind::Flush);
    e.aux = static_cast<uint16_t>(how);
    e.va = va;
    e.a = old_value;
    e.b = new_value;
    record(e);
    if (how == FlushKind::Invlpg) {
        tlb_.erase(va >> 12);
    } else {
        tlb_.clear();
    }
}

uint64_t FakeGuest::fault(uint64_t va, uint64_t error) {
    const uint64_t page = va & ~uint64_t{0xfff};
    const uint64_t table = leaf_table(current_->root, page, false);
    Event e = event(EventKind::PageFault);
    e.va = va;
    e.a = error;
    e.aux = static_cast<uint16_t>(log::FaultDelivery::Delivered);
    e.level = 1;
    e.pa = table == 0 ? 0 : table + 8 * index_of(page, 1);
    e.b = table == 0 ? 0 : leaf(current_->root, page);
    record(e);
    return origin_.icount;
}

void FakeGuest::resolved(uint64_t va, uint64_t fault_icount) {
    Event e = event(EventKind::FaultResolved);
    e.va = va;
    e.a = fault_icount;
    e.b = leaf(current_->root, va);
    e.pa = e.b & kFrameMask;
    record(e);
}

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

void FakeGuest::access(uint64_t va, uint8_t kind) {
    const uint64_t page = va & ~uint64_t{0xfff};
    const uint64_t entry = leaf(current_->root, page);
    assert((entry & kPresent) != 0);
    const uint64_t used = entry | kAccessed | (kind == log::kAccessWrite ? kDirty : 0);
    if (used != entry) {
        const Cause cause = kind == log::kAccessWrite ? Cause::HardwareDirty : Cause::HardwareAccessed;
        set_leaf(current_->root, page, used, cause);
    } else if (tlb_.contains(page >> 12)) {
        return;
    }
    tlb_.insert(page >> 12);
    Event e = event(EventKind::TlbFill);
    e.va = page;
    e.pa = entry & kFrameMask;
    e.level = 1;
    e.a = used;
    e.b = leaf_table(current_->root, page, false) + 8 * index_of(page, 1);
    e.flags = static_cast<uint8_t>(kind | ((entry & 0x100) != 0 ? log::kGlobal : 0));
    record(e);
}

void FakeGuest::write(uint64_t va) {
    const uint64_t page = va & ~uint64_t{0xfff};
    const uint64_t entry = leaf(current_->root, page);
    if ((entry & kWritable) != 0) {
        access(va, log::kAccessWrite);
        return;
    }
    const log::Origin user = origin_;
    const uint64_t when = fault(va, 7);
    advance(60);
    at(kDoWpPage + 0x24, 0);
    const uint64_t old_frame = entry & kFrameMask;
    uint64_t frame = old_frame;
    if (owners_[old_frame] > 1) {
        frame = alloc_frame();
        owners_[frame] = 1;
        --owners_[old_frame];
        advance(512);
    }
    set_leaf(current_->root, page, (entry & ~kFrameMask) | frame | kWritable);
    advance(3);
    at(kDoWpPage + 0x30, 0);
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

void FakeGuest::copy_space(uint64_t parent, uint64_t child) {
    const std::function<void(uint64_t, unsigned, uint64_t)> visit = [&](uint64_t table, unsigned level,
                                                                        uint64_t va) {
        for (unsigned i = 0; i < log::kTableEntries; ++i) {
            if (level == 4 && i >= 256) break;
            const uint64_t entry = ram_.at(table)[i];
            if ((entry & kPresent) == 0) continue;
            const uint64_t span = va + span_of(i, level);
            if (level > 1) {
                visit(entry & kFrameMask, level - 1, span);
                continue;
            }
            at(kCopyPteRange + 0x3c, 0);
            advance(12);
            if ((entry & kWritable) != 0) write_entry(table, i, entry & ~kWritable, span, parent);
            set_leaf(child, span, entry & ~kWritable & ~kAccessed & ~kDirty);
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
        copy_space(current_->root, child.root);
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
        const uint64_t span = va + span_of(i, level);
        if (level > 1) zap(entry & kFrameMask, level - 1, span, root);
        advance(6);
        write_entry(table, i, 0, span, root);
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
    e.a = number;
    e.b = result;
    record(e);
}

void FakeGuest::marker(uint64_t word) { announce(Announcement::Marker, word, current_->tid); }

void FakeGuest::map_root_into_itself(unsigned index) {
    const uint64_t root = current_->root;
    write_entry(root, index, root | kTableBits, span_of(index, 4), root);
}

void FakeGuest::audit() {
    log::AuditHash hash;
    for (const auto& [key, references] : references_)
        hash.add_table(key.first, PhysAddr(key.second), ram_.at(key.second));
    Event e = event(EventKind::Audit);
    e.a = hash.entries();
    e.b = hash.digest();
    e.va = roots_.size();
    record(e);
}

void FakeGuest::stop(log::Stop how, uint64_t status) {
    Event e = event(EventKind::Stop);
    e.aux = static_cast<uint16_t>(how);
    e.a = status;
    record(e);
}

}  // namespace forkscope::test
