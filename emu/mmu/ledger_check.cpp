// The ledger's check on return to user mode: what the TLB may still hold against what the tables say.
#include <algorithm>

#include "emu/mmu/ledger.hpp"

namespace forkscope::mmu {

void Ledger::check(const Controls& controls, log::Recorder& recorder, const log::Origin& origin) {
    if (shared_suspect_) check_shared(controls, recorder, origin);
    std::vector<CachedTranslation> suspects;
    suspects.swap(suspects_);
    for (const CachedTranslation& translation : suspects) {
        if (!translation.stamp.live(epochs_)) continue;
        if (const auto found = disagreement(controls, translation))
            report(translation, *found, recorder, origin);
        else if (!restore(controls, translation))
            suspects_.push_back(translation);
    }
}

// The order of a hash table must not show in the log. What agrees is stamped anew: the write that made it
// suspect took the stamps of its path.
void Ledger::check_shared(const Controls& controls, log::Recorder& recorder, const log::Origin& origin) {
    shared_suspect_ = false;
    std::vector<CachedTranslation> all;
    for (const auto& [key, stamp] : shared_) {
        if (!stamp.live(epochs_)) continue;
        all.push_back(
            {VirtAddr(key).page_base(), static_cast<uint8_t>(key & kPageOffsetMask), stamp, PhysAddr(0)});
    }
    std::sort(all.begin(), all.end(),
              [](const auto& a, const auto& b) { return key_of(a.va, a.level) < key_of(b.va, b.level); });
    for (const CachedTranslation& translation : all) {
        const auto found = disagreement(controls, translation);
        if (!found && restore(controls, translation)) continue;
        if (found) report(translation, *found, recorder, origin);
        if (!found) add_suspect(translation);
        shared_.erase(key_of(translation.va, translation.level));
    }
}

// A large page may have been split meanwhile: then each part is looked at. One that was merged into a
// larger page is looked at as it stands there.
std::optional<Ledger::Disagreement> Ledger::disagreement(const Controls& controls,
                                                         const CachedTranslation& translation) const {
    const Pte filled = translation.stamp.filled;
    for (uint64_t offset = 0; offset < entry_span(translation.level);) {
        const VirtAddr va = translation.va + offset;
        const Path path = walk(ram_, controls, va);
        if (!path.mapped() || path.frame != frame_at(translation.level, filled, va))
            return Disagreement{va, path.leaf(), path.last};
        const Pte now = path.effective();
        if (lacks_rights_of(now, filled)) {
            uint8_t level = path.last;
            if (filled.writable() && !now.writable())
                level = path.topmost(kPteWritable, 0);
            else if (filled.user() && !now.user())
                level = path.topmost(kPteUser, 0);
            else
                level = path.topmost(kPteNoExecute, kPteNoExecute);
            return Disagreement{va, path.at(level), level};
        }
        offset += entry_span(path.last);
    }
    return std::nullopt;
}

// Puts a translation that agrees with the tables back where the next write to them will find it. That
// is not possible while its page has another size in the tables, or other tables, or tables that are not
// tracked yet, or while one stamp cannot stand for it and for another fill: then it stays suspect and is
// looked at again next time.
bool Ledger::restore(const Controls& controls, const CachedTranslation& translation) {
    const Path path = walk(ram_, controls, translation.va);
    const PathEntry& leaf = path.leaf();
    if (path.last != translation.level) return false;
    if (translation.leaf != PhysAddr(0) && translation.leaf != leaf.where) return false;
    for (unsigned level = path.top; level >= path.last; --level)
        if (!mirror_.is_table(path.at(level).where)) return false;

    const Slot slot = mirror_.slot_of(leaf.where);
    Stamp& of_entry = stamp_at(slot, index_of(leaf.where));
    const bool plain = mirror_.frame(slot).plain_level == path.last;
    Stamp& stamp = plain ? of_entry : shared_[key_of(translation.va, path.last)];
    const bool live = stamp.live(epochs_);
    if (live && !may_merge(stamp, translation.stamp, epochs_)) return false;
    stamp.filled = live ? union_of(stamp.filled, translation.stamp.filled) : translation.stamp.filled;
    stamp.revive(translation.stamp, epochs_);

    for (unsigned level = path.top; level >= path.last; --level) {
        if (level == path.last && plain) continue;
        Stamp& on_path = stamp_at(mirror_.slot_of(path.at(level).where), index_of(path.at(level).where));
        on_path.filled = path.at(level).value;
        on_path.revive(translation.stamp, epochs_);
    }
    return true;
}

void Ledger::report(const CachedTranslation& translation, const Disagreement& found, log::Recorder& recorder,
                    const log::Origin& origin) {
    Stamp& reported = reported_[key_of(translation.va, translation.level)];
    const bool again = reported.live(epochs_);
    reported.filled = translation.stamp.filled;
    reported.revive(translation.stamp, epochs_);
    drop_dead(reported_, reported_limit_);
    if (again) return;

    const bool by_user = translation.stamp.filled.user();
    log::Event event = log::make_event(log::EventKind::Finding, origin);
    event.aux = static_cast<uint16_t>(by_user ? log::Finding::StaleTlbUser : log::Finding::StaleTlbKernel);
    event.va = found.va.raw();
    event.level = translation.level;
    event.flags = found.level;
    event.pa = found.entry.where.raw();
    event.a = translation.stamp.filled.raw();
    event.b = found.entry.value.raw();
    recorder.append(event);
}

}  // namespace forkscope::mmu
