// Loads arbitrary kernels with arbitrary options: a boot plan inside RAM or one line of error.
#include <cstdlib>

#include "emu/loader/firmware.hpp"
#include "emu/loader/load_kernel.hpp"
#include "tests/fuzz/patched.hpp"
#include "tests/loader/kernel_builder.hpp"

using namespace forkscope;

namespace {

std::vector<std::vector<uint8_t>> good_files() {
    loader::TestElf elf64 = loader::pvh_kernel();
    elf64.segments.push_back({0x200000, {1, 2, 3}, 0x5000});
    loader::TestElf elf32 = loader::pvh_kernel();
    elf32.is_64 = false;
    elf32.pvh_entry_bytes = 4;
    loader::Image bzimage = loader::linux_image();
    loader::set_field<uint64_t>(bzimage, 0x258, 0x200000);
    loader::TestElf vmlinux = loader::pvh_kernel();
    vmlinux.pvh_entry.reset();
    for (const char c : std::string("Linux version "))
        vmlinux.segments[0].bytes.push_back(static_cast<uint8_t>(c));
    loader::TestElf multiboot64 = loader::multiboot_elf();
    multiboot64.is_64 = true;
    std::vector<uint8_t> kludge =
        loader::multiboot_header(0x10003, {0x200000, 0x200000, 0x200080, 0x200200, 0x200040});
    kludge.resize(0x100, 0x90);
    return {
        elf64.build(),       elf32.build(), bzimage.bytes, vmlinux.build(), loader::multiboot_elf().build(),
        multiboot64.build(), kludge};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const std::vector<std::vector<uint8_t>> kGood = good_files();
    static mem::GuestRam ram = std::move(*mem::GuestRam::create(4 * kMiB));
    if (size < 2) return 0;
    const loader::Image kernel{"kernel", fuzz::patched({data + 1, size - 1}, kGood)};
    static const loader::Image small{"initrd", std::vector<uint8_t>(5000, 1)};
    static const loader::Image large{"initrd", std::vector<uint8_t>(3 * kMiB - 0x5000, 1)};
    loader::LoadOptions options;
    options.command_line = "quiet";
    if ((data[0] & 0x41) == 0x41) options.initrd = &small;
    if ((data[0] & 0xe1) == 0xe1) options.initrd = &large;
    if ((data[0] & 2) != 0) options.protocol = loader::Protocol::Long64;
    if ((data[0] & 0x10) != 0) options.modules = {{small, "small"}, {{"empty", {}}, ""}};
    options.flat_mode = static_cast<loader::EntryMode>((data[0] >> 6) % 3);
    if ((data[0] & 12) == 12) options.flat_address = PhysAddr(uint64_t{data[0]} << 14);
    if ((data[0] & 0x28) == 0x28) {
        const auto firmware = loader::load_firmware(kernel, ram);
        if (!firmware && firmware.error().message.find('\n') != std::string::npos) std::abort();
        return 0;
    }
    const auto plan = loader::load_kernel(kernel, ram, options);
    if (!plan) {
        if (plan.error().message.find('\n') != std::string::npos) std::abort();
        return 0;
    }
    PhysAddr end;
    for (const loader::PlacedRange& range : plan->placed) {
        if (range.size == 0 || range.base < end || !ram.contains(range.base, range.size)) std::abort();
        end = range.base + range.size;
    }
    if (!ram.contains(plan->entry, 1)) std::abort();
    return 0;
}
