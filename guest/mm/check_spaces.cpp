// Address spaces: areas against each other, page-table entries against areas, counts against what they count.
#include "guest/fs/address_space.hpp"
#include "guest/kernel/check.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mmap.hpp"
#include "guest/mm/shared_tables.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// What an address space's tables hold.
struct Counted {
    uint64_t anon = 0, file = 0, shmem = 0, ptes = 0, pmds = 0, puds = 0;
};

class SpaceCheck {
public:
    SpaceCheck(mm_struct& mm, check_report& report) : mm_(mm), report_(report) {}

    void run() {
        ++report_.spaces;
        ++virt_to_page(mm_.pgd)->seen;
        // A sleeper that holds the lock may be amid a change of the areas; a space without users is being
        // taken apart. Their tables agree with their counts all the same.
        areas_stable_ = mm_.mm_users.load() > 0 && !mm_.mmap_sem.is_write_locked();
        if (areas_stable_) check_areas();
        for (unsigned i = 0; i < kTableEntries / 2; ++i) walk_pgd(mm_.pgd[i], uint64_t{i} << kPgdShift);
        compare("anonymous pages", mm_.anon_rss, counted_.anon);
        compare("file pages", mm_.file_rss, counted_.file);
        compare("shared memory", mm_.shmem_rss, counted_.shmem);
        compare("last-level tables", mm_.nr_ptes, counted_.ptes);
        compare("second-level tables", mm_.nr_pmds, counted_.pmds);
        compare("third-level tables", mm_.nr_puds, counted_.puds);
    }

private:
    void compare(const char* what, uint64_t said, uint64_t found) {
        if (said == found) return;
        report_.fault("space %lx: %s: %lu are counted, %lu are there", mm_.root().raw(), what, said, found);
    }

    void check_areas() {
        uint64_t pages = 0, locked = 0, data = 0, exec = 0, stack = 0;
        VirtAddr end(0);
        bool cache_found = mm_.mmap_cache == nullptr;
        for (const vm_area_struct& vma : mm_.mmap) {
            ++report_.areas;
            const uint64_t start = vma.vm_start.raw();
            if (vma.vm_mm != &mm_) report_.fault("area %lx belongs to another space", start);
            if (vma.vm_start < end || vma.vm_end <= vma.vm_start || vma.vm_end > kTaskSize ||
                (start | vma.vm_end.raw()) % kPageSize != 0) {
                report_.fault("area %lx-%lx follows one that ends at %lx", start, vma.vm_end.raw(),
                              end.raw());
            }
            if (vma.vm_file.get() != nullptr && !vma.shared.is_linked()) {
                report_.fault("area %lx is not in the list of its file", start);
            }
            const VirtAddr at = vma.vm_start;
            if (mm_.mm_rb.find_first([at](const vm_area_struct& v) { return v.vm_end > at; }) != &vma) {
                report_.fault("area %lx is not in the tree", start);
            }
            cache_found = cache_found || mm_.mmap_cache == &vma;
            end = vma.vm_end;
            pages += vma.pages();
            if ((vma.vm_flags & VM_LOCKED) != 0) locked += vma.pages();
            // As vm_stat_account sorts them.
            if ((vma.vm_flags & VM_GROWSDOWN) != 0) {
                stack += vma.pages();
            } else if ((vma.vm_flags & (VM_EXEC | VM_WRITE)) == VM_EXEC) {
                exec += vma.pages();
            } else if ((vma.vm_flags & (VM_SHARED | VM_WRITE)) == VM_WRITE) {
                data += vma.pages();
            }
        }
        if (!cache_found) report_.fault("space %lx: the area looked up last is gone", mm_.root().raw());
        if (mm_.mm_rb.find_first([end](const vm_area_struct& v) { return v.vm_end > end; }) != nullptr) {
            report_.fault("space %lx: the tree holds more than the list", mm_.root().raw());
        }
        compare("pages of areas", mm_.total_vm, pages);
        compare("locked pages", mm_.locked_vm, locked);
        compare("pages of data", mm_.data_vm, data);
        compare("pages of code", mm_.exec_vm, exec);
        compare("pages of stack", mm_.stack_vm, stack);
    }

    // True the first time that a table is met: its contents are then to be counted.
    template <unsigned Level>
    bool enter(table_entry<Level> entry, uint64_t at, uint64_t& count) {
        page* table = phys_to_page(entry.frame());
        ++count;
        if (table->use != FrameUse::PageTable || table->is_free_block || page_count(table) <= 0) {
            report_.fault("space %lx: the entry of %lx leads to no table", mm_.root().raw(), at);
            return false;
        }
        return table->seen++ == 0;
    }

    void walk_pgd(pgd_t pgd, uint64_t base) {
        if (!pgd.present() || !enter(pgd, base, counted_.puds)) return;
        for (unsigned i = 0; i < kTableEntries; ++i) {
            walk_pud(pgd_table(pgd)[i], base + (uint64_t{i} << kPudShift));
        }
    }
    void walk_pud(pud_t pud, uint64_t base) {
        if (!pud.present() || !enter(pud, base, counted_.pmds)) return;
        for (unsigned i = 0; i < kTableEntries; ++i) {
            walk_pmd(pud_table(pud)[i], base + (uint64_t{i} << kPmdShift));
        }
    }
    void walk_pmd(pmd_t pmd, uint64_t base) {
        if (!pmd.present()) return;
        const bool first = enter(pmd, base, counted_.ptes);
        const page* table = phys_to_page(pmd.frame());
        uint64_t frames = 0;
        for (unsigned i = 0; i < kTableEntries; ++i) {
            const pte_t pte = read_pte(&pmd_table(pmd)[i]);
            if (pte.present())
                frames += check_entry(pmd, pte, VirtAddr(base + (uint64_t{i} << kPageShift)), first);
        }
        if (first && table->inuse != frames) {
            report_.fault("table of %lx counts %u frames, not %lu", base, table->inuse, frames);
        }
        if (pmd.write() && is_shared_table(table)) report_.fault("shared table of %lx may be written", base);
    }

    // 1 if the entry maps a frame that is counted. `first`: the table was not met under another space.
    uint64_t check_entry(pmd_t pmd, pte_t pte, VirtAddr at, bool first) {
        if (first) ++report_.entries;
        page* frame = phys_to_page(pte.frame());
        const bool writable = pmd.write() && pte.write();
        const vm_area_struct* vma = areas_stable_ ? find_area(at) : nullptr;
        if (areas_stable_ && vma == nullptr) report_.fault("%lx is mapped outside of all areas", at.raw());
        if (vma != nullptr && pte.write() && (vma->vm_flags & VM_WRITE) == 0) {
            report_.fault("%lx is writable in an area that is not", at.raw());
        }
        if (is_zero_page(frame)) {
            if (pte.write()) report_.fault("%lx maps the zero page for writing", at.raw());
            return 0;
        }
        if (frame->is_free_block || page_count(frame) <= 0) {
            report_.fault("%lx maps frame %lx, which is free", at.raw(), pte.frame().raw());
            return 1;
        }
        if (first) ++frame->seen;
        ++(is_anonymous(frame) ? counted_.anon : frame->is_shmem ? counted_.shmem : counted_.file);
        const bool is_private = vma != nullptr && (vma->vm_flags & VM_SHARED) == 0;
        if (is_private && writable && (!is_anonymous(frame) || frame->_mapcount.load() != 1)) {
            report_.fault("%lx may be written, but others use frame %lx", at.raw(), pte.frame().raw());
        }
        return 1;
    }

    // Without find_vma's cache, which is part of what is checked.
    [[nodiscard]] const vm_area_struct* find_area(VirtAddr at) {
        if (last_ != nullptr && last_->contains(at)) return last_;
        last_ = mm_.mm_rb.find_first([at](const vm_area_struct& vma) { return vma.vm_end > at; });
        return last_ != nullptr && last_->contains(at) ? last_ : nullptr;
    }

    mm_struct& mm_;
    check_report& report_;
    Counted counted_;
    const vm_area_struct* last_ = nullptr;
    bool areas_stable_ = false;
};

}  // namespace

void check_spaces(check_report& report) {
    for (uint64_t pfn = 0; pfn < max_pfn; ++pfn) pfn_to_page(pfn)->seen = 0;
    for (mm_struct& mm : all_spaces) SpaceCheck(mm, report).run();
}

}  // namespace guest
