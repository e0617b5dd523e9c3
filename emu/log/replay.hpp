// The page tables as the log alone tells them: at any point of a log, which frames are tables, what they
// hold, and who links them. Every Audit event on the way is compared with what was rebuilt.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/log/audit_hash.hpp"
#include "emu/log/entry_bits.hpp"
#include "emu/log/event.hpp"
#include "emu/log/event_filter.hpp"
#include "emu/log/meta.hpp"

namespace forkscope::log {

class Reader;

struct ReplayTable {
    std::array<uint64_t, kTableEntries> entries{};
    std::array<uint64_t, kTopLevel + 1> references{};  // by level; the table is one where it is not 0
    std::array<uint64_t, kTopLevel + 1> span{};        // start of what it covers, by level, at its first link
};

struct ReplayLeaf {
    uint64_t va = 0;  // start of the span
    unsigned level = 1;
    uint64_t entry_pa = 0;
    uint64_t value = 0;
};

// What was found on the way. All zero but `audits` and `entries`: the log is complete.
struct ReplayReport {
    static constexpr size_t kDescribed = 8;

    uint64_t audits = 0;
    uint64_t unequal_audits = 0;         // the tables in guest RAM were not these
    uint64_t machine_differences = 0;    // the machine's own mirror was not equal to RAM (Audit.pa)
    uint64_t contradictions = 0;         // an old value, a count or a link that cannot be
    uint64_t entries = 0;                // nonzero ones that the last audit compared
    uint64_t roots = 0;                  // in the last audit
    bool other_paging = false;           // an audit says that other paging was used, which is not covered
    std::vector<std::string> described;  // the first few, each with the number of its event

    [[nodiscard]] bool complete() const {
        return audits != 0 && unequal_audits == 0 && machine_differences == 0 && contradictions == 0;
    }
};

class Replay {
public:
    // The kinds that it must be given, in order and without gaps; others do nothing.
    static constexpr KindMask kKinds = mask_of(EventKind::PteWrite) | mask_of(EventKind::TableLink) |
                                       mask_of(EventKind::TableUnlink) | mask_of(EventKind::PteFound) |
                                       mask_of(EventKind::RootDeath) | mask_of(EventKind::Audit);

    // `number` is used in descriptions only.
    void apply(const Event& event, uint64_t number);
    // An event of a keyframe: part of a state, not a change of one.
    void restore(const Event& event);

    [[nodiscard]] const ReplayReport& report() const { return report_; }
    [[nodiscard]] const std::set<uint64_t>& roots() const { return roots_; }
    [[nodiscard]] const ReplayTable* table(uint64_t frame) const;
    // Frames that are tables at this level, ascending.
    [[nodiscard]] std::vector<uint64_t> tables_at(unsigned level) const;

    // The present entry that maps va under this root, at whatever level.
    [[nodiscard]] std::optional<ReplayLeaf> leaf(uint64_t root, uint64_t va) const;
    // The entry at `level` on the way to va, present or not; nothing if the way ends above.
    [[nodiscard]] std::optional<ReplayLeaf> entry(uint64_t root, uint64_t va, unsigned level) const;
    // All present leaf entries under this root that cover an address in the range, ascending.
    void visit_leaves(uint64_t root, VaRange range,
                      const std::function<void(const ReplayLeaf&)>& visit) const;

    [[nodiscard]] AuditHash audit_hash() const;

private:
    void link(const Event& event, uint64_t number);
    void unlink(const Event& event, uint64_t number);
    void found(const Event& event, uint64_t number);
    void write(const Event& event, uint64_t number);
    void audit(const Event& event, uint64_t number);
    void recount_references(uint64_t number);
    [[nodiscard]] ReplayTable* find(uint64_t frame);
    void contradiction(uint64_t number, std::string what);
    void visit_table(uint64_t frame, unsigned level, uint64_t va, VaRange range,
                     const std::function<void(const ReplayLeaf&)>& visit) const;

    std::unordered_map<uint64_t, std::unique_ptr<ReplayTable>> tables_;
    std::set<uint64_t> roots_;
    uint64_t last_frame_ = 0;  // of the last lookup: writes come in rows
    ReplayTable* last_table_ = nullptr;
    ReplayReport report_;
};

// Whether a log has what a replay needs.
[[nodiscard]] constexpr bool can_replay_kinds(KindMask kinds) {
    return (kinds & Replay::kKinds) == Replay::kKinds;
}
[[nodiscard]] bool can_replay(const Meta& meta);

// The tables before event `end` (all of them: the state at the end of the log). Begins with the keyframe
// before it, if there is one, and leaves out audits: who wants the proof applies all events from the first
// one.
[[nodiscard]] Replay replay_until(Reader& reader, uint64_t end = ~uint64_t{0});

// The proof: every event from the first one on, audits too, and nothing of what keyframes say.
[[nodiscard]] Replay replay_all(Reader& reader);

}  // namespace forkscope::log
