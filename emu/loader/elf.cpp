#include "emu/loader/elf.hpp"

#include <elf.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "emu/loader/bytes.hpp"

namespace forkscope::loader {

namespace {

struct Class64 {
    using Segment = Elf64_Phdr;
    using Section = Elf64_Shdr;
    using Symbol = Elf64_Sym;
};
struct Class32 {
    using Segment = Elf32_Phdr;
    using Section = Elf32_Shdr;
    using Symbol = Elf32_Sym;
};

template <typename Header>
ElfSegment to_segment(const Header& h, uint64_t at) {
    return {h.p_type, h.p_offset, h.p_vaddr, h.p_paddr, h.p_filesz, h.p_memsz, h.p_align, at, h.p_flags};
}

template <typename Header>
ElfSection to_section(const Header& h, uint64_t at) {
    return {h.sh_type, h.sh_flags, h.sh_offset, h.sh_size, h.sh_link, h.sh_entsize, at};
}

template <typename Symbol>
ElfSymbol to_symbol(const Symbol& s) {
    return {s.st_name, static_cast<uint8_t>(s.st_info & 15), s.st_shndx, s.st_value, s.st_size};
}

// A string table without a NUL must not make every symbol's name as long as itself.
constexpr uint64_t kMaxStringBytes = 4096;

constexpr uint64_t align_up(uint64_t value, uint64_t alignment) {
    return (value + alignment - 1) / alignment * alignment;
}

}  // namespace

bool ElfImage::has_magic(std::span<const uint8_t> bytes) {
    return bytes.size() >= SELFMAG && std::memcmp(bytes.data(), ELFMAG, SELFMAG) == 0;
}

template <typename Header>
Result<> ElfImage::read_header() {
    const auto header = load_at<Header>(bytes_, 0);
    if (!header)
        return fail("{}: ends at offset {:#x}, inside its ELF header of {} bytes", name_, bytes_.size(),
                    sizeof(Header));
    const uint16_t expected = is_64_ ? EM_X86_64 : EM_386;
    if (header->e_machine != expected)
        return fail("{}: ELF{} for machine {} (at offset {:#x}); expected machine {} (x86)", name_,
                    is_64_ ? 64 : 32, header->e_machine, offsetof(Header, e_machine), expected);
    type_ = header->e_type;
    entry_ = header->e_entry;
    phoff_ = header->e_phoff;
    phentsize_ = header->e_phentsize;
    phnum_ = header->e_phnum;
    shoff_ = header->e_shoff;
    shentsize_ = header->e_shentsize;
    shnum_ = header->e_shnum;
    return {};
}

Result<ElfImage> ElfImage::parse(const std::string& name, std::span<const uint8_t> bytes) {
    if (!has_magic(bytes)) return fail("{}: no ELF magic at offset 0x0", name);
    if (bytes.size() < EI_NIDENT)
        return fail("{}: ends at offset {:#x}, inside its ELF identification", name, bytes.size());
    if (bytes[EI_CLASS] != ELFCLASS32 && bytes[EI_CLASS] != ELFCLASS64)
        return fail("{}: ELF class {} at offset {:#x}; expected 1 (32 bits) or 2 (64 bits)", name,
                    bytes[EI_CLASS], EI_CLASS);
    if (bytes[EI_DATA] != ELFDATA2LSB)
        return fail("{}: ELF data encoding {} at offset {:#x}; expected 1 (little-endian)", name,
                    bytes[EI_DATA], EI_DATA);
    ElfImage image(name, bytes);
    image.is_64_ = bytes[EI_CLASS] == ELFCLASS64;
    TRY_VOID(image.is_64_ ? image.read_header<Elf64_Ehdr>() : image.read_header<Elf32_Ehdr>());
    return image;
}

Result<> ElfImage::check_table(std::string_view what, uint64_t offset, uint64_t count, uint64_t size,
                               uint64_t expected_size) const {
    if (count == 0) return {};
    if (size != expected_size)
        return fail("{}: {}s of {} bytes each; expected {}", name_, what, size, expected_size);
    if (!is_inside(offset, count * size, bytes_.size()))
        return fail("{}: {} {}s of {} bytes at offset {:#x} run past the file's end at {:#x}", name_, count,
                    what, size, offset, bytes_.size());
    return {};
}

Result<std::vector<ElfSegment>> ElfImage::segments() const {
    const uint64_t size = is_64_ ? sizeof(Class64::Segment) : sizeof(Class32::Segment);
    TRY_VOID(check_table("program header", phoff_, phnum_, phentsize_, size));
    // Nothing is loaded by section, but a table that is not there means that the file was cut.
    const uint64_t section_size = is_64_ ? sizeof(Class64::Section) : sizeof(Class32::Section);
    TRY_VOID(check_table("section header", shoff_, shnum_, shentsize_, section_size));
    std::vector<ElfSegment> segments;
    for (uint64_t i = 0; i < phnum_; ++i) {
        const uint64_t at = phoff_ + i * size;
        const ElfSegment segment = is_64_ ? to_segment(*load_at<Class64::Segment>(bytes_, at), at)
                                          : to_segment(*load_at<Class32::Segment>(bytes_, at), at);
        const bool is_used = segment.type == kSegmentLoad || segment.type == kSegmentNote;
        if (is_used && !is_inside(segment.offset, segment.filesz, bytes_.size()))
            return fail(
                "{}: segment {} (program header at offset {:#x}) has {:#x} bytes at offset {:#x}, past the "
                "file's end at {:#x}",
                name_, i, at, segment.filesz, segment.offset, bytes_.size());
        segments.push_back(segment);
    }
    return segments;
}

Result<std::vector<ElfSection>> ElfImage::sections() const {
    const uint64_t size = is_64_ ? sizeof(Class64::Section) : sizeof(Class32::Section);
    TRY_VOID(check_table("section header", shoff_, shnum_, shentsize_, size));
    std::vector<ElfSection> sections;
    for (uint64_t i = 0; i < shnum_; ++i) {
        const uint64_t at = shoff_ + i * size;
        const ElfSection section = is_64_ ? to_section(*load_at<Class64::Section>(bytes_, at), at)
                                          : to_section(*load_at<Class32::Section>(bytes_, at), at);
        const bool has_bytes = section.type != SHT_NULL && section.type != SHT_NOBITS;
        if (has_bytes && !is_inside(section.offset, section.size, bytes_.size()))
            return fail(
                "{}: section {} (header at offset {:#x}) has {:#x} bytes at offset {:#x}, past the file's "
                "end at {:#x}",
                name_, i, at, section.size, section.offset, bytes_.size());
        sections.push_back(section);
    }
    return sections;
}

Result<std::vector<ElfSymbol>> ElfImage::symbols(const ElfSection& table) const {
    const uint64_t size = is_64_ ? sizeof(Class64::Symbol) : sizeof(Class32::Symbol);
    const uint64_t count = table.size / size;
    TRY_VOID(check_table("symbol", table.offset, count, table.entsize, size));
    std::vector<ElfSymbol> symbols;
    symbols.reserve(count);
    for (uint64_t i = 0; i < count; ++i) {
        const uint64_t at = table.offset + i * size;
        symbols.push_back(is_64_ ? to_symbol(*load_at<Class64::Symbol>(bytes_, at))
                                 : to_symbol(*load_at<Class32::Symbol>(bytes_, at)));
    }
    return symbols;
}

std::string_view ElfImage::string_at(const ElfSection& table, uint32_t offset) const {
    if (offset >= table.size || !is_inside(table.offset, table.size, bytes_.size())) return {};
    const auto* first = reinterpret_cast<const char*>(bytes_.data() + table.offset + offset);
    const std::string_view rest(first, std::min(table.size - offset, kMaxStringBytes));
    return rest.substr(0, rest.find('\0'));
}

Result<std::optional<ElfImage::Note>> ElfImage::find_note(std::string_view owner, uint32_t type) const {
    for (const ElfSegment& segment : TRY(segments())) {
        if (segment.type != kSegmentNote) continue;
        const std::optional<Note> note = TRY(find_note_in(segment, owner, type));
        if (note) return note;
    }
    return std::optional<Note>{};
}

// Name and description are padded to 4 bytes, or to 8 in a segment that is aligned so.
Result<std::optional<ElfImage::Note>> ElfImage::find_note_in(const ElfSegment& segment,
                                                             std::string_view owner, uint32_t type) const {
    const uint64_t alignment = segment.align == 8 ? 8 : 4;
    const std::span<const uint8_t> notes = bytes_.subspan(segment.offset, segment.filesz);
    for (uint64_t at = 0; at < notes.size();) {
        const auto header = load_at<Elf64_Nhdr>(notes, at);
        const uint64_t name_at = at + sizeof(Elf64_Nhdr);
        const uint64_t name_size = header ? header->n_namesz : 0;
        const uint64_t description_at = align_up(name_at + name_size, alignment);
        const uint64_t description_size = header ? header->n_descsz : 0;
        if (!header || !is_inside(description_at, description_size, notes.size()))
            return fail("{}: the note at offset {:#x} runs past its segment's end at {:#x}", name_,
                        segment.offset + at, segment.offset + segment.filesz);
        const std::string_view name(reinterpret_cast<const char*>(notes.data() + name_at), name_size);
        const bool is_owned = name_size == owner.size() + 1 && name.starts_with(owner) && name.back() == '\0';
        if (is_owned && header->n_type == type)
            return Note{notes.subspan(description_at, description_size), segment.offset + description_at};
        at = align_up(description_at + description_size, alignment);
    }
    return std::optional<Note>{};
}

}  // namespace forkscope::loader
