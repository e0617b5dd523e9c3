#include "emu/check/engine.hpp"

#include "emu/check/freed_while_mapped.hpp"
#include "emu/check/lost_dirty.hpp"
#include "emu/check/redundant_flush.hpp"
#include "emu/check/refcount.hpp"
#include "emu/check/stale_tlb.hpp"
#include "emu/check/unannounced_table.hpp"
#include "emu/check/writable_twice.hpp"

namespace forkscope::check {

namespace {

constexpr CheckSet kStale = set_of(log::Finding::StaleTlbUser) | set_of(log::Finding::StaleTlbKernel);
// What the books are kept from.
constexpr log::KindMask kBookKinds =
    log::mask_of(log::EventKind::PteWrite) | log::mask_of(log::EventKind::TableLink) |
    log::mask_of(log::EventKind::TableUnlink) | log::mask_of(log::EventKind::PteFound) |
    log::mask_of(log::EventKind::Announce) | log::mask_of(log::EventKind::Flush);

}  // namespace

template <typename Kind, typename... Arguments>
void Engine::add(const Arguments&... arguments) {
    checks_.push_back(std::make_unique<Kind>(books_, listener_, arguments...));
    for (unsigned kind = 0; kind < by_kind_.size(); ++kind)
        if ((Kind::kKinds & log::mask_of(static_cast<log::EventKind>(kind))) != 0)
            by_kind_[kind].push_back(checks_.back().get());
}

Engine::Engine(CheckSet wanted, FindingListener& listener) : listener_(listener) {
    const auto wants = [wanted](log::Finding what) { return (wanted & set_of(what)) != 0; };
    if ((wanted & kStale) != 0) add<StaleTlb>(wanted);
    if (wants(log::Finding::RedundantFlush)) add<RedundantFlush>();
    // Before the others about frames: of a frame that is counted wrongly all else is to be expected.
    if (wants(log::Finding::Refcount)) add<Refcount>();
    if (wants(log::Finding::WritableTwice)) add<WritableTwice>();
    if (wants(log::Finding::FreedWhileMapped)) add<FreedWhileMapped>();
    if (wants(log::Finding::UnannouncedTable)) add<UnannouncedTable>();
    if (wants(log::Finding::LostDirty)) add<LostDirty>();
}

log::KindMask Engine::kinds_for(CheckSet wanted) {
    log::KindMask kinds = kBookKinds | kUserSigns;
    if ((wanted & kStale) != 0) kinds |= StaleTlb::kKinds;
    if ((wanted & set_of(log::Finding::LostDirty)) != 0) kinds |= LostDirty::kKinds;
    if ((wanted & set_of(log::Finding::Refcount)) != 0) kinds |= Refcount::kKinds;
    return kinds;
}

void Engine::apply(const log::Event& event, uint64_t number) {
    const auto kind = static_cast<size_t>(event.kind);
    if (kind >= by_kind_.size()) return;
    if (event.cpl == kUserPrivilege)
        for (const auto& check : checks_) check->user_mode(event, number);
    for (Check* check : by_kind_[kind]) check->event(event, number);
    switch (event.kind) {
        case log::EventKind::PteWrite:
            books_.writes.apply(event, number);
            books_.tables.apply(event, number);
            break;
        case log::EventKind::TableLink:
        case log::EventKind::TableUnlink:
        case log::EventKind::PteFound:
            books_.tables.apply(event, number);
            break;
        case log::EventKind::Flush:
            books_.writes.apply(event, number);
            break;
        case log::EventKind::Announce:
            books_.frames.announce(event);
            break;
        default:
            break;
    }
}

}  // namespace forkscope::check
