#include "emu/check/frame_book.hpp"

#include <algorithm>

#include "emu/base/address.hpp"
#include "emu/log/entry_bits.hpp"

namespace forkscope::check {

Frame* FrameBook::find(uint64_t pa) {
    const auto found = frames_.find(pa >> kPageShift);
    return found == frames_.end() ? nullptr : &found->second;
}

std::vector<uint64_t> FrameBook::all() const {
    std::vector<uint64_t> known;
    known.reserve(frames_.size());
    for (const auto& [number, frame] : frames_) known.push_back(number << kPageShift);
    std::ranges::sort(known);
    return known;
}

void FrameBook::announce(const log::Event& event) {
    const auto what = static_cast<abi::Announcement>(event.aux);
    if (what != abi::Announcement::FrameAlloc && what != abi::Announcement::FrameFree &&
        what != abi::Announcement::FrameRefs)
        return;
    Frame* frame = &at(event.a);
    switch (what) {
        case abi::Announcement::FrameAlloc:
            frame->state = FrameState::Allocated;
            frame->use = static_cast<abi::FrameUse>(event.b);
            frame->references = 1;
            frame->reported = false;
            frame->was_mapped = false;
            break;
        case abi::Announcement::FrameFree:
            frame->state = FrameState::Free;
            frame->references = 0;
            break;
        case abi::Announcement::FrameRefs:
            frame->references = abi::references_of(event.b);
            break;
        default:
            break;
    }
}

void FrameBook::map(uint64_t entry, const CodePoint& by) {
    Frame* frame = &at(log::frame_of(entry, 1));
    ++frame->mappings;
    frame->writable += log::is_writable(entry);
    frame->was_mapped = true;
    frame->last_mapped = by;
    if (log::is_writable(entry)) frame->last_writable = by;
}

void FrameBook::unmap(uint64_t entry, const CodePoint& by) {
    Frame* frame = find(log::frame_of(entry, 1));
    // A log may begin in the middle.
    if (frame == nullptr || frame->mappings == 0) return;
    --frame->mappings;
    if (log::is_writable(entry) && frame->writable != 0) --frame->writable;
    frame->last_unmapped = by;
}

}  // namespace forkscope::check
