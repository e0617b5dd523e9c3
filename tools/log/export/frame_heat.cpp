// Sampling.
#include "tools/log/export/frame_heat.hpp"

#include <algorithm>

#include "tools/log/analysis/table_rows.hpp"

namespace forkscope::tools {

namespace {

// A frame beyond 1 TiB is no RAM of a machine that we know, but may stand in a damaged entry.
constexpr uint64_t kMostFrames = uint64_t{1} << 28;

}  // namespace

void FrameHeat::mark(uint64_t frame, uint64_t frames) {
    const uint64_t first = frame >> kPageShift;
    const uint64_t end = std::min(first + frames, kMostFrames);
    if (first >= end) return;
    if (seen_.size() < end) seen_.resize(end);
    for (uint64_t i = first; i < end; ++i) seen_[i] = true;
}

void FrameHeat::saw(const log::Event& e) {
    if (e.kind == log::EventKind::TableLink) return mark(e.pa, 1);
    if (!log::is_lower_half(e.va) || !log::is_leaf(e.b, e.level) || !log::is_user(e.b)) return;
    mark(log::frame_of(e.b, e.level), log::span_bytes(e.level) >> kPageShift);
}

void FrameHeat::settle_rows() {
    for (uint64_t i = 0; i < seen_.size(); ++i)
        if (seen_[i]) frames_.push_back(i);
    frames_a_row_ = std::max<uint64_t>(1, (frames_.size() + kMostRows - 1) / kMostRows);
    seen_ = {};
}

template <typename Visit>
void FrameHeat::each_place(uint64_t frame, uint64_t frames, Visit&& visit) const {
    const uint64_t first = frame >> kPageShift;
    auto at = std::ranges::lower_bound(frames_, first);
    for (; at != frames_.end() && *at < first + frames; ++at)
        visit(static_cast<size_t>(at - frames_.begin()));
}

uint32_t FrameHeat::owner_number(const std::string& label) {
    const auto [place, is_new] =
        owner_numbers_.try_emplace(label, static_cast<uint32_t>(owner_numbers_.size() + 1));
    if (is_new) owner_frames_.push_back(0);
    return place->second;
}

// Work is spread over the columns: one that would take more than its share is left out.
bool FrameHeat::affords_sample() {
    const size_t column = columns_.size() + samples_left_out_ + 1;
    if (visits_ + last_visits_ <= kMostVisits / kColumns * column) return true;
    ++samples_left_out_;
    return false;
}

void FrameHeat::sample(uint64_t icount, const log::Replay& tables, const analysis::TaskTable& tasks) {
    if (frames_.empty()) settle_rows();
    if (!affords_sample()) return;
    std::vector<Used> used(frames_.size());
    last_visits_ = 0;
    uint32_t space = 0;
    for (const uint64_t root : tables.roots()) {
        ++space;
        const uint32_t owner = owner_number(tasks.space_label(root));
        tables.visit_leaves(root, analysis::kUserHalf, [&](const log::ReplayLeaf& leaf) {
            ++last_visits_;
            // A kernel that boots maps memory at low addresses, for itself.
            if (!log::is_user(leaf.value)) return;
            const auto take = [&](size_t place) {
                Used& frame = used[place];
                if (frame.last_space == space) return;
                frame.last_space = space;
                if (frame.spaces++ == 0) frame.owner = owner;
            };
            each_place(log::frame_of(leaf.value, leaf.level), log::span_bytes(leaf.level) >> kPageShift,
                       take);
        });
    }
    for (unsigned level = 1; level <= log::kTopLevel; ++level)
        for (const uint64_t frame : tables.tables_at(level))
            each_place(frame, 1, [&](size_t place) { used[place].table = true; });
    visits_ += last_visits_;
    Column column;
    column.icount = icount;
    fill_column(column, used);
    columns_.push_back(std::move(column));
}

void FrameHeat::fill_column(Column& column, const std::vector<Used>& used) {
    std::vector<uint32_t> owners;
    for (size_t first = 0; first < used.size(); first += frames_a_row_) {
        std::array<uint64_t, kUses> uses{};
        std::map<uint32_t, uint64_t> by_owner;
        const size_t end = std::min(used.size(), first + frames_a_row_);
        for (size_t i = first; i < end; ++i) {
            const Used& frame = used[i];
            const Use use = frame.table ? Use::Table : static_cast<Use>(std::min<uint32_t>(frame.spaces, 3));
            ++uses[static_cast<size_t>(use)];
            if (use == Use::One) ++by_owner[frame.owner];
        }
        Cell cell;
        const auto most = std::max_element(uses.begin() + 1, uses.end());
        cell.used = static_cast<uint16_t>(std::min<uint64_t>(end - first - uses[0], 0xffff));
        if (*most != 0) cell.use = static_cast<Use>(most - uses.begin());
        uint32_t owner = 0;
        if (cell.use == Use::One)
            owner =
                std::ranges::max_element(by_owner, {}, &std::pair<const uint32_t, uint64_t>::second)->first;
        for (const auto& [number, frames] : by_owner) owner_frames_[number] += frames;
        for (size_t i = 0; i < kUses; ++i) column.frames[i] += uses[i];
        column.cells.push_back(cell);
        owners.push_back(owner);
    }
    owner_cells_.push_back(std::move(owners));
}

void FrameHeat::finish() {
    std::vector<std::pair<uint64_t, std::string>> by_frames;
    for (const auto& [label, number] : owner_numbers_) by_frames.emplace_back(owner_frames_[number], label);
    std::ranges::sort(by_frames, std::greater<>());
    std::vector<uint8_t> places(owner_numbers_.size() + 1);
    for (const auto& [frames, label] : by_frames) {
        if (owners_.size() == kMostOwners || frames == 0) break;
        owners_.push_back(label);
        places[owner_numbers_.at(label)] = static_cast<uint8_t>(owners_.size());
    }
    for (size_t column = 0; column < columns_.size(); ++column)
        for (size_t row = 0; row < columns_[column].cells.size(); ++row)
            columns_[column].cells[row].owner = places[owner_cells_[column][row]];
}

std::vector<uint64_t> FrameHeat::rows() const {
    std::vector<uint64_t> rows;
    for (size_t i = 0; i < frames_.size(); i += frames_a_row_) rows.push_back(frames_[i] << kPageShift);
    return rows;
}

}  // namespace forkscope::tools
