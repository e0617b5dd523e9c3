// The pretend kernel's other fork: parent and child use the same last-level tables, with W taken from the
// entries that link them, until one of them writes.
#include "tests/log/fake_guest.hpp"

namespace forkscope::test {

void FakeGuest::share_tables(uint64_t parent, uint64_t child) {
    const std::function<void(uint64_t, unsigned, uint64_t)> visit = [&](uint64_t table, unsigned level,
                                                                        uint64_t va) {
        for (unsigned i = 0; i < log::kTableEntries; ++i) {
            if (level == 4 && i >= 256) break;
            const uint64_t entry = ram_.at(table)[i];
            if ((entry & kPresent) == 0) continue;
            const uint64_t span = log::entry_va(va, level, i);
            if (level > 2) {
                visit(entry & kFrameMask, level - 1, span);
                continue;
            }
            at(kKernelText + 0x1000, 0);
            advance(12);
            write_entry(table, i, entry & ~kWritable, span, parent);
            write_entry(leaf_table(child, span, true, 2), i, entry & ~kWritable, span, child);
            unsigned& owners = table_owners_[entry & kFrameMask];
            owners = owners == 0 ? 2 : owners + 1;
        }
    };
    visit(parent, 4, 0);
}

void FakeGuest::unshare_table(uint64_t va) {
    const uint64_t root = current_->root;
    const uint64_t span = va & ~(log::span_bytes(2) - 1);
    const uint64_t middle = leaf_table(root, va, false, 2);
    const unsigned index = log::entry_index(va, 2);
    const uint64_t entry = ram_.at(middle)[index];
    const uint64_t old_table = entry & kFrameMask;
    at(kKernelText + 0x1200, 0);
    if (--table_owners_[old_table] == 0) {
        table_owners_.erase(old_table);
        write_entry(middle, index, entry | kWritable, span, root);
        return;
    }
    const uint64_t fresh = alloc_frame();
    ram_[fresh] = {};
    for (unsigned i = 0; i < log::kTableEntries; ++i) {
        const uint64_t value = ram_.at(old_table)[i];
        if ((value & kPresent) == 0) continue;
        write_entry(old_table, i, value & ~kWritable, log::entry_va(span, 1, i), root);
        ram_[fresh][i] = value & ~kWritable;
        ++owners_[value & kFrameMask];
    }
    write_entry(middle, index, fresh | (entry & ~kFrameMask) | kWritable, span, root);
    flush(log::FlushKind::Cr3Load, 0, root, root);
}

}  // namespace forkscope::test
