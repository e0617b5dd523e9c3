// Files that are not on any disk: character devices, FIFOs and pipes.
#pragma once

#include "guest/fs/file.hpp"
#include "guest/fs/inode.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// What init_special_inode gives to nodes: their open finds the device or pipe behind the node.
extern const file_operations chrdev_file_operations;
extern const file_operations fifo_file_operations;
extern const file_operations no_open_file_operations;

inline constexpr uint32_t kMemMajor = 1;
inline constexpr uint32_t kTtyMajor = 4;     // minor 64 on: serial lines
inline constexpr uint32_t kTtyAuxMajor = 5;  // 0: the caller's terminal, 1: the console

// Opening a character device of that major calls ops.open with what it registered as f_op. Before any open.
void register_chrdev(uint32_t major, const file_operations& ops, const char* name);
inline constexpr uint32_t kChrdevMajors = 256;
// As /proc/devices shows it; null if nobody registered that major.
[[nodiscard]] const char* chrdev_name(uint32_t major);
// null, zero, full, random, urandom
void mem_devices_init();
// What mapping /dev/zero does. NoMem.
Result<> zero_mmap(file& f, vm_area_struct& area);

inline constexpr size_t kPipeCapacity = 16 * kPageSize;  // bytes, of a new pipe
// The most bytes that the unprivileged can make of one, a power of two pages (/proc/sys/fs/pipe-max-size).
extern size_t pipe_max_size;
// Inval.
Result<> set_pipe_max_size(uint64_t bytes);

// Both ends of a new pipe. flags: of kONonBlock. NFile, NoMem.
struct pipe_ends {
    RefPtr<file> read;
    RefPtr<file> write;
};
Result<pipe_ends> create_pipe(uint32_t flags);
// The file system that pipes live in. NoMem.
Result<> pipefs_init();

}  // namespace guest
