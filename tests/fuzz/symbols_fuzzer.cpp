// Reads symbols of arbitrary ELF files, of arbitrary cpio archives, and of kernels in arbitrary memory.
#include <cstdlib>

#include "emu/loader/kallsyms.hpp"
#include "emu/loader/symbols.hpp"
#include "tests/fuzz/patched.hpp"
#include "tests/loader/cpio_builder.hpp"
#include "tests/loader/elf_builder.hpp"
#include "tests/loader/kallsyms_builder.hpp"

using namespace forkscope;

namespace {

std::vector<std::vector<uint8_t>> good_files() {
    loader::TestElf elf = loader::pvh_kernel();
    elf.symbols = {{"_ZN2mm7do_forkEm", 0x100000, 16, STT_FUNC}, {"entry", 0x100010, 0, STT_NOTYPE}};
    const std::vector<uint8_t> bytes = elf.build();
    loader::CpioBuilder cpio;
    cpio.add("bin/sh", std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()))
        .add("a", "", {.mode = 0100644, .links = 2, .inode = 5})
        .add("b", "text", {.mode = 0100644, .links = 2, .inode = 5})
        .end();
    using Layout = test::KallsymsBuilder::Layout;
    return {bytes, cpio.bytes, test::some_kernel().build(Layout::OffsetsFirst),
            test::some_kernel().build(Layout::OffsetsLast)};
}

void check(const loader::SymbolTable& table) {
    for (const loader::Symbol& symbol : table.symbols())
        if (table.find(symbol.address) == nullptr && symbol.size != 0) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const std::vector<std::vector<uint8_t>> kGood = good_files();
    const std::vector<uint8_t> file = fuzz::patched({data, size}, kGood);
    if (const auto table = loader::read_symbols("elf", file)) check(*table);
    (void)loader::read_lines("elf", file);
    if (const auto table = loader::find_kallsyms(file)) check(*table);
    if (const auto all = loader::read_initramfs_symbols("cpio", file))
        for (const auto& [path, table] : all->files) check(table);
    return 0;
}
