// What each frame is.
#include "tools/panels/model/frame_map.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "emu/base/address.hpp"
#include "tools/panels/model/glow.hpp"

namespace forkscope::panels {

namespace {

// How user code maps a frame. A space is named by its place among the roots.
struct Mapped {
    uint32_t spaces = 0;
    uint32_t first = 0;
    uint32_t last = 0;
    bool writable = false;  // in any of them
};

// A kernel that boots maps memory at low addresses for itself; that does not count.
[[nodiscard]] std::unordered_map<uint64_t, Mapped> mapped_frames(const log::Replay& tables) {
    std::unordered_map<uint64_t, Mapped> result;
    uint32_t space = 0;
    for (const uint64_t root : tables.roots()) {
        tables.visit_leaves(root, analysis::kUserHalf, [&](const log::ReplayLeaf& leaf) {
            if (!log::is_user(leaf.value)) return;
            const uint64_t first = log::frame_of(leaf.value, leaf.level);
            // Of a page of 1 GiB the beginning stands for all.
            const uint64_t bytes = std::min(log::span_bytes(leaf.level), log::span_bytes(2));
            for (uint64_t frame = first; frame < first + bytes; frame += kPageSize) {
                Mapped& one = result[frame];
                one.writable |= log::is_writable(leaf.value);
                if (one.spaces != 0 && one.last == space) continue;
                if (one.spaces++ == 0) one.first = space;
                one.last = space;
            }
        });
        ++space;
    }
    return result;
}

// Owners are told by label, so that a task that executes another program stays the same colour as long as its
// name does.
struct Places {
    std::vector<uint8_t> of_space;  // by place among the roots
    std::vector<std::string> labels;
    std::vector<uint32_t> tids;
};

[[nodiscard]] uint32_t first_task_in(const analysis::TaskTable& tasks, uint64_t root) {
    for (const analysis::Task& task : tasks.all())
        if (task.root == root && !task.exit && task.tid != 0) return task.tid;
    return 0;
}

[[nodiscard]] Places places_of(const Moment& moment, const std::vector<uint64_t>& frames_of_space) {
    const std::vector<uint64_t> roots(moment.tables().roots().begin(), moment.tables().roots().end());
    std::map<std::string, uint64_t> frames;
    std::vector<std::string> labels;
    for (size_t i = 0; i < roots.size(); ++i) {
        labels.push_back(moment.tasks().space_label(roots[i]));
        frames[labels.back()] += frames_of_space[i];
    }
    std::vector<std::pair<uint64_t, std::string>> by_size;
    for (const auto& [label, count] : frames)
        if (count != 0) by_size.emplace_back(count, label);
    std::ranges::sort(by_size, std::greater<>());
    by_size.resize(std::min(by_size.size(), FrameMap::kMostOwners));
    Places places;
    for (const auto& [count, label] : by_size) places.labels.push_back(label);
    std::ranges::sort(places.labels);
    places.tids.resize(places.labels.size());
    for (size_t i = 0; i < labels.size(); ++i) {
        const auto found = std::ranges::find(places.labels, labels[i]);
        const bool listed = found != places.labels.end();
        const auto place = static_cast<size_t>(found - places.labels.begin());
        places.of_space.push_back(listed ? static_cast<uint8_t>(place + 1) : uint8_t{0});
        if (listed) places.tids[place] = first_task_in(moment.tasks(), roots[i]);
    }
    return places;
}

[[nodiscard]] std::unordered_map<uint64_t, uint8_t> table_levels(const log::Replay& tables) {
    std::unordered_map<uint64_t, uint8_t> levels;
    for (unsigned level = 1; level <= log::kTopLevel; ++level)
        for (const uint64_t frame : tables.tables_at(level)) levels[frame] = static_cast<uint8_t>(level);
    return levels;
}

// How brightly a frame glows: as the latest of the entries that lead to it.
[[nodiscard]] std::unordered_map<uint64_t, float> glowing_frames(const Moment& moment, uint64_t window) {
    std::unordered_map<uint64_t, float> glows;
    const Glow glow(moment, window);
    for (const auto& [address, change] : glow.changes()) {
        const log::Event& e = change.event;
        if (!log::is_leaf(e.b, e.level) || !log::is_lower_half(e.va)) continue;
        float& one = glows[log::frame_of(e.b, e.level)];
        one = std::max(one, change.glow);
    }
    return glows;
}

[[nodiscard]] FrameKind kind_of_announced(const AnnouncedFrame* told) {
    if (told == nullptr) return FrameKind::Unused;
    return told->use == abi::FrameUse::PageCache ? FrameKind::Cache : FrameKind::Kernel;
}

}  // namespace

FrameMap frames_at(const Moment& moment, const Overview& overview, uint64_t glow_window) {
    FrameMap map;
    map.cells.reserve(overview.seen_frames().size());
    const auto levels = table_levels(moment.tables());
    const auto mapped = mapped_frames(moment.tables());
    const auto glows = glowing_frames(moment, glow_window);
    std::vector<uint64_t> frames_of_space(moment.tables().roots().size());
    std::vector<std::pair<size_t, uint32_t>> owned;  // cell, space
    for (const uint64_t frame : overview.seen_frames()) {
        FrameCell cell;
        cell.frame = frame;
        if (const auto table = levels.find(frame); table != levels.end()) {
            cell.kind = FrameKind::Table;
            cell.level = table->second;
        } else if (const auto user = mapped.find(frame); user != mapped.end()) {
            cell.spaces = user->second.spaces;
            cell.kind = cell.spaces == 1 ? FrameKind::Own : FrameKind::Shared;
            cell.writable = user->second.writable;
            owned.emplace_back(map.cells.size(), user->second.first);
            ++frames_of_space[user->second.first];
        } else {
            cell.kind = kind_of_announced(moment.frames().find(frame));
        }
        if (const auto lit = glows.find(frame); lit != glows.end()) cell.glow = lit->second;
        ++map.counts[static_cast<size_t>(cell.kind)];
        if (cell.kind == FrameKind::Shared && !cell.writable) ++map.copy_on_write;
        map.cells.push_back(cell);
    }
    Places places = places_of(moment, frames_of_space);
    for (const auto& [cell, space] : owned) map.cells[cell].owner = places.of_space[space];
    map.owners = std::move(places.labels);
    map.owner_tids = std::move(places.tids);
    return map;
}

const char* name_of(FrameKind kind) {
    switch (kind) {
        case FrameKind::Unused:
            return "free now";
        case FrameKind::Table:
            return "page table";
        case FrameKind::Own:
            return "in one space";
        case FrameKind::Shared:
            return "shared";
        case FrameKind::Kernel:
            return "kernel's own";
        case FrameKind::Cache:
            return "page cache";
    }
    return "";
}

const char* use_text(abi::FrameUse use) {
    switch (use) {
        case abi::FrameUse::Anonymous:
            return "anonymous memory";
        case abi::FrameUse::PageCache:
            return "page cache";
        case abi::FrameUse::PageTable:
            return "page table";
        case abi::FrameUse::KernelStack:
            return "kernel stack";
        case abi::FrameUse::Slab:
            return "slab";
        case abi::FrameUse::Zero:
            return "the zero page";
        case abi::FrameUse::Other:
            break;
    }
    return "other";
}

}  // namespace forkscope::panels
