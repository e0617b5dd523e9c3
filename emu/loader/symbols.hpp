// Names of the functions of ELF images: of the kernel, and of the programs in an initramfs.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/base/result.hpp"
#include "emu/loader/lines.hpp"

namespace forkscope::loader {

struct Symbol {
    VirtAddr address;
    uint64_t size = 0;  // bytes; 0: a label, good up to the next symbol
    std::string name;   // demangled, without return type and arguments
};

// Functions and code labels of one image, in order of address.
class SymbolTable {
public:
    SymbolTable() = default;
    SymbolTable(std::vector<Symbol> symbols, bool position_independent);

    [[nodiscard]] const std::vector<Symbol>& symbols() const { return symbols_; }
    // The addresses count from wherever the image gets loaded.
    [[nodiscard]] bool is_position_independent() const { return position_independent_; }
    // The function that covers an address, or null.
    [[nodiscard]] const Symbol* find(VirtAddr address) const;

private:
    std::vector<Symbol> symbols_;
    bool position_independent_ = false;
};

// An image without a symbol table gives an empty table. `name` is for error messages.
Result<SymbolTable> read_symbols(const std::string& name, std::span<const uint8_t> elf);

struct InitramfsSymbols {
    std::map<std::string, SymbolTable> files;  // by path, with one leading '/'
    std::map<std::string, LineTable> lines;    // the same, of those that have any
    std::vector<std::string> problems;         // one line for each ELF file that cannot be read
};

// Every ELF file of a cpio archive, with its lines of source. An error: the archive itself is bad.
Result<InitramfsSymbols> read_initramfs_symbols(const std::string& name, std::span<const uint8_t> archive);

// "mm::copy_page_range" of "_ZN2mm15copy_page_rangeEP9mm_structS1_"; other names as they are.
std::string function_name(std::string_view symbol);

}  // namespace forkscope::loader
