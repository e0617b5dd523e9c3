// ELF files of x86, 32 and 64 bits, read with every length checked (System V ABI, "Object Files").
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "emu/base/result.hpp"

namespace forkscope::loader {

inline constexpr uint32_t kSegmentLoad = 1;
inline constexpr uint32_t kSegmentNote = 4;
inline constexpr uint16_t kElfRelocatable = 1;
inline constexpr uint16_t kElfExecutable = 2;
inline constexpr uint16_t kElfShared = 3;

// One form for both classes; header_offset is where the file says so.
struct ElfSegment {
    uint32_t type;
    uint64_t offset;
    uint64_t vaddr;
    uint64_t paddr;
    uint64_t filesz;
    uint64_t memsz;
    uint64_t align;
    uint64_t header_offset;
    uint32_t flags;  // 1 executable, 2 writable, 4 readable
};

struct ElfSection {
    uint32_t type;
    uint64_t flags;
    uint64_t offset;
    uint64_t size;
    uint32_t link;
    uint64_t entsize;
    uint64_t header_offset;
};

struct ElfSymbol {
    uint32_t name;  // offset in the string table
    uint8_t type;
    uint16_t section;
    uint64_t value;
    uint64_t size;
};

class ElfImage {
public:
    // Reads the file header. The bytes must outlive the object; `name` is for error messages.
    static Result<ElfImage> parse(const std::string& name, std::span<const uint8_t> bytes);
    [[nodiscard]] static bool has_magic(std::span<const uint8_t> bytes);

    [[nodiscard]] bool is_64() const { return is_64_; }
    [[nodiscard]] uint16_t type() const { return type_; }
    [[nodiscard]] uint64_t entry() const { return entry_; }

    // In the order of the file. What they point at is inside the file.
    [[nodiscard]] Result<std::vector<ElfSegment>> segments() const;
    // The same; sections without bytes in the file point nowhere. Empty if the file has none.
    [[nodiscard]] Result<std::vector<ElfSection>> sections() const;
    [[nodiscard]] Result<std::vector<ElfSymbol>> symbols(const ElfSection& table) const;
    // The string at an offset of a string-table section, up to its NUL, the section's end or
    // 4096 bytes.
    [[nodiscard]] std::string_view string_at(const ElfSection& table, uint32_t offset) const;

    struct Note {
        std::span<const uint8_t> description;
        uint64_t offset;  // of the description in the file
    };
    // The first note of this owner and type in the note segments.
    [[nodiscard]] Result<std::optional<Note>> find_note(std::string_view owner, uint32_t type) const;

private:
    ElfImage(std::string name, std::span<const uint8_t> bytes) : name_(std::move(name)), bytes_(bytes) {}
    template <typename Header>
    Result<> read_header();
    // That `count` entries of `size` bytes lie in the file.
    [[nodiscard]] Result<> check_table(std::string_view what, uint64_t offset, uint64_t count, uint64_t size,
                                       uint64_t expected_size) const;
    [[nodiscard]] Result<std::optional<Note>> find_note_in(const ElfSegment& segment, std::string_view owner,
                                                           uint32_t type) const;

    std::string name_;
    std::span<const uint8_t> bytes_;
    bool is_64_ = false;
    uint16_t type_ = 0;
    uint64_t entry_ = 0;
    uint64_t phoff_ = 0;
    uint64_t shoff_ = 0;
    uint16_t phentsize_ = 0;
    uint16_t phnum_ = 0;
    uint16_t shentsize_ = 0;
    uint16_t shnum_ = 0;
};

}  // namespace forkscope::loader
