// The page-table mirror: which frames of RAM are long-mode page tables, at which level, what they hold.
// It is about RAM and shared by all CPUs. It learns roots from the MMUs (a root is linked at the first
// fill under it) and everything below from the tables' contents and from observed writes.
//
// Invariant, which the audit proves: references[L] of a frame is the number of entries, in all frames
// that are tables of level L + 1, that point to it (1 for a root, at level 4); a frame is a table of
// level L while that is not 0; the copy of every tracked frame equals RAM. Levels only decrease from
// table to table, so the counts are exact even where a table maps itself.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/log/event.hpp"
#include "emu/log/recorder.hpp"
#include "emu/mem/guest_ram.hpp"
#include "emu/mmu/pte.hpp"

namespace forkscope::mmu {

inline constexpr unsigned kTopLevel = 4;

// Number of a tracked frame, dense and reused; 0: not tracked.
using Slot = uint32_t;

enum class TableState : uint8_t { NotTable, Table };

// Who wrote an entry of a frame that is watched and no table yet.
struct EntryWriter {
    uint64_t icount = 0;
    uint64_t rip = 0;
    uint32_t task = 0;
    uint8_t cpl = 0;
    log::Cause cause = log::Cause::None;  // None: it was there before, or is 0 as it was
};
using EntryWriters = std::array<EntryWriter, kTableEntries>;

struct TableFrame {
    uint64_t pfn = 0;
    std::array<uint32_t, kTopLevel + 1> references{};  // index: level
    std::array<VirtAddr, kTopLevel + 1> span{};        // start of what the table covers, by level
    std::array<PhysAddr, kTopLevel + 1> seen_from{};   // a root that reached it, by level
    uint8_t levels = 0;                                // bit L: references[L] != 0
    uint8_t many_spans = 0;                            // bit L: linked where its span starts elsewhere, too
    uint8_t plain_level = 0;  // its level, if it never had another one nor a second span; else 0
    uint8_t scans = 0;        // loops over the entries that are under way
    bool is_root = false;
    uint8_t zero_stores = 0;  // to a root: zeroes written over zeroes
    uint16_t holds = 0;       // on a root: CPUs whose CR3 it is
    uint32_t present = 0;     // entries with P set
    std::array<Pte, kTableEntries> entries{};
    std::unique_ptr<EntryWriters> writers;  // while it is only watched, from the first store on

    [[nodiscard]] PhysAddr base() const { return PhysAddr(pfn << kPageShift); }
    [[nodiscard]] PhysAddr entry_address(unsigned index) const { return base() + index * sizeof(Pte); }
    // Watched ahead of its first link: no table yet, or no more.
    [[nodiscard]] bool is_only_watched() const { return levels == 0; }
    [[nodiscard]] bool is_table_at(unsigned level) const { return (levels & (1u << level)) != 0; }
    [[nodiscard]] bool has_many_spans(unsigned level) const { return (many_spans & (1u << level)) != 0; }
};

// Who keeps state beside the mirror: the MMU of each CPU. Called while the mirror changes, so it may
// look at the mirror but not change it.
class MirrorListener {
public:
    virtual ~MirrorListener() = default;
    // The frame is tracked from now on: stores to it must be seen before the next one happens.
    virtual void frame_became_table(Slot slot) = 0;
    // An entry was overwritten; what it linked is still linked.
    virtual void entry_changed(Slot slot, unsigned index, Pte old, Pte now) = 0;
    // The frame stops being plain (TableFrame::plain_level); it still looks as before.
    virtual void frame_becomes_shared(Slot slot) = 0;
    // The last reference at this level goes; the frame still looks as before.
    virtual void table_goes(Slot slot, unsigned level) = 0;
};

class Mirror {
public:
    Mirror(mem::GuestRam& ram, log::Recorder& recorder);
    Mirror(const Mirror&) = delete;
    Mirror& operator=(const Mirror&) = delete;

    void add_listener(MirrorListener& listener);
    void remove_listener(MirrorListener& listener);

    [[nodiscard]] Slot slot_of(PhysAddr pa) const {
        const uint64_t pfn = pa.page_number();
        return pfn < slot_of_pfn_.size() ? slot_of_pfn_[pfn] : 0;
    }
    // Whether stores to it must be seen: it is a table, or watched since it is going to be one.
    [[nodiscard]] bool is_table(PhysAddr pa) const { return slot_of(pa) != 0; }
    // slot: of a tracked frame.
    [[nodiscard]] const TableFrame& frame(Slot slot) const { return *frames_[slot]; }
    // Every slot is below this; frame_in() is null where a slot is free.
    [[nodiscard]] Slot slot_end() const { return static_cast<Slot>(frames_.size()); }
    [[nodiscard]] const TableFrame* frame_in(Slot slot) const { return frames_[slot].get(); }
    // In no particular order.
    [[nodiscard]] std::span<const Slot> roots() const { return roots_; }
    [[nodiscard]] bool is_root(PhysAddr root) const {
        const Slot slot = slot_of(root);
        return slot != 0 && frame(slot).is_root;
    }
    // Page numbers of RAM are below this; there may be holes.
    [[nodiscard]] uint64_t pfn_end() const { return slot_of_pfn_.size(); }

    // The table that an entry of a table of `level` points to, if it is tracked; 0: none.
    [[nodiscard]] Slot child_of(unsigned level, Pte entry) const {
        return entry.present() && !is_leaf(level, entry) ? slot_of(entry.frame()) : 0;
    }

    // A CPU's CR3 becomes `root` (page-aligned): links it, if it is RAM and not a root yet. A root that
    // is held does not die. Every hold has its release.
    void hold_root(PhysAddr root, const log::Origin& origin);
    void release_root(PhysAddr root);

    // The guest announced that the frame is going to be a table: watched from now on, so that whoever fills
    // it before it is linked is known (PteFound with kWriterKnown).
    void announce_table(PhysAddr frame);
    // ... that it is free, or something else: watched no more, and no root unless it is in some CR3.
    void announce_no_table(PhysAddr frame, const log::Origin& origin);

    // How often each frame became a table so far: what a second, equal run may be told beforehand.
    using LinkCounts = std::vector<uint32_t>;  // index: page number
    [[nodiscard]] const LinkCounts& times_linked() const { return times_linked_; }
    // The reverse, before the guest starts: each such frame is watched until it was a table that often. What
    // RAM holds now is the loader's.
    void expect_tables(const LinkCounts& counts);

    // As Mmu::observe_write(); the frame is tracked.
    TableState observe_write(PhysAddr pa, uint64_t old_bytes, uint64_t new_bytes, unsigned size,
                             log::Cause cause, const log::Origin& origin);

    // The walker changed accessed or dirty of an entry, in RAM already.
    void hardware_update(Slot slot, unsigned index, Pte now, log::Cause cause, const log::Origin& origin);

    // Stores whose old bytes were not what the mirror had: before each of them a write was missed.
    [[nodiscard]] uint64_t missed_writes() const { return missed_writes_; }

private:
    friend class MirrorTestPeer;

    // One link of a table, as it is logged.
    struct Link {
        uint64_t pfn;
        unsigned level;
        VirtAddr span;
        bool many_spans;
        PhysAddr from;   // the entry that links it; 0: it is a root
        PhysAddr space;  // a root that reaches it that way
    };
    struct Place {
        PhysAddr root;
        VirtAddr span;
    };

    // mirror_links.cpp
    [[nodiscard]] bool links_child(unsigned level, Pte entry) const;
    Slot open(uint64_t pfn);
    void watch(uint64_t pfn);
    [[nodiscard]] bool is_expected(uint64_t pfn) const;
    void log_found(const TableFrame& frame, unsigned level, const Link& link, const log::Origin& origin);
    void close_if_unused(Slot slot);
    void link(const Link& link, const log::Origin& origin);
    void first_link(Slot slot, const Link& link, const log::Origin& origin);
    void unlink(const Link& link, const log::Origin& origin);
    void make_shared(Slot slot);
    void make_many_spans(Slot slot, unsigned level);

    // mirror_place.cpp
    [[nodiscard]] Place place_of(Slot slot, unsigned level, PhysAddr preferred);
    [[nodiscard]] bool reaches(PhysAddr root, Slot slot, unsigned level, VirtAddr span) const;
    [[nodiscard]] std::optional<VirtAddr> find_below(Slot from, unsigned from_level, VirtAddr from_span,
                                                     Slot slot, unsigned level,
                                                     std::vector<uint8_t>& seen) const;

    // mirror.cpp
    void change_watched(TableFrame& frame, unsigned index, Pte now, log::Cause cause,
                        const log::Origin& origin);
    void change(Slot slot, unsigned index, Pte now, log::Cause cause, const log::Origin& origin);
    void relink(Slot slot, unsigned index, Pte old, Pte now, const log::Origin& origin);
    void log_write(Slot slot, unsigned index, Pte old, Pte now, log::Cause cause, const log::Origin& origin);
    [[nodiscard]] std::optional<log::RootDeath> fatal_to_root(TableFrame& root, bool whole_entry, Pte old,
                                                              Pte now) const;
    void kill_root(Slot slot, log::RootDeath death, const log::Origin& origin);

    mem::GuestRam& ram_;
    log::Recorder& recorder_;
    std::vector<Slot> slot_of_pfn_;
    std::vector<std::unique_ptr<TableFrame>> frames_;  // index: slot; 0 is never used
    std::vector<Slot> free_slots_;
    std::vector<Slot> roots_;
    std::vector<MirrorListener*> listeners_;
    std::vector<bool> announced_;  // index: page number; frames that are going to be tables
    LinkCounts times_linked_;
    LinkCounts still_to_come_;  // of a run that is known; empty: it is not
    uint64_t missed_writes_ = 0;
};

}  // namespace forkscope::mmu
