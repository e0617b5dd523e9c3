// Files of memfd_create(2) and the seals on them.
#pragma once

#include "guest/fs/file.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// A mapping that a seal forbids: Perm. One that is read-only now stays so if there is a seal.
Result<> shmem_mmap(file& f, vm_area_struct& area);
// fcntl F_ADD_SEALS and F_GET_SEALS. Inval: not of shared memory, or no such seal; Perm; Busy (it is mapped
// to be written).
Result<long> memfd_add_seals(file& f, uint32_t seals);
Result<long> memfd_get_seals(const file& f);

}  // namespace guest
