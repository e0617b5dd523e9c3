// An open text file of procfs.
#pragma once

#include "guest/fs/file.hpp"
#include "guest/fs/seq_file.hpp"
#include "guest/kernel/mutex.hpp"
#include "guest/mm/mm_types.hpp"
#include "guest/mm/slab.hpp"

namespace guest {

struct pid_namespace;

struct proc_text : seq_file {
    KMEM_CACHED()
    explicit proc_text(file& opened) : f(opened) {}
    ~proc_text();

    // The mount's namespace: as whom the reader sees pids.
    [[nodiscard]] const pid_namespace& ns() const;

    file& f;
    mutex lock;  // everything below, and the text
    bool filled = false;
    mm_struct* mm = nullptr;  // counted in mm_count: it stays, but its areas may be gone
};

}  // namespace guest
