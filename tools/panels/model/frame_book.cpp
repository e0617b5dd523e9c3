// Announcements of frames.
#include "tools/panels/model/frame_book.hpp"

#include "emu/base/address.hpp"

namespace forkscope::panels {

void FrameBook::apply(const log::Event& e) {
    if (e.kind != log::EventKind::Announce) return;
    const uint64_t frame = e.a & ~kPageOffsetMask;
    switch (static_cast<abi::Announcement>(e.aux)) {
        case abi::Announcement::FrameAlloc: {
            AnnouncedFrame& told = used_[frame];
            told = {static_cast<abi::FrameUse>(e.b), static_cast<uint32_t>(e.va), told.references};
            return;
        }
        case abi::Announcement::FrameFree:
            used_.erase(frame);
            return;
        case abi::Announcement::FrameRefs: {
            const uint32_t references = abi::references_of(e.b);
            if (references != 0) used_[frame].references = references;
            return;
        }
        default:
            return;
    }
}

}  // namespace forkscope::panels
