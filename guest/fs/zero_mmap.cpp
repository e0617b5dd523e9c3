// Mapping /dev/zero: the way to memory without a name that is older than MAP_ANONYMOUS.
#include "guest/fs/shmem.hpp"
#include "guest/fs/special.hpp"
#include "guest/mm/mm_types.hpp"

namespace guest {

// A private mapping becomes plain anonymous memory, a shared one a file of its own.
Result<> zero_mmap(file&, vm_area_struct& area) {
    area.vm_pgoff = 0;
    if ((area.vm_flags & VM_SHARED) == 0) {
        area.vm_file.reset();
        return {};
    }
    const auto bytes = static_cast<abi::loff_t>(area.pages() << kPageShift);
    const bool reserved = (area.vm_flags & VM_NORESERVE) == 0;
    const ShmemPromise promise = reserved ? ShmemPromise::Whole : ShmemPromise::ByPage;
    area.vm_file.reset(TRY(shmem_file_setup(bytes, promise)).leak());
    return {};
}

}  // namespace guest
