#include "emu/loader/lines.hpp"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <libelf.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <unordered_map>

#include "emu/loader/elf.hpp"

namespace forkscope::loader {

namespace {

// What no sane image exceeds. A hostile one ends up without lines.
constexpr size_t kMaxRows = 4'000'000;
constexpr size_t kMaxFiles = 100'000;
constexpr size_t kMaxDies = 20'000'000;
constexpr unsigned kMaxDepth = 64;

struct CloseElf {
    void operator()(Elf* elf) const { elf_end(elf); }
};
struct CloseDwarf {
    void operator()(Dwarf* dwarf) const { dwarf_end(dwarf); }
};

// A path from the directory of the build. Compilers name files from the directory in which they run, or,
// told to leave this machine's paths out (-ffile-prefix-map), from the top of the source.
std::string tidy_path(std::string_view path, std::string_view directory) {
    if (!directory.empty() && path.size() > directory.size() && path.starts_with(directory) &&
        path[directory.size()] == '/') {
        const std::string_view rest = path.substr(directory.size() + 1);
        if (!rest.starts_with("..")) path = rest;
    }
    const std::filesystem::path plain(path);
    return (path.starts_with("..") ? std::filesystem::path(directory) / plain : plain)
        .lexically_normal()
        .string();
}

struct Place {
    uint32_t file = 0;
    uint32_t line = 0;
    bool operator==(const Place&) const = default;
};

// A stretch of code that came from a call of something inlined.
struct Inlined {
    uint64_t begin = 0;
    uint64_t end = 0;
    unsigned depth = 0;
    Place call;
};

class LineReader {
public:
    explicit LineReader(std::vector<ElfSegment> code) : code_(std::move(code)) {}

    // False if there is more than an image can sanely have.
    [[nodiscard]] bool read(Dwarf* dwarf) {
        Dwarf_CU* unit = nullptr;
        Dwarf_Die die;
        while (dwarf_get_units(dwarf, unit, &unit, nullptr, nullptr, &die, nullptr) == 0)
            if (!read_unit(die)) return false;
        return true;
    }

    [[nodiscard]] LineTable table() {
        // Where one stretch ends another one may begin: the beginning counts.
        std::ranges::stable_sort(rows_, [](const LineRow& a, const LineRow& b) {
            return std::pair(a.address, a.line != 0) < std::pair(b.address, b.line != 0);
        });
        LineTable table;
        for (const LineRow& row : rows_) {
            auto& rows = table.rows;
            if (!rows.empty() && rows.back().address == row.address) rows.pop_back();
            if (!rows.empty() && rows.back().file == row.file && rows.back().line == row.line) continue;
            rows.push_back(row);
        }
        table.files = std::move(files_);
        return table;
    }

private:
    [[nodiscard]] bool read_unit(Dwarf_Die& die) {
        Dwarf_Lines* lines = nullptr;
        size_t count = 0;
        if (dwarf_getsrclines(&die, &lines, &count) != 0) return true;
        if (dwarf_getsrcfiles(&die, &unit_files_, &unit_file_count_) != 0) return true;
        file_numbers_.clear();
        directory_ = text_of(die, DW_AT_comp_dir);
        own_file_ = file_number(tidy_path(text_of(die, DW_AT_name), directory_));
        inlined_.clear();
        if (!collect_inlined(die, 0, 0)) return false;
        std::ranges::stable_sort(inlined_, [](const Inlined& a, const Inlined& b) {
            return std::pair(a.begin, a.depth) < std::pair(b.begin, b.depth);
        });
        for (size_t i = 0; i < count;) {
            const size_t end = end_of_sequence(lines, i, count);
            read_sequence(lines, i, end);
            i = end + 1;
        }
        return rows_.size() <= kMaxRows && files_.size() <= kMaxFiles;
    }

    [[nodiscard]] static std::string text_of(Dwarf_Die& die, unsigned name) {
        Dwarf_Attribute attribute;
        const char* text = dwarf_formstring(dwarf_attr(&die, name, &attribute));
        return text == nullptr ? "" : text;
    }

    // The last row of a sequence says where it ends.
    [[nodiscard]] static size_t end_of_sequence(Dwarf_Lines* lines, size_t from, size_t count) {
        for (size_t i = from; i < count; ++i) {
            bool ends = false;
            if (dwarf_lineendsequence(dwarf_onesrcline(lines, i), &ends) == 0 && ends) return i;
        }
        return count;
    }

    // Rows `first` up to `end`, which says where the code ends; one without an end is left out, and so is
    // code that the linker dropped and left at address 0.
    void read_sequence(Dwarf_Lines* lines, size_t first, size_t end) {
        sequence_.clear();
        Dwarf_Addr begin = 0;
        Dwarf_Addr after = 0;
        Dwarf_Line* last = dwarf_onesrcline(lines, end);
        if (last == nullptr || dwarf_lineaddr(last, &after) != 0) return;
        for (size_t i = first; i < end; ++i) {
            Dwarf_Line* row = dwarf_onesrcline(lines, i);
            int line = 0;
            if (dwarf_lineaddr(row, &begin) != 0 || dwarf_lineno(row, &line) != 0) continue;
            const char* source = dwarf_linesrc(row, nullptr, nullptr);
            if (source == nullptr || line <= 0 || begin >= after) continue;
            if (!sequence_.empty() && begin < sequence_.back().first) continue;
            sequence_.push_back({begin, {file_of(source), static_cast<uint32_t>(line)}});
        }
        if (sequence_.empty() || !is_code(sequence_.front().first) || !is_code(after - 1)) return;
        add_rows(after);
        rows_.push_back({VirtAddr(after), 0, 0});
    }

    // Cuts the rows where inlined code begins and ends, and says for each piece where it is told.
    void add_rows(uint64_t end) {
        cuts_.clear();
        const uint64_t begin = sequence_.front().first;
        for (const auto& [address, place] : sequence_) cuts_.push_back(address);
        auto next = std::ranges::lower_bound(inlined_, begin, {}, &Inlined::begin);
        for (auto at = next; at != inlined_.end() && at->begin < end; ++at) {
            cuts_.push_back(at->begin);
            if (at->end < end) cuts_.push_back(at->end);
        }
        std::ranges::sort(cuts_);
        cuts_.erase(std::unique(cuts_.begin(), cuts_.end()), cuts_.end());
        active_.clear();
        size_t row = 0;
        for (const uint64_t cut : cuts_) {
            std::erase_if(active_, [cut](const Inlined* i) { return i->end <= cut; });
            for (; next != inlined_.end() && next->begin <= cut; ++next) active_.push_back(&*next);
            while (row + 1 < sequence_.size() && sequence_[row + 1].first <= cut) ++row;
            const Place place = told_at(sequence_[row].second);
            rows_.push_back({VirtAddr(cut), place.file, place.line});
        }
    }

    // `active_` holds the calls that enclose the place, outer ones first.
    [[nodiscard]] Place told_at(Place innermost) const {
        if (innermost.file == own_file_) return innermost;
        for (auto at = active_.rbegin(); at != active_.rend(); ++at)
            if ((*at)->call.file == own_file_ && (*at)->call.line != 0) return (*at)->call;
        return innermost;
    }

    // False if there are too many entries.
    [[nodiscard]] bool collect_inlined(Dwarf_Die& parent, unsigned depth, unsigned inline_depth) {
        Dwarf_Die die;
        if (depth > kMaxDepth || dwarf_child(&parent, &die) != 0) return true;
        do {
            if (++dies_ > kMaxDies) return false;
            const int tag = dwarf_tag(&die);
            if (tag == DW_TAG_inlined_subroutine) add_inlined(die, inline_depth);
            const bool encloses = tag == DW_TAG_inlined_subroutine || tag == DW_TAG_subprogram ||
                                  tag == DW_TAG_lexical_block || tag == DW_TAG_namespace;
            const unsigned deeper = inline_depth + (tag == DW_TAG_inlined_subroutine ? 1u : 0u);
            if (encloses && !collect_inlined(die, depth + 1, deeper)) return false;
        } while (dwarf_siblingof(&die, &die) == 0);
        return true;
    }

    void add_inlined(Dwarf_Die& die, unsigned depth) {
        Inlined inlined;
        inlined.depth = depth;
        const uint64_t file = number_of(die, DW_AT_call_file);
        inlined.call.line = static_cast<uint32_t>(number_of(die, DW_AT_call_line));
        const char* source =
            file < unit_file_count_ ? dwarf_filesrc(unit_files_, file, nullptr, nullptr) : nullptr;
        if (source == nullptr) return;
        inlined.call.file = file_of(source);
        Dwarf_Addr base = 0;
        Dwarf_Addr begin = 0;
        Dwarf_Addr end = 0;
        ptrdiff_t at = 0;
        while ((at = dwarf_ranges(&die, at, &base, &begin, &end)) > 0 && inlined_.size() < kMaxRows) {
            inlined.begin = begin;
            inlined.end = end;
            if (begin < end && is_code(begin)) inlined_.push_back(inlined);
        }
    }

    [[nodiscard]] static uint64_t number_of(Dwarf_Die& die, unsigned name) {
        Dwarf_Attribute attribute;
        Dwarf_Word word = 0;
        return dwarf_formudata(dwarf_attr(&die, name, &attribute), &word) == 0 ? word : 0;
    }

    [[nodiscard]] bool is_code(uint64_t address) const {
        return std::ranges::any_of(code_, [address](const ElfSegment& segment) {
            return address >= segment.vaddr && address - segment.vaddr < segment.filesz;
        });
    }

    // libdw gives the same string for the same file of a unit.
    [[nodiscard]] uint32_t file_of(const char* source) {
        const auto [found, is_new] = file_numbers_.try_emplace(source, 0);
        if (is_new) found->second = file_number(tidy_path(source, directory_));
        return found->second;
    }
    [[nodiscard]] uint32_t file_number(const std::string& path) {
        const auto [found, is_new] = numbers_.try_emplace(path, static_cast<uint32_t>(files_.size()));
        if (is_new) files_.push_back(path);
        return found->second;
    }

    std::vector<ElfSegment> code_;
    std::vector<LineRow> rows_;
    std::vector<std::string> files_;
    std::unordered_map<std::string, uint32_t> numbers_;
    size_t dies_ = 0;

    // Of the unit that is being read.
    Dwarf_Files* unit_files_ = nullptr;
    size_t unit_file_count_ = 0;
    std::string directory_;
    uint32_t own_file_ = 0;
    std::unordered_map<const char*, uint32_t> file_numbers_;
    std::vector<Inlined> inlined_;
    std::vector<std::pair<uint64_t, Place>> sequence_;
    std::vector<uint64_t> cuts_;
    std::vector<const Inlined*> active_;
};

}  // namespace

const LineRow* LineTable::find(VirtAddr address) const {
    auto after = std::ranges::upper_bound(rows, address, {}, &LineRow::address);
    if (after == rows.begin()) return nullptr;
    --after;
    return after->line == 0 ? nullptr : &*after;
}

Result<LineTable> read_lines(const std::string& name, std::span<const uint8_t> elf) {
    const ElfImage image = TRY(ElfImage::parse(name, elf));
    std::vector<ElfSegment> code = TRY(image.segments());
    constexpr uint32_t kExecutable = 1;
    std::erase_if(code, [](const ElfSegment& segment) {
        return segment.type != kSegmentLoad || (segment.flags & kExecutable) == 0;
    });
    elf_version(EV_CURRENT);
    // It is only read.
    auto* bytes = const_cast<char*>(reinterpret_cast<const char*>(elf.data()));
    const std::unique_ptr<Elf, CloseElf> file(elf_memory(bytes, elf.size()));
    if (file == nullptr) return fail("{}: no lines of source: {}", name, elf_errmsg(-1));
    const std::unique_ptr<Dwarf, CloseDwarf> dwarf(dwarf_begin_elf(file.get(), DWARF_C_READ, nullptr));
    if (dwarf == nullptr) return LineTable();
    LineReader reader(std::move(code));
    if (!reader.read(dwarf.get()))
        return fail("{}: no lines of source: its DWARF holds more than {} of them", name, kMaxRows);
    return reader.table();
}

}  // namespace forkscope::loader
