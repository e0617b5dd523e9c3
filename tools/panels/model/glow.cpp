// Going back over the last events.
#include "tools/panels/model/glow.hpp"

#include <algorithm>

namespace forkscope::panels {

Glow::Glow(const Moment& moment, uint64_t window) {
    const RecentEvents& recent = moment.recent();
    const uint64_t now = moment.next_event();
    for (size_t i = recent.size(); i > 0; --i) {
        const NumberedEvent& one = recent.at(i - 1);
        const uint64_t age = now - one.number;
        if (age > window) return;
        const bool found = one.event.kind == log::EventKind::PteFound;
        if (one.event.kind != log::EventKind::PteWrite && !found) continue;
        const auto [place, is_last] = changes_.try_emplace(one.event.pa);
        Change& change = place->second;
        // What software wrote says more than that the CPU set a bit afterwards.
        const bool says_more = change.event.cause >= log::Cause::HardwareAccessed &&
                               change.event.cause <= log::Cause::HardwareDirty &&
                               one.event.cause == log::Cause::Software;
        if (is_last || says_more) {
            change.number = one.number;
            change.before = found ? 0 : one.event.a;
            change.event = one.event;
        }
        if (!is_last) continue;
        change.glow = 1.0f - static_cast<float>(age - 1) / static_cast<float>(std::max<uint64_t>(window, 1));
    }
}

}  // namespace forkscope::panels
