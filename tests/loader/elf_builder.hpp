// Makes small ELF files in memory: headers, segments, an optional PVH note, an optional symbol table.
#pragma once

#include <elf.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "emu/loader/image.hpp"

namespace forkscope::loader {

struct TestSegment {
    uint64_t paddr = 0x100000;
    std::vector<uint8_t> bytes;
    uint64_t memsz = 0;  // 0: as many as there are bytes
};

struct TestSymbol {
    std::string name;
    uint64_t value;
    uint64_t size;
    uint8_t type;
    uint16_t section = 1;  // section 1 is code, section 2 data
};

struct TestElf {
    bool is_64 = true;
    uint16_t type = ET_EXEC;
    uint64_t entry = 0x100000;
    std::vector<TestSegment> segments;
    std::optional<uint64_t> pvh_entry;
    uint32_t pvh_entry_bytes = 8;
    std::vector<TestSymbol> symbols;

    // Layout: file header, program headers, the note, the segments' bytes; then, if there are symbols,
    // their table, its strings and the section headers. Nothing follows.
    [[nodiscard]] std::vector<uint8_t> build() const;
    [[nodiscard]] Image image() const { return {"test.elf", build()}; }
};

// A PVH kernel of one segment at 1 MiB, entered at its start.
TestElf pvh_kernel(uint64_t bytes = 64);

}  // namespace forkscope::loader
