// What maps and smaps have in common.
#pragma once

#include "guest/fs/path.hpp"
#include "guest/fs/seq_file.hpp"
#include "guest/mm/mm_types.hpp"

namespace guest {

// The line of maps. The address space's mmap_sem is held.
void show_map_vma(seq_file& m, const vm_area_struct& vma, const path& root);
// Where paths that current reads begin.
[[nodiscard]] path reader_root();

}  // namespace guest
