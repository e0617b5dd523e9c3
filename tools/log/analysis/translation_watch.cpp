// Watching entries.
#include "tools/log/analysis/translation_watch.hpp"

namespace forkscope::analysis {

using log::EventKind;

bool TranslationWatch::touches(const log::Event& e) const {
    switch (e.kind) {
        case EventKind::PteWrite:
        case EventKind::PteFound:
            // A table can stand at several levels; the entry is on the way at one of them.
            return e.level >= 1 && e.level <= log::kTopLevel && e.pa != 0 && entries_[e.level] == e.pa;
        case EventKind::TableLink:
        case EventKind::TableUnlink:
            return root_ != 0 && e.pa == root_ && e.level == log::kTopLevel && e.a == 0;
        default:
            return false;
    }
}

// The address of an entry is known as soon as the one above links its table, before the table's contents are.
void TranslationWatch::update() {
    entries_ = {};
    leaf_.reset();
    if (root_ == 0) return;
    uint64_t frame = root_;
    for (unsigned level = log::kTopLevel; level >= 1; --level) {
        const unsigned index = log::entry_index(va_, level);
        entries_[level] = frame + index * log::kEntryBytes;
        const log::ReplayTable* table = replay_.table(frame);
        const uint64_t value = table == nullptr ? 0 : table->entries[index];
        if (log::is_leaf(value, level)) {
            leaf_ = log::ReplayLeaf{va_ & ~(log::span_bytes(level) - 1), level, entries_[level], value};
            return;
        }
        if (!log::links_table(value, level)) return;
        frame = log::frame_of(value, level);
    }
}

}  // namespace forkscope::analysis
