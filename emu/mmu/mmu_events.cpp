// What happens to the TLB and to the tables between fills: flushes, checks, frames that become tables,
// writes on the machine's own account.
#include <algorithm>

#include "emu/mmu/mmu.hpp"

namespace forkscope::mmu {

namespace {

// Through entries that the engine still has of frames that are no longer tables.
constexpr uint32_t kLeftoverStoresBeforeFlush = 64;

// Whether a write of CR4 drops global pages as well (SDM vol. 3, 4.10.4.1 "Operations that Invalidate
// TLBs and Paging-Structure Caches").
bool cr4_write_flushes(uint64_t old_value, uint64_t new_value) {
    const uint64_t changed = old_value ^ new_value;
    return (changed & (kCr4GlobalPages | kCr4PhysicalAddressExtension)) != 0 ||
           (changed & new_value & kCr4Smep) != 0;
}

}  // namespace

void Mmu::on_flush(log::FlushKind kind, VirtAddr page, uint64_t old_value, uint64_t new_value,
                   const PagingRegisters& regs, const log::Origin& origin) {
    log::Event event = log::make_event(log::EventKind::Flush, origin);
    event.aux = static_cast<uint16_t>(kind);
    if (kind == log::FlushKind::Invlpg) {
        event.va = page.raw();
    } else {
        event.a = old_value;
        event.b = new_value;
    }
    recorder_.append(event);

    switch (kind) {
        case log::FlushKind::Invlpg:
            drop_page(page, regs);
            return;
        case log::FlushKind::Cr3Load:
        case log::FlushKind::TaskSwitch:
            ledger_.flush_others();
            if (old_value != new_value) {
                log::Event switched = log::make_event(log::EventKind::Cr3Switch, origin);
                switched.a = old_value;
                switched.b = new_value;
                recorder_.append(switched);
            }
            break;
        case log::FlushKind::Cr0Write:
            if (((old_value ^ new_value) & kCr0Paging) != 0) ledger_.flush_all();
            break;
        case log::FlushKind::Cr4Write:
            if (cr4_write_flushes(old_value, new_value)) ledger_.flush_all();
            break;
        case log::FlushKind::EferWrite:
            // No flush on hardware, but the engine has worked NX into what it holds.
            flush_engine();
            break;
    }
    follow_root(Controls::decode(regs, model_), origin);
}

// A root that is tracked already is protected from now on. A new one is linked at its first fill: until
// then the guest may still be writing it.
void Mmu::follow_root(const Controls& controls, const log::Origin& origin) {
    const PhysAddr root = controls.root();
    if (controls.mode == PagingMode::Long && root.raw() == held_root_) return;
    if (controls.mode == PagingMode::Long && mirror_.is_root(root))
        enter_root(root, origin);
    else
        leave_root();
}

void Mmu::page_fault_delivered(VirtAddr va, const PagingRegisters& regs) { drop_page(va, regs); }

// The engine drops 4 KiB of a large page only, hardware all of it.
void Mmu::drop_page(VirtAddr va, const PagingRegisters& regs) {
    const Controls controls = Controls::decode(regs, model_);
    if (controls.mode == PagingMode::Off) return;
    if (controls.mode != PagingMode::Long) {
        const Path path = walk(ram_, controls, VirtAddr(va.raw() & 0xffff'ffff));
        if (path.mapped() && path.last > 1) flush_engine();
        return;
    }
    if (is_canonical(va) && ledger_.drop(va)) flush_engine();
}

void Mmu::check_on_return_to_user(const PagingRegisters& regs, const log::Origin& origin) {
    const Controls controls = Controls::decode(regs, model_);
    if (controls.mode == PagingMode::Long && ledger_.check_pending())
        ledger_.check(controls, recorder_, origin);
}

void Mmu::engine_flushed() {
    leftover_stores_ = 0;
    if (++engine_epoch_ != 0) return;
    std::fill(writable_at_.begin(), writable_at_.end(), 0);
    engine_epoch_ = 1;
}

void Mmu::flush_engine() {
    engine_.flush_all();
    engine_flushed();
}

void Mmu::store_through_leftover_alias() {
    if (++leftover_stores_ >= kLeftoverStoresBeforeFlush) flush_engine();
}

void Mmu::frame_became_table(Slot slot) {
    ledger_.table_opened(slot);
    if (writable_at_[mirror_.frame(slot).pfn] == engine_epoch_) flush_engine();
}

void Mmu::entry_changed(Slot slot, unsigned index, Pte old, Pte now) {
    ledger_.entry_changed(slot, index, old, now);
}

void Mmu::frame_becomes_shared(Slot slot) { ledger_.frame_becomes_shared(slot); }

void Mmu::table_goes(Slot slot, unsigned level) { ledger_.table_goes(slot, level); }

void Mmu::write_memory(PhysAddr pa, std::span<const uint8_t> bytes, log::Cause cause,
                       const log::Origin& origin) {
    while (!bytes.empty()) {
        // A table takes its bytes entry by entry, so that each change is one event.
        const uint64_t unit = mirror_.is_table(pa) ? sizeof(Pte) : kPageSize;
        const size_t length = std::min<uint64_t>(bytes.size(), unit - pa.raw() % unit);
        if (uint8_t* host = ram_.at(pa, length)) {
            if (unit == sizeof(Pte)) {
                uint64_t old_bytes = 0;
                uint64_t new_bytes = 0;
                std::memcpy(&old_bytes, host, length);
                std::memcpy(&new_bytes, bytes.data(), length);
                std::memcpy(host, bytes.data(), length);
                mirror_.observe_write(pa, old_bytes, new_bytes, static_cast<unsigned>(length), cause, origin);
            } else {
                std::memcpy(host, bytes.data(), length);
            }
        }
        pa += length;
        bytes = bytes.subspan(length);
    }
}

AuditReport Mmu::audit(const log::Origin& origin) const {
    AuditReport report = mmu::audit(mirror_, ram_);
    report.other_paging = other_paging_;
    log::Event event = log::make_event(log::EventKind::Audit, origin);
    event.a = report.entries;
    event.b = report.hash;
    event.va = report.roots;
    event.pa = report.differences;
    if (report.other_paging) event.flags |= log::kOtherPaging;
    recorder_.append(event);
    return report;
}

std::optional<std::string> Mmu::audit_engine_entry(VirtAddr va, PhysAddr frame, Permissions permissions,
                                                   bool user, const PagingRegisters& regs) const {
    const Controls controls = Controls::decode(regs, model_);
    if (controls.mode != PagingMode::Long) return std::nullopt;
    const bool write = (permissions & kMayWrite) != 0;
    const bool execute = (permissions & kMayExecute) != 0;
    // A supervisor with CR0.WP = 0 writes where no entry allows it.
    const bool needs_writable = write && (user || controls.write_protect);
    if (ledger_.may_hold(va, frame, needs_writable, execute, user)) return std::nullopt;
    return fmt::format("engine TLB: {} entry {:#x} -> {:#x}{}{} is neither stamped nor pending",
                       user ? "user" : "supervisor", va.raw(), frame.raw(), write ? " W" : "",
                       execute ? " X" : "");
}

}  // namespace forkscope::mmu
