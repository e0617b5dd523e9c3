// Looking up code addresses.
#include "tools/log/analysis/symbolizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace forkscope::analysis {

namespace {

constexpr size_t kCommLength = 15;

[[nodiscard]] const log::Line* line_of(const log::SymbolModule& module, uint64_t rip) {
    auto after = std::ranges::upper_bound(module.lines, rip, {}, &log::Line::address);
    if (after == module.lines.begin()) return nullptr;
    --after;
    return after->line == 0 ? nullptr : &*after;
}

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
        if (reaches) return CodePlace{&module, &*next, offset, line_of(module, rip)};
    }
    return std::nullopt;
}

void make_printable(std::string& text) {
    for (char& c : text)
        if (c < ' ' || c > '~') c = '?';
}

void remove_all(std::string& text, std::string_view part) {
    for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at))
        text.erase(at, part.size());
}

// What most names begin with says nothing: the namespace of a whole kernel. Neither does it that a function
// is local to its file.
void shorten(log::SymbolModule& module) {
    std::unordered_map<std::string_view, size_t> scopes;
    for (const log::Symbol& symbol : module.symbols) {
        const size_t end = symbol.name.find("::");
        if (end != std::string::npos) ++scopes[std::string_view(symbol.name).substr(0, end + 2)];
    }
    std::string common;
    for (const auto& [scope, count] : scopes)
        if (count > module.symbols.size() / 2) common = scope;
    for (log::Symbol& symbol : module.symbols) {
        if (!common.empty() && symbol.name.starts_with(common)) symbol.name.erase(0, common.size());
        remove_all(symbol.name, "(anonymous namespace)::");
    }
}

}  // namespace

std::string CodePlace::name() const {
    return offset == 0 ? symbol->name : fmt::format("{}+{:#x}", symbol->name, offset);
}

std::string CodePlace::source() const {
    return line == nullptr ? "" : fmt::format("{}:{}", module->files[line->file], line->line);
}

std::string CodePlace::text() const {
    return line == nullptr ? name() : fmt::format("{} ({})", name(), source());
}

Symbolizer::Symbolizer(std::vector<log::SymbolModule> modules) : modules_(std::move(modules)) {
    for (log::SymbolModule& module : modules_) {
        // A broken file may hold anything; terminals get only what can be printed.
        for (log::Symbol& symbol : module.symbols) make_printable(symbol.name);
        shorten(module);
        for (std::string& file : module.files) make_printable(file);
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

std::pair<const log::Symbol*, const log::Symbol*> Symbolizer::names_between(uint64_t first, uint64_t last,
                                                                            unsigned cpl,
                                                                            std::string_view program) const {
    for (const log::SymbolModule& module : modules_) {
        if (cpl == 3 ? &module != program_named(program) : module.kind != log::ModuleKind::Kernel) continue;
        const auto begin = std::ranges::lower_bound(module.symbols, first, {}, &log::Symbol::address);
        const auto end = std::ranges::upper_bound(module.symbols, last, {}, &log::Symbol::address);
        if (begin < end) return {&*begin, &*std::prev(end)};
    }
    return {nullptr, nullptr};
}

std::string Symbolizer::text(uint64_t rip, unsigned cpl, std::string_view program) const {
    const auto place = find(rip, cpl, program);
    return place ? place->text() : fmt::format("{:#x}", rip);
}

}  // namespace forkscope::analysis
