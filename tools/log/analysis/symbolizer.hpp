// Names for code addresses, from the symbols that a log carries.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "emu/log/symbols.hpp"

namespace forkscope::analysis {

struct CodePlace {
    const log::SymbolModule* module = nullptr;
    const log::Symbol* symbol = nullptr;
    uint64_t offset = 0;  // bytes into the symbol
    const log::Line* line = nullptr;

    [[nodiscard]] std::string text() const;    // "copy_pte_range+0x3c (guest/mm/copy.cpp:88)"
    [[nodiscard]] std::string name() const;    // "copy_pte_range+0x3c"
    [[nodiscard]] std::string source() const;  // "guest/mm/copy.cpp:88", "" if it is not known
};

class Symbolizer {
public:
    Symbolizer() = default;
    explicit Symbolizer(std::vector<log::SymbolModule> modules);

    // A program is found by what is known of a task: a name of at most 15 bytes, cut as the kernel cuts it.
    // Supervisor code is looked up in the kernel only, user code in that program only.
    [[nodiscard]] std::optional<CodePlace> find(uint64_t rip, unsigned cpl, std::string_view program) const;

    // "copy_pte_range+0x3c (guest/mm/copy.cpp:88)", or the bare address if it has no name.
    [[nodiscard]] std::string text(uint64_t rip, unsigned cpl, std::string_view program) const;

    // The first and the last symbol that begin in a range of addresses; null if there is none.
    [[nodiscard]] std::pair<const log::Symbol*, const log::Symbol*> names_between(
        uint64_t first, uint64_t last, unsigned cpl, std::string_view program) const;

    [[nodiscard]] const std::vector<log::SymbolModule>& modules() const { return modules_; }

private:
    [[nodiscard]] const log::SymbolModule* program_named(std::string_view name) const;

    std::vector<log::SymbolModule> modules_;
};

}  // namespace forkscope::analysis
