// Files of procfs with a form of their own that are about an address space: what they keep while they are
// open.
#pragma once

#include "guest/fs/proc/pid_files.hpp"

namespace guest {

// Of an open file: the address space that the task had then. It may have lost its last user since.
struct OpenMm {
    KMEM_CACHED()
    mm_struct* mm = nullptr;  // counted in mm_count; null of a zombie
    bool privileged = false;  // opened by CAP_SYS_ADMIN
    OpenMm() = default;
    OpenMm(const OpenMm&) = delete;
    OpenMm& operator=(const OpenMm&) = delete;
    ~OpenMm();
};
[[nodiscard]] inline OpenMm& open_mm_of(const file& f) { return *static_cast<OpenMm*>(f.private_data); }

// For file_operations. Open takes the right to trace the task: Srch, Access.
Result<> open_mm_open(inode& node, file& f);
void open_mm_release(inode& node, file& f);

}  // namespace guest
