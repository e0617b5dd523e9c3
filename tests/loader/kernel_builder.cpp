#include "tests/loader/kernel_builder.hpp"

namespace forkscope::loader {

Image linux_image(uint64_t kernel_bytes) {
    Image image{"bzImage", std::vector<uint8_t>(0x400 + kernel_bytes, 0xcc)};
    std::fill_n(image.bytes.begin(), 0x400, uint8_t{0});
    set_field<uint8_t>(image, 0x1f1, 1);            // setup_sects
    set_field<uint16_t>(image, 0x1fe, 0xaa55);      // boot_flag
    set_field<uint16_t>(image, 0x200, 0x66eb);      // jump over the header
    set_field<uint32_t>(image, 0x202, 0x53726448);  // "HdrS"
    set_field<uint16_t>(image, 0x206, 0x020f);      // version
    set_field<uint8_t>(image, 0x211, 1);            // loaded high
    set_field<uint32_t>(image, 0x22c, 0x7fffffff);  // initrd_addr_max
    set_field<uint32_t>(image, 0x230, 0x200000);    // kernel_alignment
    set_field<uint8_t>(image, 0x234, 1);            // relocatable
    set_field<uint16_t>(image, 0x236, 1);           // a 64-bit entry
    set_field<uint32_t>(image, 0x238, 100);         // cmdline_size
    set_field<uint64_t>(image, 0x258, 0x400000);    // pref_address
    set_field<uint32_t>(image, 0x260, 0x8000);      // init_size
    return image;
}

std::vector<uint8_t> multiboot_header(uint32_t flags, const std::vector<uint32_t>& words) {
    std::vector<uint32_t> all = {0x1badb002, flags, 0u - 0x1badb002 - flags};
    all.insert(all.end(), words.begin(), words.end());
    std::vector<uint8_t> bytes;
    for (const uint32_t word : all)
        for (unsigned i = 0; i < 4; ++i) bytes.push_back(static_cast<uint8_t>(word >> (8 * i)));
    return bytes;
}

TestElf multiboot_elf() {
    TestElf elf;
    elf.is_64 = false;
    elf.entry = 0x100040;
    std::vector<uint8_t> bytes = multiboot_header(3);
    bytes.resize(0x80, 0x90);
    elf.segments.push_back({0x100000, bytes, 0});
    return elf;
}

}  // namespace forkscope::loader
