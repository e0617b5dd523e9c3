// Looking up code addresses.
#include "tools/log/analysis/symbolizer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace forkscope::analysis {

namespace {

constexpr size_t kCommLength = 15;

[[nodiscard]] std::optional<CodePlace> find_in(const log::SymbolModule& module, uint64_t rip) {
    auto next = std::ranges::upper_bound(module.symbols, rip, {}, &log::Symbol::address);
    if (next == module.symbols.begin()) return std::nullopt;
    // One without a size reaches up to the next symbol; a sized one may end before rip while an earlier one
    // covers it. The nearest that reaches.
    const uint64_t nearest = std::prev(next)->address;
    constexpr int kTries = 4;
    for (int i = 0; i < kTries && next != module.symbols.begin(); ++i) {
        --next;
        const uint64_t offset = rip - next->address;
        const bool reaches = next->size == 0 ? next->address == nearest : offset < next->size;
        if (reaches) return CodePlace{&module, &*next, offset};
    }
    return std::nullopt;
}

}  // namespace

std::string CodePlace::text() const {
    return offset == 0 ? symbol->name : fmt::format("{}+{:#x}", symbol->name, offset);
}

Symbolizer::Symbolizer(std::vector<log::SymbolModule> modules) : modules_(std::move(modules)) {
    for (log::SymbolModule& module : modules_) {
        // A broken file may hold anything; terminals get only what can be printed.
        for (log::Symbol& symbol : module.symbols)
            for (char& c : symbol.name)
                if (c < ' ' || c > '~') c = '?';
    }
}

const log::SymbolModule* Symbolizer::program_named(std::string_view name) const {
    const log::SymbolModule* found = nullptr;
    for (const log::SymbolModule& module : modules_) {
        if (module.kind != log::ModuleKind::User || name.empty()) continue;
        if (module.name == name) return &module;
        if (name.size() == kCommLength && module.name.starts_with(name)) found = &module;
    }
    return found;
}

std::optional<CodePlace> Symbolizer::find(uint64_t rip, unsigned cpl, std::string_view program) const {
    if (cpl == 3) {
        const log::SymbolModule* module = program_named(program);
        return module == nullptr ? std::nullopt : find_in(*module, rip);
    }
    for (const log::SymbolModule& module : modules_) {
        if (module.kind != log::ModuleKind::Kernel) continue;
        if (const auto place = find_in(module, rip)) return place;
    }
    return std::nullopt;
}

std::string Symbolizer::text(uint64_t rip, unsigned cpl, std::string_view program) const {
    const auto place = find(rip, cpl, program);
    return place ? place->text() : fmt::format("{:#x}", rip);
}

}  // namespace forkscope::analysis
