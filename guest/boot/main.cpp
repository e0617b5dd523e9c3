// start_kernel: everything in order, then init.
#include "guest/arch/cpu.hpp"
#include "guest/arch/early_serial.hpp"
#include "guest/arch/event_port.hpp"
#include "guest/arch/irq.hpp"
#include "guest/boot/cmdline.hpp"
#include "guest/boot/hvm_start_info.hpp"
#include "guest/drivers/serial_8250.hpp"
#include "guest/drivers/vt.hpp"
#include "guest/fs/anon_inodes.hpp"
#include "guest/fs/devpts.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/file.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/namei.hpp"
#include "guest/fs/nsfs.hpp"
#include "guest/fs/proc/proc.hpp"
#include "guest/fs/shmem.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/ipc/mqueue.hpp"
#include "guest/kernel/exec.hpp"
#include "guest/kernel/fork.hpp"
#include "guest/kernel/init_task.hpp"
#include "guest/kernel/sched_core.hpp"
#include "guest/lib/printk.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/init.hpp"
#include "guest/mm/memblock.hpp"
#include "guest/mm/overcommit.hpp"
#include "guest/net/af_unix.hpp"

extern "C" char _text[], _end[];

namespace guest {

namespace {

struct InitRamDisk {
    PhysAddr base;
    uint64_t size = 0;  // bytes
};
constinit InitRamDisk initrd;

// Below this the firmware and the loader keep their own.
constexpr uint64_t kLowMemory = 1024 * 1024;

template <typename T>
const T* boot_pointer(uint64_t pa) {
    return static_cast<const T*>(phys_to_virt(PhysAddr(pa)));
}

void read_memory_map(const hvm_start_info& info) {
    if (info.version < 1 || info.memmap_entries == 0) panic("the loader gave no memory map");
    const auto* entries = boot_pointer<hvm_memmap_table_entry>(info.memmap_paddr);
    for (uint32_t i = 0; i < info.memmap_entries; ++i) {
        if (entries[i].type == kHvmMemmapRam) memblock_add(PhysAddr(entries[i].addr), entries[i].size);
    }
    memblock_reserve(PhysAddr(0), kLowMemory);
    const uint64_t image = reinterpret_cast<uint64_t>(_text) - kKernelBase.raw();
    memblock_reserve(PhysAddr(image), static_cast<uint64_t>(_end - _text));
}

void read_modules(const hvm_start_info& info) {
    if (info.nr_modules == 0) return;
    const auto* module = boot_pointer<hvm_modlist_entry>(info.modlist_paddr);
    initrd = {PhysAddr(module->paddr), module->size};
    const PhysAddr image_end(reinterpret_cast<uint64_t>(_end) - kKernelBase.raw());
    if (initrd.base < image_end && initrd.base + initrd.size > PhysAddr(kLowMemory)) {
        panic("too little memory: the initial RAM disk (%lu KiB) was loaded over the kernel",
              initrd.size >> 10);
    }
    memblock_reserve(initrd.base, initrd.size);
}

// Firmware keeps some KiB on one machine and others on the next; what is printed is the same.
void print_memory() {
    constexpr uint64_t kPagesInMib = 256;
    pr_info("Memory: %lu MiB\n", (total_ram_pages() + kPagesInMib - 1) / kPagesInMib);
}

// Descriptors 0, 1 and 2 of init.
void open_console() {
    Result<RefPtr<file>> console = filp_open("/dev/console", abi::kORdWr);
    if (!console) {
        pr_warn("no /dev/console: init starts without files (error %d)\n", static_cast<int>(console.error()));
        return;
    }
    files_struct& files = *current()->files;
    for (int fd = 0; fd < 3; ++fd) {
        const Result<int> slot = alloc_fd(files, 0, kNrOpenMax, 0);
        if (!slot) panic("too little memory for init's files");
        fd_install(files, fd, RefPtr<file>(console.value()));
    }
}

Result<> run_init(const char* path, const CommandLine& line) {
    const char* argv[kMaxInitArgs + 2];
    memcpy(argv, line.argv, sizeof(argv));
    argv[0] = path;
    static constexpr const char* kEnvironment[] = {"HOME=/", "TERM=linux",
                                                   "PATH=/bin:/sbin:/usr/bin:/usr/sbin", nullptr};
    ArgVector arguments;
    arguments.kernel = argv;
    ArgVector environment;
    environment.kernel = kEnvironment;
    return do_execve(path, arguments, environment);
}

// Task 1. Returning enters user mode.
void kernel_init(void*) {
    open_console();
    const CommandLine& line = command_line();
    if (line.init != nullptr) {
        const Result<> started = run_init(line.init, line);
        if (started) return;
        panic("cannot run init %s (error %d)", line.init, static_cast<int>(started.error()));
    }
    for (const char* path : {"/init", "/sbin/init", "/bin/init", "/bin/sh"}) {
        if (run_init(path, line)) return;
    }
    panic("no init found: give one with init=PATH on the command line");
}

[[noreturn]] void rest_init() {
    if (!kernel_thread(kernel_init, nullptr, abi::kSigChld)) panic("too little memory for the first thread");
    cpu_idle();
}

void mount_root() {
    if (initrd.size == 0) panic("no initial RAM disk: give one to the loader (-initrd FILE)");
    init_task_set_root(vfs_init(phys_to_virt(initrd.base), initrd.size));
    shmem_init();
    mqueue_init();
    devpts_init();
    anon_inodes_init();
    nsfs_init();
    sock_init();
    proc_init();
}

}  // namespace

extern "C" [[noreturn]] void start_kernel(uint32_t start_info) {
    init_task_early();
    cpu_init(0);
    early_serial_init();
    const auto& info = *boot_pointer<hvm_start_info>(start_info);
    if (info.magic != kHvmStartMagic) panic("started without a PVH start info block");
    parse_command_line(info.cmdline_paddr != 0 ? boot_pointer<char>(info.cmdline_paddr) : "");
    pr_info("Forkscope kernel\n");
    event_port_init();

    read_memory_map(info);
    read_modules(info);
    paging_init();
    mem_init();
    zero_page_init();
    overcommit_init();
    print_memory();
    init_irq();
    sched_init();
    time_init();
    init_task_late();
    fork_init();
    local_irq_enable();
    mount_root();
    serial_init();
    vt_init();
    rest_init();
}

}  // namespace guest
