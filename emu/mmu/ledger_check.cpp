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

// The order of a hash table must not show in the log.
void Ledger::check_shared(const Controls& controls, log::Recorder& recorder, const log::Origin& origin) {
    shared_suspect_ = false;
    std::vector<std::pair<uint64_t, Disagreement>> found;
    const auto translation_of = [&](uint64_t key) {
        const auto level = static_cast<uint8_t>(key & kPageOffsetMask);
        return CachedTranslation{VirtAddr(key).page_base(), level, shared_.at(key)};
    };
    for (const auto& [key, stamp] : shared_) {
        if (!stamp.live(epochs_)) continue;
        if (const auto differs = disagreement(controls, translation_of(key)))
            found.emplace_back(key, *differs);
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [key, differs] : found) {
        report(translation_of(key), differs, recorder, origin);
        shared_.erase(key);
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
            return Disagreement{va, path.leaf()};
        const Pte now = path.effective();
        if (lacks_rights_of(now, filled)) {
            uint8_t level = path.last;
            if (filled.writable() && !now.writable())
                level = path.topmost(kPteWritable, 0);
            else if (filled.user() && !now.user())
                level = path.topmost(kPteUser, 0);
            else
                level = path.topmost(kPteNoExecute, kPteNoExecute);
            return Disagreement{va, path.at[level]};
        }
        offset += entry_span(path.last);
    }
    return std::nullopt;
}

// Puts a translation that agrees with the tables back where the next write to them will find it. That
// is not possible while its page has another size in the tables, or its tables are not tracked yet:
// then it stays suspect and is looked at again next time.
bool Ledger::restore(const Controls& controls, const CachedTranslation& translation) {
    const Path path = walk(ram_, controls, translation.va);
    if (path.last != translation.level) return false;
    for (unsigned level = path.top; level >= path.last; --level)
        if (!mirror_.is_table(path.at[level].where)) return false;

    const auto merge_into = [&](Stamp& stamp) {
        stamp.filled =
            stamp.live(epochs_) ? union_of(stamp.filled, translation.stamp.filled) : translation.stamp.filled;
        stamp.revive(translation.stamp, epochs_);
    };
    for (unsigned level = path.top; level >= path.last; --level) {
        const Slot slot = mirror_.slot_of(path.at[level].where);
        Stamp& stamp = stamp_at(slot, index_of(path.at[level].where));
        if (level == path.last && mirror_.frame(slot).plain_level == level) {
            merge_into(stamp);
        } else {
            stamp.filled = path.at[level].value;
            stamp.revive(translation.stamp, epochs_);
            if (level == path.last) merge_into(shared_[key_of(translation.va, level)]);
        }
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
    event.pa = found.entry.where.raw();
    event.a = translation.stamp.filled.raw();
    event.b = found.entry.value.raw();
    recorder.append(event);
}

}  // namespace forkscope::mmu
