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
constexpr unsigned kKernelSlot = 511;
constexpr unsigned kKernelPages = 1024;
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
        found.va = log::entry_va(va, level, i);
        found.level = static_cast<uint8_t>(level);
        found.space = space;
        found.b = table[i];
        record(found);
    }
    for (unsigned i = 0; i < log::kTableEntries; ++i) {
        if (is_table(table[i], level))
            link(table[i] & kFrameMask, level - 1, log::entry_va(va, level, i), frame + 8 * i, space);
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
            unlink(table[i] & kFrameMask, level - 1, log::entry_va(va, level, i), frame + 8 * i, space);
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

uint64_t FakeGuest::leaf_table(uint64_t root, uint64_t va, bool create, unsigned last_level) {
    uint64_t table = root;
    for (unsigned level = 4; level > last_level; --level) {
        const unsigned index = log::entry_index(va, level);
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

// With its address, or 0 and 0 if a table above is missing.
uint64_t FakeGuest::entry_value(uint64_t root, uint64_t va, unsigned level, uint64_t* address) const {
    uint64_t table = root;
    for (unsigned at_level = 4;; --at_level) {
        const unsigned index = log::entry_index(va, at_level);
        const uint64_t value = ram_.at(table)[index];
        *address = table + 8 * index;
        if (at_level == level) return value;
        if ((value & kPresent) == 0) return *address = 0;
        table = value & kFrameMask;
    }
}

uint64_t FakeGuest::leaf(uint64_t root, uint64_t va) const {
    uint64_t table = root;
    for (unsigned level = 4; level > 1; --level) {
        const uint64_t entry = ram_.at(table)[log::entry_index(va, level)];
        if ((entry & kPresent) == 0) return 0;
        table = entry & kFrameMask;
    }
    return ram_.at(table)[log::entry_index(va, 1)];
}

void FakeGuest::set_leaf(uint64_t root, uint64_t va, uint64_t value, Cause cause) {
    const uint64_t table = leaf_table(root, va, true);
    write_entry(table, log::entry_index(va, 1), value, va & ~uint64_t{0xfff}, root, cause);
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

uint64_t FakeGuest::fault(uint64_t va, uint64_t error, unsigned level) {
    Event e = event(EventKind::PageFault);
    e.va = va;
    e.a = error;
    e.aux = static_cast<uint16_t>(log::FaultDelivery::Delivered);
    e.level = static_cast<uint8_t>(level);
    e.b = entry_value(current_->root, va, level, &e.pa);
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
    e.b = leaf_table(current_->root, page, false) + 8 * log::entry_index(page, 1);
    e.flags = static_cast<uint8_t>(kind | ((entry & 0x100) != 0 ? log::kGlobal : 0));
    record(e);
}

void FakeGuest::marker(uint64_t word) { announce(Announcement::Marker, word, current_->tid); }

void FakeGuest::map_root_into_itself(unsigned index) {
    const uint64_t root = current_->root;
    write_entry(root, index, root | kTableBits, log::entry_va(0, 4, index), root);
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
