#include "emu/loader/boot_plan.hpp"

#include <fmt/format.h>

namespace forkscope::loader {

namespace {

const char* name_of(ImageKind kind) {
    switch (kind) {
        case ImageKind::PvhElf64:
            return "PVH ELF64";
        case ImageKind::PvhElf32:
            return "PVH ELF32";
        case ImageKind::Elf64:
            return "ELF64";
        case ImageKind::LinuxBzImage:
            return "Linux bzImage";
        case ImageKind::LinuxVmlinux:
            return "Linux vmlinux";
        case ImageKind::Multiboot:
            return "multiboot image";
        case ImageKind::Flat:
            return "flat image";
        case ImageKind::Firmware:
            return "firmware";
    }
    return "image";
}

unsigned bits_of(EntryMode mode) {
    switch (mode) {
        case EntryMode::Real16:
            return 16;
        case EntryMode::Protected32:
            return 32;
        case EntryMode::Long64:
            return 64;
    }
    return 0;
}

}  // namespace

std::string BootPlan::description() const {
    return fmt::format("{}, entry {:#x} in {}-bit mode", name_of(kind), entry.raw(), bits_of(mode));
}

}  // namespace forkscope::loader
