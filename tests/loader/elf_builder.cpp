#include "tests/loader/elf_builder.hpp"

#include <cstring>

namespace forkscope::loader {

namespace {

template <typename T>
void put(std::vector<uint8_t>& file, const T& value) {
    const auto* p = reinterpret_cast<const uint8_t*>(&value);
    file.insert(file.end(), p, p + sizeof(T));
}

std::vector<uint8_t> pvh_note(uint64_t entry, uint32_t entry_bytes) {
    std::vector<uint8_t> note;
    // another owner's note first, as a real kernel has
    put(note, Elf64_Nhdr{4, 3, NT_GNU_BUILD_ID});
    for (const char c : {'G', 'N', 'U', '\0', 'a', 'b', 'c', '\0'}) note.push_back(static_cast<uint8_t>(c));
    put(note, Elf64_Nhdr{4, entry_bytes, 18});
    for (const char c : {'X', 'e', 'n', '\0'}) note.push_back(static_cast<uint8_t>(c));
    for (uint32_t i = 0; i < entry_bytes; ++i)
        note.push_back(static_cast<uint8_t>(i < 8 ? entry >> (8 * i) : 0));
    while (note.size() % 4 != 0) note.push_back(0);
    return note;
}

template <typename Ehdr, typename Phdr, typename Shdr, typename Sym>
class Builder {
public:
    explicit Builder(const TestElf& elf) : elf_(elf) {}

    std::vector<uint8_t> build() {
        const std::vector<uint8_t> note =
            elf_.pvh_entry ? pvh_note(*elf_.pvh_entry, elf_.pvh_entry_bytes) : std::vector<uint8_t>{};
        const size_t headers = elf_.segments.size() + (note.empty() ? 0 : 1);
        uint64_t offset = sizeof(Ehdr) + headers * sizeof(Phdr);
        file_.resize(sizeof(Ehdr));
        if (!note.empty()) {
            add_segment(PT_NOTE, offset, 0, note.size(), note.size());
            offset += note.size();
        }
        for (const TestSegment& segment : elf_.segments) {
            const uint64_t size = segment.bytes.size();
            add_segment(PT_LOAD, offset, segment.paddr, size, segment.memsz == 0 ? size : segment.memsz);
            offset += size;
        }
        file_.insert(file_.end(), note.begin(), note.end());
        for (const TestSegment& segment : elf_.segments)
            file_.insert(file_.end(), segment.bytes.begin(), segment.bytes.end());
        const uint64_t sections = elf_.symbols.empty() ? 0 : add_symbols();
        write_header(headers, sections);
        return file_;
    }

private:
    template <typename Field>
    static void set(Field& field, uint64_t value) {
        field = static_cast<Field>(value);
    }

    void add_segment(uint32_t type, uint64_t offset, uint64_t paddr, uint64_t filesz, uint64_t memsz) {
        Phdr header{};
        header.p_type = type;
        header.p_flags = PF_R | PF_W | PF_X;
        header.p_align = 4;
        set(header.p_offset, offset);
        set(header.p_vaddr, paddr);
        set(header.p_paddr, paddr);
        set(header.p_filesz, filesz);
        set(header.p_memsz, memsz);
        put(file_, header);
    }

    // Returns where the section headers begin: null, code, data, symbols, strings.
    uint64_t add_symbols() {
        std::string strings(1, '\0');
        const uint64_t symbols_at = file_.size();
        put(file_, Sym{});
        for (const TestSymbol& symbol : elf_.symbols) {
            Sym entry{};
            set(entry.st_name, strings.size());
            entry.st_info = static_cast<unsigned char>(STB_GLOBAL << 4 | symbol.type);
            entry.st_shndx = symbol.section;
            set(entry.st_value, symbol.value);
            set(entry.st_size, symbol.size);
            put(file_, entry);
            strings += symbol.name + '\0';
        }
        const uint64_t strings_at = file_.size();
        file_.insert(file_.end(), strings.begin(), strings.end());
        const uint64_t headers_at = file_.size();
        add_section(SHT_NULL, 0, 0, 0, 0, 0);
        add_section(SHT_NOBITS, SHF_ALLOC | SHF_EXECINSTR, 0, 0, 0, 0);
        add_section(SHT_NOBITS, SHF_ALLOC | SHF_WRITE, 0, 0, 0, 0);
        add_section(SHT_SYMTAB, 0, symbols_at, strings_at - symbols_at, 4, sizeof(Sym));
        add_section(SHT_STRTAB, 0, strings_at, strings.size(), 0, 0);
        return headers_at;
    }

    void add_section(uint32_t type, uint64_t flags, uint64_t offset, uint64_t size, uint32_t link,
                     uint64_t entry) {
        Shdr header{};
        header.sh_type = type;
        header.sh_link = link;
        set(header.sh_flags, flags);
        set(header.sh_offset, offset);
        set(header.sh_size, size);
        set(header.sh_entsize, entry);
        put(file_, header);
    }

    void write_header(size_t segments, uint64_t sections_at) {
        Ehdr header{};
        std::memcpy(header.e_ident, ELFMAG, SELFMAG);
        header.e_ident[EI_CLASS] = elf_.is_64 ? ELFCLASS64 : ELFCLASS32;
        header.e_ident[EI_DATA] = ELFDATA2LSB;
        header.e_ident[EI_VERSION] = EV_CURRENT;
        header.e_type = elf_.type;
        header.e_machine = elf_.is_64 ? EM_X86_64 : EM_386;
        header.e_version = EV_CURRENT;
        header.e_ehsize = sizeof(Ehdr);
        set(header.e_entry, elf_.entry);
        set(header.e_phoff, sizeof(Ehdr));
        header.e_phentsize = sizeof(Phdr);
        set(header.e_phnum, segments);
        set(header.e_shoff, sections_at);
        header.e_shentsize = sizeof(Shdr);
        header.e_shnum = sections_at == 0 ? 0 : 5;
        std::memcpy(file_.data(), &header, sizeof header);
    }

    const TestElf& elf_;
    std::vector<uint8_t> file_;
};

}  // namespace

std::vector<uint8_t> TestElf::build() const {
    if (is_64) return Builder<Elf64_Ehdr, Elf64_Phdr, Elf64_Shdr, Elf64_Sym>(*this).build();
    return Builder<Elf32_Ehdr, Elf32_Phdr, Elf32_Shdr, Elf32_Sym>(*this).build();
}

TestElf pvh_kernel(uint64_t bytes) {
    TestElf elf;
    elf.pvh_entry = 0x100000;
    TestSegment segment;
    for (uint64_t i = 0; i < bytes; ++i) segment.bytes.push_back(static_cast<uint8_t>(i * 7 + 1));
    elf.segments.push_back(segment);
    return elf;
}

}  // namespace forkscope::loader
