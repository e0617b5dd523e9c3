#include "emu/loader/symbols.hpp"

#include <cxxabi.h>
#include <elf.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <memory>
#include <utility>

#include "emu/loader/cpio.hpp"
#include "emu/loader/elf.hpp"

namespace forkscope::loader {

namespace {

// Length of an operator's name at `at` ("operator<<"), 0 if there is none: its characters are no brackets.
size_t operator_length(std::string_view text, size_t at) {
    constexpr std::string_view kKeyword = "operator";
    if (!text.substr(at).starts_with(kKeyword)) return 0;
    size_t end = at + kKeyword.size();
    if (text.substr(end).starts_with("()")) return end + 2 - at;
    const size_t symbols = end;
    while (end < text.size() &&
           std::string_view("<>=-!+*/%^&|~,[]").find(text[end]) != std::string_view::npos)
        ++end;
    return end == symbols ? 0 : end - at;
}

// The position after the bracket that closes the one at `at`.
size_t skip_brackets(std::string_view text, size_t at) {
    unsigned depth = 0;
    while (at < text.size()) {
        if (const size_t length = operator_length(text, at); length != 0) {
            at += length;
            continue;
        }
        const char c = text[at++];
        if (c == '(' || c == '<' || c == '{') ++depth;
        if ((c == ')' || c == '>' || c == '}') && --depth == 0) break;
    }
    return at;
}

// Cuts return type and arguments off a demangled function: what stands before a space that no bracket
// encloses, and what stands in such brackets at the end or before a "::" (a lambda in a function). "operator
// bool", "operator new" and "operator< <int>" are names with a space of their own.
std::string bare_name(std::string_view text) {
    std::string name;
    bool is_operator = false;
    for (size_t at = 0; at < text.size();) {
        if (const size_t length = operator_length(text, at); length != 0) {
            name += text.substr(at, length);
            at += length;
            is_operator = true;
            continue;
        }
        const char c = text[at];
        const size_t end = c == '(' || c == '<' || c == '{' ? skip_brackets(text, at) : at + 1;
        if (c == '(' && !text.substr(at).starts_with("(anonymous namespace)")) {
            const std::string_view rest = text.substr(end);
            if (rest.starts_with("::")) {
                at = end;
            } else if (rest.starts_with(" const::")) {
                at = text.find("::", end);
            } else {
                break;
            }
        } else if (c == ' ') {
            is_operator |= name.ends_with("operator");
            if (is_operator)
                name += ' ';
            else
                name.clear();
            at = end;
        } else {
            name += text.substr(at, end - at);
            at = end;
        }
    }
    return name;
}

// How often a mangled name may refer back to a part of itself ("S1_", "T_"). A hostile name that refers
// twice to the part before, level by level, would unfold to gigabytes.
constexpr unsigned kMaxReferences = 32;

unsigned count_references(std::string_view mangled) {
    unsigned references = 0;
    for (size_t at = 0; at < mangled.size(); ++at) {
        if (mangled[at] != 'S' && mangled[at] != 'T') continue;
        size_t end = at + 1;
        while (end < mangled.size() && std::isalnum(static_cast<unsigned char>(mangled[end])) != 0) ++end;
        if (end < mangled.size() && mangled[end] == '_') ++references;
    }
    return references;
}

bool is_code(const ElfSymbol& symbol, std::string_view name, const std::vector<ElfSection>& sections) {
    if (symbol.section == SHN_UNDEF || name.empty()) return false;
    if (symbol.type == STT_FUNC || symbol.type == STT_GNU_IFUNC) return true;
    // A label of assembly code; names that begin so are the compiler's.
    if (symbol.type != STT_NOTYPE || symbol.section >= sections.size() || name.starts_with(".L"))
        return false;
    return (sections[symbol.section].flags & SHF_EXECINSTR) != 0;
}

}  // namespace

std::string function_name(std::string_view symbol) {
    if (!symbol.starts_with("_Z") || count_references(symbol) > kMaxReferences) return std::string(symbol);
    // A clone of the compiler's, "_Z1fv.part.0", keeps its suffix.
    const size_t dot = symbol.find('.');
    const std::string mangled(symbol.substr(0, dot));
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> demangled(
        abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status), &std::free);
    if (status != 0 || demangled == nullptr) return std::string(symbol);
    std::string name = bare_name(demangled.get());
    if (dot != std::string_view::npos) name += symbol.substr(dot);
    return name;
}

SymbolTable::SymbolTable(std::vector<Symbol> symbols, bool position_independent)
    : symbols_(std::move(symbols)), position_independent_(position_independent) {
    // At one address the symbol with the largest size comes last, which is the one that find() meets.
    std::stable_sort(symbols_.begin(), symbols_.end(), [](const Symbol& a, const Symbol& b) {
        return std::pair(a.address, a.size) < std::pair(b.address, b.size);
    });
}

const Symbol* SymbolTable::find(VirtAddr address) const {
    auto after = std::upper_bound(symbols_.begin(), symbols_.end(), address,
                                  [](VirtAddr a, const Symbol& symbol) { return a < symbol.address; });
    if (after == symbols_.begin()) return nullptr;
    const Symbol& symbol = *--after;
    return symbol.size == 0 || address - symbol.address < symbol.size ? &symbol : nullptr;
}

Result<SymbolTable> read_symbols(const std::string& name, std::span<const uint8_t> elf) {
    const ElfImage image = TRY(ElfImage::parse(name, elf));
    const std::vector<ElfSection> sections = TRY(image.sections());
    auto table = std::find_if(sections.begin(), sections.end(),
                              [](const ElfSection& section) { return section.type == SHT_SYMTAB; });
    if (table == sections.end())
        table = std::find_if(sections.begin(), sections.end(),
                             [](const ElfSection& section) { return section.type == SHT_DYNSYM; });
    const bool position_independent = image.type() == kElfShared;
    if (table == sections.end()) return SymbolTable({}, position_independent);
    if (table->link >= sections.size())
        return fail("{}: the symbol table (section header at offset {:#x}) names string section {} of {}",
                    name, table->header_offset, table->link, sections.size());
    std::vector<Symbol> symbols;
    for (const ElfSymbol& symbol : TRY(image.symbols(*table))) {
        const std::string_view text = image.string_at(sections[table->link], symbol.name);
        if (!is_code(symbol, text, sections)) continue;
        symbols.push_back({VirtAddr(symbol.value), symbol.size, function_name(text)});
    }
    return SymbolTable(std::move(symbols), position_independent);
}

Result<InitramfsSymbols> read_initramfs_symbols(const std::string& name, std::span<const uint8_t> archive) {
    InitramfsSymbols result;
    for (const CpioEntry& entry : TRY(read_cpio(name, archive))) {
        if (!entry.is_regular() || !ElfImage::has_magic(entry.data)) continue;
        std::string_view path = entry.path;
        if (path.starts_with("./")) path.remove_prefix(2);
        while (path.starts_with('/')) path.remove_prefix(1);
        const std::string where = fmt::format("{}: {}", name, entry.path);
        auto table = read_symbols(where, entry.data);
        if (!table) {
            result.problems.push_back(table.error().message);
            continue;
        }
        const std::string key = "/" + std::string(path);
        result.files.insert_or_assign(key, std::move(*table));
        if (auto lines = read_lines(where, entry.data)) {
            if (!lines->rows.empty()) result.lines.insert_or_assign(key, std::move(*lines));
        } else {
            result.problems.push_back(lines.error().message);
        }
    }
    return result;
}

}  // namespace forkscope::loader
