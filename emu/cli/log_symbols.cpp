#include "emu/cli/log_symbols.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "emu/base/say.hpp"
#include "emu/loader/elf.hpp"
#include "emu/loader/kallsyms.hpp"
#include "emu/loader/symbols.hpp"

namespace forkscope::cli {

namespace {

log::SymbolModule module_of(log::ModuleKind kind, std::string name, std::string path,
                            const loader::SymbolTable& table) {
    log::SymbolModule module;
    module.kind = kind;
    module.name = std::move(name);
    module.path = std::move(path);
    module.symbols.reserve(table.symbols().size());
    for (const loader::Symbol& s : table.symbols())
        module.symbols.push_back({s.address.raw(), s.size, s.name});
    return module;
}

void add_lines(log::SymbolModule& module, loader::LineTable&& table) {
    module.files = std::move(table.files);
    module.lines.reserve(table.rows.size());
    for (const loader::LineRow& row : table.rows)
        module.lines.push_back({row.address.raw(), row.file, row.line});
}

void add_kernel(std::vector<log::SymbolModule>& modules, const RunOptions& options,
                const loader::Image& kernel) {
    // A compressed kernel and a flat image have none to offer.
    if (!loader::ElfImage::has_magic(kernel.bytes)) return;
    const auto symbols = loader::read_symbols(kernel.name, kernel.bytes);
    if (!symbols) {
        say("forkscope: {}; its functions stay nameless", symbols.error().message);
        return;
    }
    modules.push_back(module_of(log::ModuleKind::Kernel, "kernel", options.kernel, *symbols));
    if (auto lines = loader::read_lines(kernel.name, kernel.bytes))
        add_lines(modules.back(), std::move(*lines));
}

}  // namespace

std::vector<log::SymbolModule> read_symbol_modules(const RunOptions& options, const Images& images) {
    std::vector<log::SymbolModule> modules;
    add_kernel(modules, options, images.kernel);
    if (!images.initrd) return modules;
    auto programs = loader::read_initramfs_symbols(images.initrd->name, images.initrd->bytes);
    // An initrd may be compressed or hold a file system: then its programs stay nameless.
    if (!programs) return modules;
    for (const auto& [path, table] : programs->files) {
        if (table.symbols().empty()) continue;
        modules.push_back(
            module_of(log::ModuleKind::User, std::filesystem::path(path).filename().string(), path, table));
        if (const auto lines = programs->lines.find(path); lines != programs->lines.end())
            add_lines(modules.back(), std::move(lines->second));
    }
    return modules;
}

bool has_kernel(std::span<const log::SymbolModule> modules) {
    return std::ranges::any_of(modules, [](const log::SymbolModule& module) {
        return module.kind == log::ModuleKind::Kernel && !module.symbols.empty();
    });
}

std::optional<log::SymbolModule> kernel_symbols_in(const mem::GuestRam& ram, const std::string& path) {
    for (const mem::RamRegion& region : ram.regions()) {
        const auto table = loader::find_kallsyms({ram.at(region.base, region.size), region.size});
        if (table) return module_of(log::ModuleKind::Kernel, "kernel", path, *table);
    }
    return std::nullopt;
}

}  // namespace forkscope::cli
