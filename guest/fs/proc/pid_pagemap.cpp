// /proc/<pid>/pagemap: a word for each page of an address space, by address.
// Documentation/admin-guide/mm/pagemap.rst
#include "guest/fs/proc/pid_open_mm.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mmap.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/mm/walk.hpp"

namespace guest {

namespace {

constexpr uint64_t kPfnMask = (uint64_t{1} << 55) - 1;
constexpr uint64_t kSoftDirty = uint64_t{1} << 55;
constexpr uint64_t kExclusive = uint64_t{1} << 56;
constexpr uint64_t kFile = uint64_t{1} << 61;  // a page of a file, or shared memory
constexpr uint64_t kPresent = uint64_t{1} << 63;
constexpr size_t kEntry = sizeof(uint64_t);
constexpr size_t kBatch = 64;  // entries that are looked up at once

// Where frames lie helps to attack other memory: it is shown to the privileged alone.
uint64_t entry_word(const pte_t* pte, pte_t entry, bool show_frames) {
    const page* frame = phys_to_page(entry.frame());
    uint64_t word = kPresent | (entry.soft_dirty() ? kSoftDirty : 0);
    if (show_frames) word |= page_to_pfn(frame) & kPfnMask;
    if (is_zero_page(frame)) return word;
    if (!is_anonymous(frame)) word |= kFile;
    if (page_mapcount(frame, pte) == 1) word |= kExclusive;
    return word;
}

// The words of `count` pages from `at` on.
void look_up(mm_struct& mm, VirtAddr at, size_t count, bool show_frames, uint64_t* words) {
    const read_guard guard(mm.mmap_sem);
    for (size_t i = 0; i < count; ++i, at += kPageSize) {
        words[i] = 0;
        const vm_area_struct* vma = find_vma(mm, at);
        if (vma == nullptr || vma->vm_start > at) continue;
        words[i] = (vma->vm_flags & VM_SOFTDIRTY) != 0 ? kSoftDirty : 0;
        const spinlock_guard table_guard(mm.page_table_lock);
        const pte_t* pte = lookup_pte(mm, at);
        if (pte == nullptr) continue;
        const pte_t entry = read_pte(pte);
        if (entry.present()) words[i] |= entry_word(pte, entry, show_frames);
    }
}

Result<size_t> pagemap_read(file& f, iov_iter& to, abi::loff_t& pos) {
    const OpenMm& map = open_mm_of(f);
    const auto mm = mmget_not_zero(map.mm);
    if (!mm) return size_t{0};
    if (pos % static_cast<abi::loff_t>(kEntry) != 0 || to.count() % kEntry != 0) return Errno::Inval;
    size_t done = 0;
    while (to.count() >= kEntry) {
        const uint64_t first = static_cast<uint64_t>(pos) / kEntry;
        const uint64_t last = kTaskSize.page_number();
        if (first >= last) break;
        size_t count = to.count() / kEntry < kBatch ? to.count() / kEntry : kBatch;
        if (count > last - first) count = last - first;
        uint64_t words[kBatch];
        look_up(*mm, VirtAddr(first << kPageShift), count, map.privileged, words);
        const size_t moved = to.copy_to(words, count * kEntry);
        if (moved < count * kEntry) return done != 0 ? Result<size_t>(done) : Errno::Fault;
        done += moved;
        pos += static_cast<abi::loff_t>(moved);
        if (signal_pending(current())) break;
        cond_resched();
    }
    return done;
}

}  // namespace

constinit const file_operations proc_pagemap_file_operations{
    .llseek = dcache_dir_llseek, .read = pagemap_read, .open = open_mm_open, .release = open_mm_release};

}  // namespace guest
