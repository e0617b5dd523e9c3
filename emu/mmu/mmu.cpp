// Translations: the fill and its effects.
#include "emu/mmu/mmu.hpp"

#include <cassert>

namespace forkscope::mmu {

namespace {

uint8_t access_flag(Access access) {
    switch (access) {
        case Access::Read:
            return log::kAccessRead;
        case Access::Write:
            return log::kAccessWrite;
        default:
            return log::kAccessFetch;
    }
}

// Whether a TLB that holds `cached` serves the access without walking again. A write needs a
// translation that is dirty already.
bool serves(Pte cached, Access access, Privilege privilege, const Controls& controls) {
    const bool by_user = privilege == Privilege::User;
    if (by_user && !cached.user()) return false;
    switch (access) {
        case Access::Read:
            return true;
        case Access::Write:
            return cached.dirty() && (cached.writable() || !(by_user || controls.write_protect));
        default:
            return !cached.no_execute();
    }
}

// Outside long mode linear addresses have 32 bits.
VirtAddr linear(const Controls& controls, VirtAddr va) {
    return controls.mode == PagingMode::Long ? va : VirtAddr(va.raw() & 0xffff'ffff);
}

// #GP(0), or #SS(0) for a stack reference: the caller knows (SDM vol. 1, 3.3.7.1 "Canonical Addressing").
Fault non_canonical(VirtAddr va) {
    return Fault{.va = va, .entry = PhysAddr(0), .vector = kVectorGeneralProtection};
}

}  // namespace

Mmu::Mmu(CpuId id, const PagingModel& model, mem::GuestRam& ram, Mirror& mirror, log::Recorder& recorder,
         EngineTlb& engine)
    : id_(id),
      model_(model),
      ram_(ram),
      mirror_(mirror),
      recorder_(recorder),
      engine_(engine),
      ledger_(mirror, ram),
      writable_at_(mirror.pfn_end(), 0) {
    mirror_.add_listener(*this);
}

Mmu::~Mmu() {
    leave_root();
    mirror_.remove_listener(*this);
}

FillResult Mmu::fill(VirtAddr va, Access access, Privilege privilege, const PagingRegisters& regs,
                     const log::Origin& origin) {
    FillResult result = translate(va, access, privilege, regs, origin);
    if (result && access == Access::Write && !result->table) {
        const uint64_t pfn = result->frame.page_number();
        if (pfn < writable_at_.size()) writable_at_[pfn] = engine_epoch_;
    }
    return result;
}

tl::expected<PhysAddr, Fault> Mmu::translate_for_system(VirtAddr va, Access access, Privilege privilege,
                                                        const PagingRegisters& regs,
                                                        const log::Origin& origin) {
    const FillResult result = translate(va, access, privilege, regs, origin);
    if (!result) return tl::make_unexpected(result.error());
    return result->frame + va.page_offset();
}

std::optional<Translation> Mmu::probe(VirtAddr va, const PagingRegisters& regs) const {
    const Controls controls = Controls::decode(regs, model_);
    va = linear(controls, va);
    if (controls.mode == PagingMode::Off)
        return Translation{.pa = PhysAddr(va.raw() & identity_mask_),
                           .leaf_entry = PhysAddr(0),
                           .leaf = Pte(0),
                           .writable = true,
                           .user = true,
                           .executable = true};
    if (controls.mode == PagingMode::Long && !is_canonical(va)) return std::nullopt;
    const Path path = walk(ram_, controls, va);
    if (!path.mapped()) return std::nullopt;
    return Translation{.pa = path.frame + va.page_offset(),
                       .leaf_entry = path.leaf().where,
                       .leaf = path.leaf().value,
                       .level = path.last,
                       .writable = path.writable,
                       .user = path.user,
                       .executable = !path.no_execute};
}

FillResult Mmu::check(VirtAddr va, Access access, Privilege privilege, const PagingRegisters& regs) const {
    const Controls controls = Controls::decode(regs, model_);
    va = linear(controls, va);
    if (controls.mode == PagingMode::Off) return identity_grant(va, access);
    if (controls.mode == PagingMode::Long && !is_canonical(va)) return tl::make_unexpected(non_canonical(va));
    const Path path = walk(ram_, controls, va);
    if (const auto fault = judge(controls, path, va, access, privilege)) return tl::make_unexpected(*fault);
    return grant_for(controls, path, access, privilege);
}

FillResult Mmu::translate(VirtAddr va, Access access, Privilege privilege, const PagingRegisters& regs,
                          const log::Origin& origin) {
    const Controls controls = Controls::decode(regs, model_);
    va = linear(controls, va);
    if (controls.mode == PagingMode::Off) return identity_grant(va, access);
    if (controls.mode == PagingMode::Long) {
        if (!is_canonical(va)) return tl::make_unexpected(non_canonical(va));
        if (controls.root().raw() != held_root_) enter_root(controls.root(), origin);
    } else {
        other_paging_ = true;
    }
    Path path = walk(ram_, controls, va);
    if (const auto fault = judge(controls, path, va, access, privilege)) {
        set_accessed_on_way(controls, path, origin);
        return tl::make_unexpected(*fault);
    }

    bool first = false;
    if (controls.mode == PagingMode::Long)
        first = touch_and_record(controls, path, va, access, privilege, origin);
    else
        set_accessed_dirty(controls, path, access == Access::Write, origin);
    Grant grant = grant_for(controls, path, access, privilege);
    grant.first = first;
    return grant;
}

Grant Mmu::identity_grant(VirtAddr va, Access access) const {
    Grant grant;
    grant.frame = PhysAddr(va.page_base().raw() & identity_mask_);
    grant.permissions = kMayRead;
    if (access == Access::Write) grant.permissions |= kMayWrite;
    if (access == Access::Fetch) grant.permissions |= kMayExecute;
    grant.table = mirror_.is_table(grant.frame);
    grant.user = true;
    return grant;
}

Grant Mmu::grant_for(const Controls& controls, const Path& path, Access access, Privilege privilege) const {
    Grant grant;
    grant.frame = path.frame;
    grant.leaf_entry = path.leaf().where;
    grant.leaf_value = path.leaf().value.raw();
    grant.permissions = permissions_for(controls, path, access, privilege);
    grant.level = path.last;
    grant.table = mirror_.is_table(path.frame);
    grant.user = path.user;
    grant.global = controls.global_pages && path.leaf().value.global();
    return grant;
}

// What lacks a bit is read again, not taken from the path: where a table maps itself, one entry stands at
// two levels of the path. An entry outside RAM reads as all ones and lacks nothing.
void Mmu::set_bits(const Controls& controls, Path& path, unsigned level, uint64_t wanted,
                   const log::Origin& origin) {
    PathEntry entry = path.at(level);
    if ((entry.value.raw() & wanted) == wanted) return;
    const unsigned size = controls.mode == PagingMode::Legacy ? 4 : 8;
    uint8_t* host = ram_.at(entry.where, size);
    uint64_t old = 0;
    std::memcpy(&old, host, size);
    entry.value = Pte(old | wanted);
    path.set(level, entry);
    if (entry.value.raw() == old) return;
    std::memcpy(host, &entry.value, size);

    const bool dirty = ((entry.value.raw() ^ old) & kPteDirty) != 0;
    const log::Cause cause = dirty ? log::Cause::HardwareDirty : log::Cause::HardwareAccessed;
    const Slot slot = mirror_.slot_of(entry.where);
    if (slot == 0) return;
    if (controls.mode == PagingMode::Long)
        mirror_.hardware_update(slot, static_cast<unsigned>(entry.where.page_offset() / sizeof(Pte)),
                                entry.value, cause, origin);
    else
        mirror_.observe_write(entry.where, old, entry.value.raw(), size, cause, origin);
}

// Accessed in every entry used, dirty in the one that maps the page (SDM vol. 3, 4.8 "Accessed and
// Dirty Flags"). A walk that ends in a fault has used the entries that led it on, but not the last one: that
// one is either no translation or not one for this access.
void Mmu::set_accessed_dirty(const Controls& controls, Path& path, bool dirty, const log::Origin& origin) {
    set_accessed_on_way(controls, path, origin);
    set_bits(controls, path, path.last, kPteAccessed | (dirty ? kPteDirty : 0), origin);
}

void Mmu::set_accessed_on_way(const Controls& controls, Path& path, const log::Origin& origin) {
    for (unsigned level = path.rights_top; level > path.last; --level)
        set_bits(controls, path, level, kPteAccessed, origin);
}

// Fills the ledger; true if it did not know the translation. An engine that merely forgot an entry must
// leave no trace: what the TLB would have served sets no bits, even if software cleared them meanwhile.
bool Mmu::touch_and_record(const Controls& controls, Path& path, VirtAddr va, Access access,
                           Privilege privilege, const log::Origin& origin) {
    const Stamp* known = ledger_.known(path, va);
    const bool first = known == nullptr;
    uint64_t kept = 0;
    if (!first && serves(known->filled, access, privilege, controls))
        kept = known->filled.raw() & (kPteAccessed | kPteDirty);
    else
        set_accessed_dirty(controls, path, access == Access::Write, origin);
    const bool global = controls.global_pages && path.leaf().value.global();
    ledger_.record(path, va, Pte(path.effective().raw() | kept), global);
    if (first) log_fill(path, va, access, global, origin);
    return first;
}

void Mmu::log_fill(const Path& path, VirtAddr va, Access access, bool global, const log::Origin& origin) {
    if (!recorder_.wants(log::EventKind::TlbFill)) return;
    log::Event event = log::make_event(log::EventKind::TlbFill, origin);
    event.va = va.page_base().raw();
    event.pa = path.frame.raw();
    event.level = path.last;
    event.a = path.leaf().value.raw();
    event.b = path.leaf().where.raw();
    event.flags = access_flag(access);
    if (global) event.flags |= log::kGlobal;
    recorder_.append(event);
}

void Mmu::enter_root(PhysAddr root, const log::Origin& origin) {
    mirror_.hold_root(root, origin);
    leave_root();
    held_root_ = root.raw();
    ledger_.set_root(mirror_.is_root(root) ? mirror_.slot_of(root) : 0);
}

void Mmu::leave_root() {
    if (held_root_ != kNoRoot) mirror_.release_root(PhysAddr(held_root_));
    held_root_ = kNoRoot;
    ledger_.set_root(0);
}

}  // namespace forkscope::mmu
