// The TLB ledger of one CPU: every translation that its TLB may hold, that is, every fill since the
// last flush that covered it. A real TLB forgets at will; the ledger never does, so a missing flush
// shows whether or not an entry happened to be evicted. A page that was filled twice, differently,
// may be in the TLB either way.
//
// A translation is in one of these states:
//   stamped    its tables say what they said, or more, when it was filled. Each entry of a tracked
//              frame has a stamp, so a fill costs four stores and no lookup.
//   shared     the same, but its leaf table stands at several places or levels, so that an entry does
//              not tell the address: kept by address instead.
//   suspect    an entry on its path was weakened since. On return to user mode it is looked at again:
//   reported   if the tables still allow less, that is a Finding, once; otherwise it is stamped again.
// A covering flush, or a page fault on its address, ends it in any state.
//
// Not covered: paging-structure caches without a live leaf, PCID, memory types, protection keys,
// paging outside long mode.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/log/recorder.hpp"
#include "emu/mem/guest_ram.hpp"
#include "emu/mmu/cached_translation.hpp"
#include "emu/mmu/mirror.hpp"
#include "emu/mmu/walker.hpp"

namespace forkscope::mmu {

class Ledger {
public:
    Ledger(const Mirror& mirror, const mem::GuestRam& ram) : mirror_(mirror), ram_(ram) {}
    Ledger(const Ledger&) = delete;
    Ledger& operator=(const Ledger&) = delete;

    // What the mirror's listener of this CPU hears (mirror.hpp).
    void table_opened(Slot slot);
    void entry_changed(Slot slot, unsigned index, Pte old, Pte now);
    void frame_becomes_shared(Slot slot);
    void table_goes(Slot slot, unsigned level);

    // The tracked root that CR3 holds; 0: none.
    void set_root(Slot root);

    // The fill that the TLB may still hold for the page of a path, if any: a long-mode path that maps.
    [[nodiscard]] const Stamp* known(const Path& path, VirtAddr va) const;
    // A fill: `filled` is the leaf entry with the rights of the path.
    void record(const Path& path, VirtAddr va, Pte filled, bool global);

    // A load of CR3: all but global pages.
    void flush_others();
    void flush_all();
    // INVLPG, or a page fault: the page that holds va, of whatever size. True if a page larger than
    // 4 KiB was, or may have been, among what is dropped.
    bool drop(VirtAddr va);

    [[nodiscard]] bool check_pending() const { return !suspects_.empty() || shared_suspect_; }
    // Looks again at all suspects. Controls are those of long mode.
    void check(const Controls& controls, log::Recorder& recorder, const log::Origin& origin);

    // Whether some translation that may be in the TLB leads va to frame with at least these rights.
    [[nodiscard]] bool may_hold(VirtAddr va, PhysAddr frame, bool writable, bool executable, bool user) const;

private:
    friend class LedgerTestPeer;

    using StampPage = std::array<Stamp, kTableEntries>;
    using ByPage = std::unordered_map<uint64_t, Stamp>;  // key: key_of()

    struct LeafPlace {
        Slot slot;
        unsigned index;
        uint8_t level;
    };
    // Where the tables now refuse what a translation allows.
    struct Disagreement {
        VirtAddr va;
        PathEntry entry;  // the one that refuses it
        uint8_t level;    // of that one
    };

    [[nodiscard]] static uint64_t key_of(VirtAddr va, unsigned level) {
        return va.align_down(entry_span(level)).raw() | level;
    }
    [[nodiscard]] Stamp& stamp_at(Slot slot, unsigned index) { return (*pages_[slot])[index]; }
    [[nodiscard]] const Stamp& stamp_at(Slot slot, unsigned index) const { return (*pages_[slot])[index]; }
    [[nodiscard]] static unsigned index_of(PhysAddr entry) {
        return static_cast<unsigned>(entry.page_offset() / sizeof(Pte));
    }

    void record_leaf(Slot slot, unsigned index, VirtAddr va, unsigned level, const Stamp& fill);
    void record_shared(VirtAddr va, unsigned level, const Stamp& fill);
    [[nodiscard]] CachedTranslation stamped(Slot slot, unsigned index, unsigned level) const;

    void suspect_entry(Slot slot, unsigned index, unsigned level, Pte was);
    void suspect_what_root_lacks(Slot root);
    void suspect_table(Slot slot, unsigned level, bool with_globals);
    [[nodiscard]] bool globals_below(Slot slot, unsigned level, unsigned index) const;
    [[nodiscard]] bool current_root_agrees(unsigned index, Pte was) const;
    void add_suspect(const CachedTranslation& translation);

    [[nodiscard]] std::optional<LeafPlace> leaf_below(Slot root, VirtAddr va) const;
    template <typename Visitor>
    void for_each_leaf(VirtAddr va, Visitor&& visit) const;

    [[nodiscard]] std::optional<Disagreement> disagreement(const Controls& controls,
                                                           const CachedTranslation& translation) const;
    [[nodiscard]] bool restore(const Controls& controls, const CachedTranslation& translation);
    void report(const CachedTranslation& translation, const Disagreement& found, log::Recorder& recorder,
                const log::Origin& origin);
    void check_shared(const Controls& controls, log::Recorder& recorder, const log::Origin& origin);
    void drop_dead(ByPage& pages, size_t& limit) const;
    void forget_epoch(uint32_t Stamp::*member);

    const Mirror& mirror_;
    const mem::GuestRam& ram_;
    Slot root_ = 0;
    Epochs epochs_;
    std::vector<std::unique_ptr<StampPage>> pages_;  // index: slot
    // Entries of top tables under which a global page was filled since global pages were last flushed.
    std::bitset<kTableEntries> global_tops_;
    ByPage shared_;
    ByPage reported_;
    std::vector<CachedTranslation> suspects_;
    // Page numbers of roots that were weakened while another one was in use, which agreed with what they
    // had before.
    std::unordered_set<uint64_t> weakened_roots_;
    bool shared_suspect_ = false;
    static constexpr size_t kFirstLimit = 4096;
    size_t shared_limit_ = kFirstLimit;
    size_t reported_limit_ = kFirstLimit;
    size_t suspects_limit_ = 16 * kFirstLimit;
};

}  // namespace forkscope::mmu
