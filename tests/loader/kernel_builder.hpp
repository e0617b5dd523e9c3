// Makes small Linux and multiboot images in memory.
#pragma once

#include <cstdint>
#include <vector>

#include "emu/loader/image.hpp"
#include "tests/loader/elf_builder.hpp"

namespace forkscope::loader {

// A bzImage with one sector of setup code and this many bytes of kernel, each 0xcc. Fields of its setup
// header are changed by set_field() at their offset in the file.
Image linux_image(uint64_t kernel_bytes = 0x400);

template <typename T>
void set_field(Image& image, uint64_t offset, T value) {
    for (size_t i = 0; i < sizeof value; ++i)
        image.bytes[offset + i] = static_cast<uint8_t>(static_cast<uint64_t>(value) >> (8 * i));
}

// A multiboot header of these words after the checksum: header_addr, load_addr, load_end_addr, bss_end_addr,
// entry_addr.
std::vector<uint8_t> multiboot_header(uint32_t flags, const std::vector<uint32_t>& words = {});

// An ELF image of one segment at 1 MiB that begins with a multiboot header; its entry is 0x100040.
TestElf multiboot_elf();

}  // namespace forkscope::loader
