// Going backwards.
#include "tools/log/analysis/last_writes.hpp"

#include <algorithm>

namespace forkscope::analysis {

using log::EventKind;

size_t LastWrites::ask(uint64_t entry, uint64_t before) {
    open_[entry].push_back({answers_.size(), before});
    answers_.emplace_back();
    return answers_.size() - 1;
}

// In a chunk events come forwards: a later one takes the place of an earlier one.
void LastWrites::look(const log::Event& e, uint64_t number) {
    const bool by_cpu = e.cause == log::Cause::HardwareAccessed || e.cause == log::Cause::HardwareDirty;
    if (by_cpu && e.kind == EventKind::PteWrite) return;
    const auto found = open_.find(e.pa);
    if (found == open_.end()) return;
    for (const Question& question : found->second)
        if (number < question.before) answers_[question.place] = LastWrite{e, number};
}

void LastWrites::find(log::Reader& reader) {
    uint64_t latest = 0;
    for (const auto& [entry, questions] : open_)
        for (const Question& question : questions) latest = std::max(latest, question.before);
    const auto& chunks = reader.chunks();
    for (size_t i = chunks.size(); i > 0 && !open_.empty(); --i) {
        const log::IndexEntry& chunk = chunks[i - 1];
        if (chunk.count == 0 || chunk.first_event >= latest) continue;
        auto cursor =
            reader.events({.from_event = chunk.first_event,
                           .to_event = chunk.first_event + chunk.count - 1,
                           .kinds = log::mask_of(EventKind::PteWrite) | log::mask_of(EventKind::PteFound)});
        while (cursor.next()) look(cursor.event(), cursor.number());
        for (auto at = open_.begin(); at != open_.end();) {
            std::erase_if(at->second, [this](const Question& q) { return answers_[q.place].has_value(); });
            at = at->second.empty() ? open_.erase(at) : std::next(at);
        }
    }
}

}  // namespace forkscope::analysis
