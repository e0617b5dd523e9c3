// Memory that was promised: pages of private writable areas and of shared memory, whether they are there or
// not. How much may be promised is set in /proc/sys/vm (Documentation/mm/overcommit-accounting.rst).
#pragma once

#include <stdint.h>

#include "guest/lib/result.hpp"

namespace guest {

struct mm_struct;

// sysctl_overcommit_memory: one promise of more than all RAM is refused; none is; all together keep to
// vm_commit_limit().
enum class Overcommit : int { Guess = 0, Always = 1, Never = 2 };

struct overcommit_policy {
    Overcommit memory = Overcommit::Guess;
    int64_t ratio = 50;   // percent of RAM that may be promised; 0: kbytes says it
    uint64_t kbytes = 0;  // KiB; 0: ratio says it
    uint64_t user_reserve_kbytes = 0, admin_reserve_kbytes = 0;  // kept for the user, for the privileged
};
extern overcommit_policy sysctl_overcommit;

// The reserves, by what is free now.
void overcommit_init();

// Promises `pages` to mm, which may be null: NoMem if that is too much.
Result<> security_vm_enough_memory(const mm_struct* mm, uint64_t pages);
// Takes a promise back.
void vm_unacct_memory(uint64_t pages);
// The same for one page of shared memory without a promise of its own: NoSpc.
Result<> shmem_acct_block();

// Pages.
[[nodiscard]] uint64_t vm_commit_limit();
[[nodiscard]] uint64_t vm_committed_pages();

// A promise that is taken back at the end of the scope, unless it is kept.
class VmPromise {
public:
    static Result<VmPromise> make(const mm_struct* mm, uint64_t pages) {
        TRY(security_vm_enough_memory(mm, pages));
        return VmPromise(pages);
    }
    VmPromise(VmPromise&& other) noexcept : pages_(other.pages_) { other.pages_ = 0; }
    VmPromise& operator=(VmPromise&&) = delete;
    ~VmPromise() {
        if (pages_ != 0) vm_unacct_memory(pages_);
    }
    void keep() { pages_ = 0; }

private:
    explicit VmPromise(uint64_t pages) : pages_(pages) {}
    uint64_t pages_;
};

}  // namespace guest
