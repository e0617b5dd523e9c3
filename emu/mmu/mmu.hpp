// The MMU of one CPU: what the CPU adapter calls. It walks the tables in guest RAM, keeps accessed and
// dirty bits, the TLB ledger and the checks of its CPU, and feeds the page-table mirror that all CPUs
// share.
//
// Nothing here keeps a register of the CPU: whoever calls passes the present ones. Functions that may
// call EngineTlb::flush_all() say so; the others never do.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/base/units.hpp"
#include "emu/log/event.hpp"
#include "emu/log/recorder.hpp"
#include "emu/mem/guest_ram.hpp"
#include "emu/mmu/audit.hpp"
#include "emu/mmu/engine_tlb.hpp"
#include "emu/mmu/ledger.hpp"
#include "emu/mmu/mirror.hpp"
#include "emu/mmu/paging.hpp"
#include "emu/mmu/walker.hpp"

namespace forkscope::mmu {

class Mmu final : private MirrorListener {
public:
    // All references outlive the Mmu. Events name the CPU by the Origin that is passed with each call.
    Mmu(CpuId id, const PagingModel& model, mem::GuestRam& ram, Mirror& mirror, log::Recorder& recorder,
        EngineTlb& engine);
    ~Mmu() override;
    Mmu(const Mmu&) = delete;
    Mmu& operator=(const Mmu&) = delete;

    [[nodiscard]] CpuId id() const { return id_; }

    // Translates for one access that is about to happen, as hardware does on a TLB miss: sets accessed
    // and dirty in RAM, links the root if CR3 names a new one, stamps the ledger, logs. A fault changes
    // nothing: it is not an event until it is delivered. May call flush_all().
    [[nodiscard]] FillResult fill(VirtAddr va, Access access, Privilege privilege,
                                  const PagingRegisters& regs, const log::Origin& origin);

    // The same for an access that the CPU adapter makes itself while it delivers an exception: the
    // tables change as in fill(), but no page is handed to the engine. The address is that of the byte.
    // May call flush_all().
    [[nodiscard]] tl::expected<PhysAddr, Fault> translate_for_system(VirtAddr va, Access access,
                                                                     Privilege privilege,
                                                                     const PagingRegisters& regs,
                                                                     const log::Origin& origin);

    // Where va leads, whoever asks: no permission is checked, nothing changes. Empty: nowhere.
    [[nodiscard]] std::optional<Translation> probe(VirtAddr va, const PagingRegisters& regs) const;

    // What fill() would answer, without doing anything. Grant::first is always false.
    [[nodiscard]] FillResult check(VirtAddr va, Access access, Privilege privilege,
                                   const PagingRegisters& regs) const;

    // The A20 gate: closed, physical address bit 20 is 0. It is heeded with paging off, where programs of the
    // 8086's time wrap around at 1 MiB; page tables of guests that close it do not reach there. The caller
    // flushes the engine.
    void set_line_20(bool open) { identity_mask_ = open ? ~uint64_t{0} : ~(uint64_t{1} << 20); }
    [[nodiscard]] bool line_20_open() const { return identity_mask_ == ~uint64_t{0}; }

    // Whether stores to the frame that holds pa must come to observe_write(). One array lookup.
    [[nodiscard]] bool is_table(PhysAddr pa) const { return mirror_.is_table(pa); }

    // Call after RAM was changed, once for each store to a tracked frame, and for stores that still
    // arrive through a left-over alias of one that was. [pa, pa + size) stays inside one page; size is
    // 1, 2, 4, 8; the values are the bytes of that range, little-endian, zero-extended. A 16-byte store
    // is two calls, both after RAM holds all of it or each after its half: either way.
    // `old_bytes` is checked against the mirror: a difference is a write that was missed.
    // May call flush_all(), on any CPU.
    TableState observe_write(PhysAddr pa, uint64_t old_bytes, uint64_t new_bytes, unsigned size,
                             log::Cause cause, const log::Origin& origin) {
        if (mirror_.is_table(pa)) return mirror_.observe_write(pa, old_bytes, new_bytes, size, cause, origin);
        store_through_leftover_alias();
        return TableState::NotTable;
    }

    // Writes to RAM on the machine's own account (exception frames, DMA), table or not. Bytes outside
    // RAM are dropped. Code caches are the caller's business. May call flush_all(), on any CPU.
    void write_memory(PhysAddr pa, std::span<const uint8_t> bytes, log::Cause cause,
                      const log::Origin& origin);

    // Call when the instruction took effect: regs are those after it. page: for Invlpg; old_value and
    // new_value: of the register otherwise. Logs the flush; may call flush_all() (an INVLPG inside a
    // large page, a write of EFER).
    void on_flush(log::FlushKind kind, VirtAddr page, uint64_t old_value, uint64_t new_value,
                  const PagingRegisters& regs, const log::Origin& origin);

    // Delivering a page fault drops the translation of its address (SDM vol. 3, 4.10.4.1 "Operations
    // that Invalidate TLBs and Paging-Structure Caches"). Drop that 4 KiB page from the engine as well;
    // for a large page this calls flush_all().
    void page_fault_delivered(VirtAddr va, const PagingRegisters& regs);

    // Whether check_on_return_to_user() has work. Ask at the first block after CPL became 3.
    [[nodiscard]] bool user_check_pending() const { return ledger_.check_pending(); }

    // Looks again at every translation that the TLB may hold and a later write weakened; what is still
    // weaker than the TLB has it becomes a Finding, once.
    void check_on_return_to_user(const PagingRegisters& regs, const log::Origin& origin);

    // The engine's whole TLB was flushed other than by our flush_all(): natively, or by the adapter.
    void engine_flushed();

    // Compares the mirror with RAM, and reachability from all roots with its reference counts. Logs an
    // Audit event.
    AuditReport audit(const log::Origin& origin) const;

    // For a valid entry of the engine's TLB: what is wrong with it, or nothing. It must be stamped or
    // pending, and on no more rights than that. Slow; for debug runs.
    [[nodiscard]] std::optional<std::string> audit_engine_entry(VirtAddr va, PhysAddr frame,
                                                                Permissions permissions, bool user,
                                                                const PagingRegisters& regs) const;

private:
    friend class LedgerTestPeer;

    static constexpr uint64_t kNoRoot = ~uint64_t{0};

    // MirrorListener
    void frame_became_table(Slot slot) override;
    void entry_changed(Slot slot, unsigned index, Pte old, Pte now) override;
    void frame_becomes_shared(Slot slot) override;
    void table_goes(Slot slot, unsigned level) override;

    [[nodiscard]] FillResult translate(VirtAddr va, Access access, Privilege privilege,
                                       const PagingRegisters& regs, const log::Origin& origin);
    [[nodiscard]] Grant grant_for(const Controls& controls, const Path& path, Access access,
                                  Privilege privilege) const;
    [[nodiscard]] Grant identity_grant(VirtAddr va, Access access) const;
    void set_bits(const Controls& controls, Path& path, unsigned level, uint64_t wanted,
                  const log::Origin& origin);
    void set_accessed_on_way(const Controls& controls, Path& path, const log::Origin& origin);
    void set_accessed_dirty(const Controls& controls, Path& path, bool dirty, const log::Origin& origin);
    bool touch_and_record(const Controls& controls, Path& path, VirtAddr va, Access access,
                          Privilege privilege, const log::Origin& origin);
    void log_fill(const Path& path, VirtAddr va, Access access, bool global, const log::Origin& origin);

    void enter_root(PhysAddr root, const log::Origin& origin);
    void leave_root();
    void follow_root(const Controls& controls, const log::Origin& origin);
    void flush_engine();
    void drop_page(VirtAddr va, const PagingRegisters& regs);
    void store_through_leftover_alias();

    CpuId id_;
    PagingModel model_;
    mem::GuestRam& ram_;
    Mirror& mirror_;
    log::Recorder& recorder_;
    EngineTlb& engine_;
    Ledger ledger_;
    uint64_t held_root_ = kNoRoot;
    uint64_t identity_mask_ = ~uint64_t{0};
    bool other_paging_ = false;  // 32-bit or PAE paging was used
    // The count of engine flushes when a frame was last handed out writable (index: page number): such a
    // frame must not become a table without a flush.
    std::vector<uint32_t> writable_at_;
    uint32_t engine_epoch_ = 1;
    uint32_t leftover_stores_ = 0;
};

}  // namespace forkscope::mmu
