// What the guest says of its frames of memory: what each is used for, who pays for it, how many hold it.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "emu/log/event.hpp"
#include "guest/abi/event_port.hpp"

namespace forkscope::panels {

struct AnnouncedFrame {
    abi::FrameUse use = abi::FrameUse::Other;
    uint32_t task = 0;        // that it is charged to; 0: nobody
    uint32_t references = 0;  // 0: never told
};

class FrameBook {
public:
    void apply(const log::Event& event);
    // Frames in use, by physical address.
    [[nodiscard]] const std::unordered_map<uint64_t, AnnouncedFrame>& used() const { return used_; }
    [[nodiscard]] const AnnouncedFrame* find(uint64_t frame) const {
        const auto found = used_.find(frame);
        return found == used_.end() ? nullptr : &found->second;
    }

private:
    std::unordered_map<uint64_t, AnnouncedFrame> used_;
};

}  // namespace forkscope::panels
