// What addresses an event is about.
#include "emu/log/event_filter.hpp"

namespace forkscope::log {

std::optional<VaRange> range_of(const Event& event) {
    switch (event.kind) {
        case EventKind::PteWrite:
        case EventKind::PteFound:
        case EventKind::TlbFill:
            return VaRange{event.va, event.va + (span_bytes(event.level) - 1)};
        case EventKind::TableLink:
        case EventKind::TableUnlink:
            // A table covers 512 entries of its level: all addresses at the top.
            if (event.level >= 4) return VaRange{};
            return VaRange{event.va, event.va + (span_bytes(event.level + 1u) - 1)};
        case EventKind::PageFault:
        case EventKind::FaultResolved:
        case EventKind::Finding:
            return VaRange{event.va, event.va};
        case EventKind::Flush:
            if (event.aux != static_cast<uint16_t>(FlushKind::Invlpg)) return std::nullopt;
            return VaRange{event.va, event.va};
        default:
            return std::nullopt;
    }
}

bool EventFilter::passes_va(const Event& event) const {
    const auto range = range_of(event);
    return range && range->first <= va->last && range->last >= va->first;
}

}  // namespace forkscope::log
