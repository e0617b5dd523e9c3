// The page walk. Pure: it reads entries and judges; it sets no bit, logs nothing, delivers nothing.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "emu/base/address.hpp"
#include "emu/mem/guest_ram.hpp"
#include "emu/mmu/entry_format.hpp"
#include "emu/mmu/paging.hpp"
#include "emu/mmu/pte.hpp"

namespace forkscope::mmu {

enum class PagingMode : uint8_t { Off, Legacy, Pae, Long };

// PagingRegisters and PagingModel, decoded for one walk.
struct Controls {
    PagingMode mode = PagingMode::Off;
    bool write_protect = false;
    bool no_execute = false;  // NX exists: EFER.NXE, in the 64-bit formats
    bool smep = false;
    bool smap = false;
    bool alignment_check = false;  // EFLAGS.AC
    bool protection_keys = false;
    bool large_legacy_pages = false;  // CR4.PSE, for the 32-bit format
    bool global_pages = false;
    bool has_1gib_pages = false;
    uint32_t pkru = 0;
    uint64_t cr3 = 0;
    uint64_t reserved = 0;        // in every present 64-bit entry: bits from MAXPHYADDR to 51, NX if unknown
    uint64_t reserved_pse36 = 0;  // in a 4 MiB page's entry: what its high address bits do not use
    const LevelFormats* formats = nullptr;

    [[nodiscard]] static Controls decode(const PagingRegisters& regs, const PagingModel& model);
    // Of the top table in 4-level paging.
    [[nodiscard]] PhysAddr root() const { return PhysAddr(cr3 & kPteFrameMask); }
};

// What one entry says, taken alone.
enum class StepKind : uint8_t { NotPresent, Reserved, Table, Leaf };
[[nodiscard]] inline StepKind step(const Controls& controls, unsigned level, Pte entry) {
    if (!entry.present()) return StepKind::NotPresent;
    const EntryFormat& format = (*controls.formats)[level];
    // Without CR4.PSE the 32-bit format ignores PS.
    const bool ps = entry.page_size() && (controls.mode != PagingMode::Legacy || controls.large_legacy_pages);
    const bool maps = format.may_map && (ps || !format.may_link);
    uint64_t reserved = controls.reserved | (maps ? format.reserved_map : format.reserved_link);
    if (maps && level == 2) reserved |= controls.reserved_pse36;
    if (maps && level == 3 && !controls.has_1gib_pages) reserved |= kPtePageSize;
    if ((entry.raw() & reserved) != 0) return StepKind::Reserved;
    return maps ? StepKind::Leaf : StepKind::Table;
}

struct PathEntry {
    PhysAddr where;
    Pte value;
};

// The entries that a walk read, by level, and what they add up to.
class Path {
public:
    uint8_t top = 0;
    uint8_t last = 0;                     // level of the last entry read
    uint8_t rights_top = 0;               // the highest level whose entries have R/W and U/S
    StepKind end = StepKind::NotPresent;  // what that entry was; never Table
    bool writable = true;                 // W in every entry that has the bit
    bool user = true;                     // U/S likewise
    bool no_execute = false;              // NX in any, where NX exists
    PhysAddr frame;                       // of the 4 KiB page, if end is Leaf

    // level: top .. last
    [[nodiscard]] PathEntry at(unsigned level) const { return {PhysAddr(where_[level]), Pte(value_[level])}; }
    [[nodiscard]] PhysAddr where(unsigned level) const { return PhysAddr(where_[level]); }
    [[nodiscard]] Pte value(unsigned level) const { return Pte(value_[level]); }
    void set(unsigned level, const PathEntry& entry) {
        where_[level] = entry.where.raw();
        value_[level] = entry.value.raw();
    }

    [[nodiscard]] bool mapped() const { return end == StepKind::Leaf; }
    [[nodiscard]] PathEntry leaf() const { return at(last); }
    // Level of the topmost entry with rights whose bits `mask` are `wanted`; the last one, if none.
    [[nodiscard]] uint8_t topmost(uint64_t mask, uint64_t wanted) const {
        for (uint8_t level = rights_top; level > last; --level)
            if ((value_[level] & mask) == wanted) return level;
        return last;
    }
    // The leaf entry with the rights of the whole path: what a TLB keeps.
    [[nodiscard]] Pte effective() const {
        uint64_t raw = value_[last];
        if (!writable) raw &= ~kPteWritable;
        if (!user) raw &= ~kPteUser;
        if (no_execute) raw |= kPteNoExecute;
        return Pte(raw);
    }

private:
    // Index: level. Not initialized: clearing them takes as long as the walk.
    std::array<uint64_t, 5> where_;
    std::array<uint64_t, 5> value_;
};

// Reads entries from RAM; one that lies outside RAM reads as all ones, as an undriven PC bus does, and
// so mostly ends in a reserved-bit fault. The mode is not Off; the address is canonical in long mode
// and below 4 GiB otherwise. In PAE mode the four top entries are read from memory at every walk, not
// kept from the last load of CR3.
[[nodiscard]] Path walk(const mem::GuestRam& ram, const Controls& controls, VirtAddr va);

// Whether the access may use a walked path; if not, the fault.
[[nodiscard]] std::optional<Fault> judge(const Controls& controls, const Path& path, VirtAddr va,
                                         Access access, Privilege privilege);

// What the engine may do with the page of a path that judge() let pass.
[[nodiscard]] Permissions permissions_for(const Controls& controls, const Path& path, Access access,
                                          Privilege privilege);

// Where an address leads, for those who only look.
struct Translation {
    PhysAddr pa;          // of the byte
    PhysAddr leaf_entry;  // where the entry that maps it stands; 0 with paging off
    Pte leaf;
    uint8_t level = 0;  // as Grant::level
    bool writable = false;
    bool user = false;
    bool executable = false;
};

}  // namespace forkscope::mmu
