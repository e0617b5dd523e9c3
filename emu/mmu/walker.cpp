// How entries are read, what they say, and what they allow.
#include "emu/mmu/walker.hpp"

#include <algorithm>

namespace forkscope::mmu {

namespace {

constexpr unsigned kPse36Bits = 40;  // physical address bits that a 4 MiB page can have

// Bits of a 4 MiB page's entry between its address fields (SDM vol. 3, table 4-4). Bits 20:13 hold
// physical bits 39:32 as far as the model has them; bit 21 is in the format.
uint64_t reserved_in_4mib_page(const PagingModel& model) {
    const unsigned bits_used = model.has_pse36 ? std::min(model.physical_bits, kPse36Bits) : 32;
    return bits_used == kPse36Bits ? 0 : bit_range(20, 13 + (bits_used - 32));
}

PagingMode mode_of(const PagingRegisters& regs) {
    if ((regs.cr0 & kCr0Paging) == 0) return PagingMode::Off;
    if ((regs.cr4 & kCr4PhysicalAddressExtension) == 0) return PagingMode::Legacy;
    return (regs.efer & kEferLongModeActive) != 0 ? PagingMode::Long : PagingMode::Pae;
}

constexpr uint64_t kAllOnes = ~uint64_t{0};

// Entry `index` of the 64-bit table at `base`.
PathEntry read_entry64(const mem::GuestRam& ram, PhysAddr base, unsigned index) {
    const PhysAddr where = base + index * sizeof(uint64_t);
    const uint8_t* host = ram.at(where, sizeof(uint64_t));
    if (host == nullptr) return {where, Pte(kAllOnes)};
    uint64_t raw;
    std::memcpy(&raw, host, sizeof(raw));
    return {where, Pte(raw)};
}

PathEntry read_entry32(const mem::GuestRam& ram, PhysAddr base, unsigned index) {
    const PhysAddr where = base + index * sizeof(uint32_t);
    const uint8_t* host = ram.at(where, sizeof(uint32_t));
    if (host == nullptr) return {where, Pte(kAllOnes & 0xffff'ffff)};
    uint32_t raw;
    std::memcpy(&raw, host, sizeof(raw));
    return {where, Pte(raw)};
}

void take_rights(Path& path, const Controls& controls, Pte entry) {
    path.writable &= entry.writable();
    path.user &= entry.user();
    path.no_execute |= controls.no_execute && entry.no_execute();
}

Path walk64(const mem::GuestRam& ram, const Controls& controls, VirtAddr va, unsigned top, PhysAddr base) {
    Path path;
    path.top = static_cast<uint8_t>(top);
    path.rights_top = controls.mode == PagingMode::Pae ? 2 : path.top;
    for (unsigned level = top;; --level) {
        const PathEntry entry = read_entry64(ram, base, entry_index(va, level));
        path.set(level, entry);
        path.last = static_cast<uint8_t>(level);
        path.end = step(controls, level, entry.value);
        if (path.end == StepKind::NotPresent || path.end == StepKind::Reserved) return path;
        if ((*controls.formats)[level].has_rights) take_rights(path, controls, entry.value);
        if (path.end == StepKind::Leaf) {
            const uint64_t within = (entry_span(level) - 1) & ~kPageOffsetMask;
            path.frame = PhysAddr((entry.value.raw() & kPteFrameMask & ~within) | (va.raw() & within));
            return path;
        }
        base = entry.value.frame();
    }
}

Path walk_legacy(const mem::GuestRam& ram, const Controls& controls, VirtAddr va) {
    Path path;
    path.top = path.rights_top = path.last = 2;
    const PathEntry directory = read_entry32(ram, PhysAddr(controls.cr3 & bit_range(31, 12)),
                                             static_cast<unsigned>(bits(va.raw(), 31, 22)));
    path.set(2, directory);
    path.end = step(controls, 2, directory.value);
    if (path.end == StepKind::NotPresent || path.end == StepKind::Reserved) return path;
    take_rights(path, controls, directory.value);
    if (path.end == StepKind::Leaf) {
        const uint64_t raw = directory.value.raw();
        path.frame =
            PhysAddr((bits(raw, 20, 13) << 32) | (raw & bit_range(31, 22)) | (va.raw() & bit_range(21, 12)));
        return path;
    }
    const PathEntry page = read_entry32(ram, PhysAddr(directory.value.raw() & bit_range(31, 12)),
                                        static_cast<unsigned>(bits(va.raw(), 21, 12)));
    path.set(1, page);
    path.last = 1;
    path.end = step(controls, 1, page.value);
    if (path.end != StepKind::Leaf) return path;
    take_rights(path, controls, page.value);
    path.frame = PhysAddr(page.value.raw() & bit_range(31, 12));
    return path;
}

// Why an access is refused: the level of the entry to blame, and whether the protection key refuses.
struct Refusal {
    uint8_t level = 0;  // 0: not refused
    bool by_key = false;
};

bool key_refuses(const Controls& controls, const Path& path, Access access, bool checks_writes) {
    if (!controls.protection_keys || !path.user || access == Access::Fetch) return false;
    const unsigned shift = 2 * path.leaf().value.protection_key();
    const bool access_disabled = bits(controls.pkru, shift, shift) != 0;
    const bool write_disabled = bits(controls.pkru, shift + 1, shift + 1) != 0;
    return access_disabled || (access == Access::Write && write_disabled && checks_writes);
}

// Determination of access rights (SDM vol. 3, 4.6.1 and 4.6.2) for a path that maps a page.
Refusal refusal(const Controls& controls, const Path& path, Access access, Privilege privilege) {
    const bool by_user = privilege == Privilege::User;
    const bool checks_writes = by_user || controls.write_protect;
    Refusal result;
    result.by_key = key_refuses(controls, path, access, checks_writes);

    if (by_user && !path.user) {
        result.level = path.topmost(kPteUser, 0);
    } else if (access == Access::Write && !path.writable && checks_writes) {
        result.level = path.topmost(kPteWritable, 0);
    } else if (access == Access::Fetch && path.no_execute) {
        result.level = path.topmost(kPteNoExecute, kPteNoExecute);
    } else if (!by_user && path.user && access == Access::Fetch && controls.smep) {
        result.level = path.last;
    } else if (!by_user && path.user && access != Access::Fetch && controls.smap &&
               (privilege == Privilege::ImplicitSupervisor || !controls.alignment_check)) {
        result.level = path.last;
    } else if (result.by_key) {
        result.level = path.last;
    }
    return result;
}

}  // namespace

Controls Controls::decode(const PagingRegisters& regs, const PagingModel& model) {
    Controls c;
    c.mode = mode_of(regs);
    if (c.mode == PagingMode::Off) return c;
    const bool is_long = c.mode == PagingMode::Long;
    c.write_protect = (regs.cr0 & kCr0WriteProtect) != 0;
    c.no_execute = c.mode != PagingMode::Legacy && (regs.efer & kEferNoExecuteEnable) != 0;
    c.smep = (regs.cr4 & kCr4Smep) != 0;
    c.smap = (regs.cr4 & kCr4Smap) != 0;
    c.alignment_check = (regs.rflags & kRflagsAlignmentCheck) != 0;
    c.protection_keys = is_long && (regs.cr4 & kCr4ProtectionKeys) != 0;
    c.large_legacy_pages = (regs.cr4 & kCr4PageSizeExtensions) != 0;
    c.global_pages = (regs.cr4 & kCr4GlobalPages) != 0;
    c.has_1gib_pages = model.has_1gib_pages;
    c.pkru = regs.pkru;
    c.cr3 = regs.cr3;
    if (c.mode == PagingMode::Legacy) {
        c.formats = &kLegacyFormats;
        c.reserved_pse36 = reserved_in_4mib_page(model);
    } else {
        c.formats = is_long ? &kLongFormats : &kPaeFormats;
        if (model.physical_bits < 52) c.reserved = bit_range(51, model.physical_bits);
        if (!c.no_execute) c.reserved |= kPteNoExecute;
    }
    return c;
}

Path walk(const mem::GuestRam& ram, const Controls& controls, VirtAddr va) {
    switch (controls.mode) {
        case PagingMode::Long:
            return walk64(ram, controls, va, 4, controls.root());
        case PagingMode::Pae:
            return walk64(ram, controls, va, 3, PhysAddr(controls.cr3 & bit_range(31, 5)));
        default:
            return walk_legacy(ram, controls, va);
    }
}

std::optional<Fault> judge(const Controls& controls, const Path& path, VirtAddr va, Access access,
                           Privilege privilege) {
    uint8_t level = path.last;
    uint32_t code = 0;
    switch (path.end) {
        case StepKind::NotPresent:
            break;
        case StepKind::Reserved:
            code = kFaultPresent | kFaultReserved;
            break;
        default: {
            const Refusal refused = refusal(controls, path, access, privilege);
            if (refused.level == 0) return std::nullopt;
            level = refused.level;
            code = kFaultPresent | (refused.by_key ? kFaultProtectionKey : 0);
        }
    }
    if (access == Access::Write) code |= kFaultWrite;
    if (privilege == Privilege::User) code |= kFaultUser;
    if (access == Access::Fetch && (controls.smep || controls.no_execute)) code |= kFaultFetch;
    return Fault{.va = va,
                 .entry = path.at(level).where,
                 .value = path.at(level).value.raw(),
                 .error_code = code,
                 .vector = kVectorPageFault,
                 .level = level};
}

Permissions permissions_for(const Controls& controls, const Path& path, Access access, Privilege privilege) {
    switch (access) {
        case Access::Read:
            return kMayRead;
        case Access::Write:
            return kMayRead | kMayWrite;
        default: {
            // SMAP and protection keys can forbid reading what may be fetched.
            const bool readable = refusal(controls, path, Access::Read, privilege).level == 0;
            return readable ? kMayExecute | kMayRead : kMayExecute;
        }
    }
}

}  // namespace forkscope::mmu
