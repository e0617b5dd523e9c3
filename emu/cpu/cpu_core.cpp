#include "emu/cpu/cpu_core.hpp"

#include <unicorn/unicorn.h>

#include <algorithm>

#include "emu/cpu/disassembler.hpp"
#include "emu/cpu/doorbell.hpp"
#include "emu/cpu/engine_internals.hpp"
#include "emu/cpu/ram_views.hpp"

namespace forkscope::cpu {

CpuCore::CpuCore(CpuId id, const CpuModel& model, TimeMode time_mode, std::unique_ptr<Engine> engine,
                 void (*look)(void*), void* owner, mem::GuestRam& ram, const mem::Rom* rom,
                 mmu::Mirror& mirror, log::Recorder& recorder)
    : id_(id),
      model_(model),
      time_mode_(time_mode),
      steady_start_(steady_now()),
      engine_(std::move(engine)),
      ram_(ram),
      rom_(rom),
      recorder_(recorder),
      clock_(*this, engine_->state(), look, owner),
      code_pages_(ram),
      mmu_(id, {.physical_bits = kPhysicalBits, .has_1gib_pages = model.has_1gib_pages, .has_pse36 = true},
           ram, mirror, recorder, *this) {}

uint64_t CpuCore::linear_rip() {
    LiveState& s = state();
    if (s.code64()) return s.rip();
    return (s.segment(kCs).base + s.rip()) & 0xffff'ffff;
}

mmu::PagingRegisters CpuCore::paging_registers() {
    LiveState& s = state();
    return {.cr0 = s.cr(0),
            .cr3 = s.cr(3),
            .cr4 = s.cr(4),
            .efer = s.efer(),
            .rflags = s.eflags(),
            .pkru = s.pkru()};
}

VirtualNs CpuCore::host_now() const { return static_cast<VirtualNs>(steady_now() - steady_start_); }

log::Origin CpuCore::origin() {
    return origin_at(recorder_.enabled() ? clock_.at(linear_rip()) : clock_.at_block_start());
}

log::Origin CpuCore::origin_at(InstrCount icount) {
    LiveState& s = state();
    if (time_mode_ == TimeMode::Host && recorder_.enabled()) icount = host_now();
    return {.icount = icount,
            .rip = linear_rip(),
            .root = s.cr(3) & ~kPageOffsetMask,
            .task = task_,
            .cpu = id_,
            .cpl = static_cast<uint8_t>(s.cpl())};
}

void CpuCore::idle_until(VirtualNs time) {
    const VirtualNs present = time_at(clock_.at_block_start());
    if (time > present) idle_ns_ += time - present;
}

void CpuCore::flush_engine() {
    engine_->flush_tlb();
    engine_flushed_itself();
}

void CpuCore::engine_flushed_itself() {
    ++engine_epoch_;
    clock_.translations_changed();
    mmu_.engine_flushed();
}

void CpuCore::flush_all() {
    engine_->flush_tlb();
    ++engine_epoch_;
    clock_.translations_changed();
}

void CpuCore::invalidate_code(PhysAddr pa, uint64_t length) {
    const uint64_t first = kInvalidationWindow + pa.raw();
    invalidating_ = true;
    uc_ctl_remove_cache(engine_->handle(), first, first + length);
    invalidating_ = false;
    // The window's translations must not outlive this.
    flush_engine();
}

size_t CpuCore::peek_code(uint64_t linear, uint8_t (&bytes)[15]) {
    const mmu::PagingRegisters regs = paging_registers();
    size_t count = 0;
    while (count < sizeof bytes) {
        const VirtAddr va(linear + count);
        const auto pa = code_address(va, regs);
        if (!pa) break;
        const size_t chunk = std::min<size_t>(sizeof bytes - count, kPageSize - va.page_offset());
        const uint8_t* p = readable(*pa, chunk);
        if (p == nullptr) break;
        std::copy(p, p + chunk, bytes + count);
        count += chunk;
    }
    return count;
}

// Code runs from the TLB, whatever the tables say by now.
std::optional<PhysAddr> CpuCore::code_address(VirtAddr va, const mmu::PagingRegisters& regs) const {
    const cpu::EngineTlb tlb(engine_->state());
    auto page = tlb.code_page(engine_->state().cpl() == 3 ? kModeUser : kModeSupervisor, va.raw());
    if (!page && engine_->state().cpl() != 3) page = tlb.code_page(kModeSupervisorWithoutSmap, va.raw());
    // The views of RAM fold back onto their frames.
    if (page) return PhysAddr(*page & (bit(kPhysicalBits) - 1)).page_base() + va.page_offset();
    if (const auto translation = mmu_.probe(va, regs)) return translation->pa;
    return std::nullopt;
}

std::optional<PhysAddr> CpuCore::last_code_frame(uint64_t linear) const {
    const FramePage& cached = frame_pages_[(linear >> kPageShift) % kFramePages];
    if (cached.page != linear >> kPageShift || cached.frame == PhysAddr(0)) return std::nullopt;
    return cached.frame;
}

PhysAddr CpuCore::code_frame(uint64_t pc) {
    FramePage& cached = frame_pages_[(pc >> kPageShift) % kFramePages];
    if (cached.page == pc >> kPageShift && cached.epoch == engine_epoch_) return cached.frame;
    const auto translation = mmu_.probe(VirtAddr(pc), paging_registers());
    cached = {pc >> kPageShift, translation ? translation->pa.page_base() : PhysAddr(0), engine_epoch_};
    return cached.frame;
}

uint32_t CpuCore::count_instructions(const Block& block) {
    uc_tb translated{};
    if (uc_ctl_request_cache(engine_->handle(), block.pc, &translated) == UC_ERR_OK &&
        translated.size == block.bytes && translated.icount != 0)
        return translated.icount;
    return count_before(block, block.pc + block.bytes);
}

uint32_t CpuCore::count_before(const Block& block, uint64_t rip) {
    const unsigned bits = state().code_bits();
    uint32_t count = 0;
    for (uint64_t at = block.pc; at < rip; ++count) {
        uint8_t bytes[15];
        const size_t available = peek_code(at, bytes);
        const size_t length = available == 0 ? 0 : instruction_length({bytes, available}, bits);
        if (length == 0) return count + 1;
        at += length;
    }
    return count;
}

RepeatedString CpuCore::repeated_string(const Block& block) {
    if (block.bytes > RepeatedString::kMostBytes || !state().code64()) return {};
    uint8_t code[15];
    if (peek_code(block.pc, code) < block.bytes) return {};
    return RepeatedString({code, block.bytes});
}

// The last bytes of nearly every block tell that it ends otherwise; the others are decoded.
bool CpuCore::may_change_privilege(const Block& block) {
    return may_end_in_far_transfer(block) && ends_in_far_transfer(block);
}

// By the last bytes alone, without knowing where the last instruction begins.
bool CpuCore::may_end_in_far_transfer(const Block& block) {
    constexpr size_t kLongest =
        9;  // bytes that matter: an opcode, ModRM, SIB, four of an offset, and two to spare
    const size_t size = std::min<size_t>(block.bytes, kLongest);
    uint8_t code[15];
    if (peek_code(block.pc + block.bytes - size, code) < size) return true;
    const auto from_end = [&](size_t n) { return n <= size ? code[size - n] : uint8_t{0x90}; };
    const uint8_t last = from_end(1);
    if (last == 0xcf || last == 0xcb || from_end(3) == 0xca) return true;    // iret, retf
    if (from_end(2) == 0x0f && (last == 0x07 || last == 0x35)) return true;  // sysret, sysexit
    for (const size_t length : {5u, 7u})                                     // callf, jmpf ptr16:16/32
        if (from_end(length) == 0x9a || from_end(length) == 0xea) return true;
    for (size_t n = 2; n <= size; ++n) {  // callf, jmpf m16:16/32/64
        const unsigned operation = from_end(n - 1) >> 3 & 7, mode = from_end(n - 1) >> 6;
        if (from_end(n) == 0xff && mode != 3 && (operation == 3 || operation == 5)) return true;
    }
    return false;
}

bool CpuCore::ends_in_far_transfer(const Block& block) {
    const unsigned bits = state().code_bits();
    uint8_t bytes[15];
    size_t available = 0;
    for (uint64_t at = block.pc; at < block.pc + block.bytes;) {
        available = peek_code(at, bytes);
        const size_t length = available == 0 ? 0 : instruction_length({bytes, available}, bits);
        if (length == 0) return true;
        at += length;
    }
    return is_far_transfer({bytes, available}, bits);
}

}  // namespace forkscope::cpu
