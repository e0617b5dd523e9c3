// The initramfs: a cpio archive in the "newc" form, unpacked into the root file system.
#pragma once

#include "guest/fs/namei.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// Where and why an archive is wrong.
struct cpio_error {
    size_t offset = 0;             // of the entry's header in the archive, bytes
    const char* reason = nullptr;  // null: nothing wrong
};

// Makes every file of the archive, paths taken from root. Directories of a path that the archive does not
// name must exist already. Stops at the first mistake, or at an Errno of the file system, which reason then
// tells; what was made before that stays.
[[nodiscard]] cpio_error unpack_initramfs(const path& root, const void* archive, size_t bytes);

}  // namespace guest
