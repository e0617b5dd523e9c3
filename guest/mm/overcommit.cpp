// Memory that was promised, and how much of it may be.
#include "guest/mm/overcommit.hpp"

#include "guest/kernel/sched.hpp"
#include "guest/lib/atomic.hpp"
#include "guest/mm/mm_types.hpp"
#include "guest/mm/page.hpp"

namespace guest {

constinit overcommit_policy sysctl_overcommit;

namespace {

constinit Atomic<uint64_t> vm_committed_as{0};

constexpr uint64_t pages_of_kb(uint64_t kbytes) { return kbytes / (kPageSize / 1024); }

uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

// With all that is promised, `pages` of mm's among it, counted already.
bool within_limit(const mm_struct* mm) {
    auto allowed = static_cast<int64_t>(vm_commit_limit());
    if (!capable(kCapSysAdmin))
        allowed -= static_cast<int64_t>(pages_of_kb(sysctl_overcommit.admin_reserve_kbytes));
    // So that one process cannot grow until its user has no way to end it.
    if (mm != nullptr) {
        const uint64_t reserve = pages_of_kb(sysctl_overcommit.user_reserve_kbytes);
        allowed -= static_cast<int64_t>(smaller(mm->total_vm / 32, reserve));
    }
    return static_cast<int64_t>(vm_committed_as.load()) < allowed;
}

bool may_promise(const mm_struct* mm, uint64_t pages) {
    switch (sysctl_overcommit.memory) {
        case Overcommit::Always:
            return true;
        case Overcommit::Guess:
            return pages <= total_ram_pages();
        case Overcommit::Never:
            return within_limit(mm);
    }
    return false;
}

}  // namespace

void overcommit_init() {
    constexpr uint64_t kMostForUser = 1 << 17, kMostForAdmin = 1 << 13;
    const uint64_t part = nr_free_pages() * (kPageSize / 1024) / 32;
    sysctl_overcommit.user_reserve_kbytes = smaller(part, kMostForUser);
    sysctl_overcommit.admin_reserve_kbytes = smaller(part, kMostForAdmin);
}

Result<> security_vm_enough_memory(const mm_struct* mm, uint64_t pages) {
    vm_committed_as.fetch_add(pages);
    if (may_promise(mm, pages)) return {};
    vm_committed_as.fetch_sub(pages);
    return Errno::NoMem;
}

void vm_unacct_memory(uint64_t pages) {
    const uint64_t before = vm_committed_as.fetch_sub(pages);
    BUG_ON(before < pages);
}

Result<> shmem_acct_block() {
    if (!security_vm_enough_memory(current()->mm.get(), 1)) return Errno::NoSpc;
    return {};
}

uint64_t vm_commit_limit() {
    if (sysctl_overcommit.kbytes != 0) return pages_of_kb(sysctl_overcommit.kbytes);
    return total_ram_pages() * static_cast<uint64_t>(sysctl_overcommit.ratio) / 100;
}

uint64_t vm_committed_pages() { return vm_committed_as.load(); }

}  // namespace guest
