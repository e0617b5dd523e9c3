// Names of code addresses and lines of source, as a log carries them: one module for the kernel and one for
// each program.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace forkscope::log {

struct Symbol {
    uint64_t address = 0;  // guest-virtual, as linked
    uint64_t size = 0;     // bytes; 0: up to the next symbol
    std::string name;
    bool operator==(const Symbol&) const = default;
};

// Code from `address` up to the next row's comes from this line.
struct Line {
    uint64_t address = 0;
    uint32_t file = 0;  // in SymbolModule::files
    uint32_t line = 0;  // 0: no source
    bool operator==(const Line&) const = default;
};

enum class ModuleKind : uint8_t { Kernel = 0, User = 1 };

struct SymbolModule {
    ModuleKind kind = ModuleKind::Kernel;
    std::string name;  // "kernel", or the program's file name
    std::string path;  // in the guest for a program, as the user gave it for a kernel
    std::vector<Symbol> symbols;
    std::vector<std::string> files = {};  // of source
    std::vector<Line> lines = {};         // in ascending order of addresses
    bool operator==(const SymbolModule&) const = default;
};

}  // namespace forkscope::log
