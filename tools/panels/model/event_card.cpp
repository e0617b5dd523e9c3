// An event in full.
#include "tools/panels/model/event_card.hpp"

#include <fmt/format.h>

#include "emu/log/event_names.hpp"
#include "tools/log/text/event_text.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/panels/model/tail.hpp"

namespace forkscope::panels {

using log::Event;
using log::EventKind;

namespace {

void add_entry_bits(EventCard& card, uint64_t before, uint64_t after) {
    struct Named {
        uint64_t mask;
        const char* name;
        const char* meaning;
    };
    constexpr Named kBits[] = {
        {log::kEntryPresent, "P", "present"},    {log::kEntryWritable, "W", "writable"},
        {log::kEntryUser, "U", "for user code"}, {log::kEntryAccessed, "A", "accessed"},
        {log::kEntryDirty, "D", "dirty"},        {log::kEntryGlobal, "G", "global"},
        {log::kEntryNoExecute, "NX", "no code"},
    };
    card.has_entries = true;
    for (const Named& bit : kBits)
        card.bits.push_back({bit.name, bit.meaning, (before & bit.mask) != 0, (after & bit.mask) != 0});
}

}  // namespace

EventCard card_of(const Moment& moment, const analysis::Symbolizer& symbols) {
    EventCard card;
    const RecentEvents& recent = moment.recent();
    if (recent.size() == 0) return card;
    const auto& [number, e] = recent.at(recent.size() - 1);
    const TailLine line = line_of(e, number, moment, symbols);
    card.number = number;
    card.title = line.kind_name;
    card.text = line.text;
    const auto fact = [&card](const char* name, std::string value) {
        if (!value.empty()) card.facts.emplace_back(name, std::move(value));
    };
    fact("who", line.who);
    fact("mode", e.cpl == 3 ? "user (CPL 3)" : fmt::format("kernel (CPL {})", e.cpl));
    fact("code (RIP)", e.rip == 0 ? "" : fmt::format("{:#x}  {}", e.rip, line.code));
    fact("root (CR3)", fmt::format("{:#x}  {}", e.root, moment.tasks().space_label(e.root)));
    if (e.space != 0 && e.space != e.root)
        fact("about space", fmt::format("{:#x}  {}", e.space, moment.tasks().space_label(e.space)));
    if (e.kind == EventKind::PteWrite || e.kind == EventKind::PteFound) {
        fact("address",
             fmt::format("{:#x}, {} from there", e.va, tools::bytes_text(log::span_bytes(e.level))));
        fact("entry", fmt::format("level {}, at {:#x}", e.level, e.pa));
        fact("value", e.kind == EventKind::PteWrite ? fmt::format("{:#x} → {:#x}", e.a, e.b)
                                                    : fmt::format("{:#x}", e.b));
        fact("cause", std::string(log::name_of(e.cause)));
        add_entry_bits(card, e.kind == EventKind::PteWrite ? e.a : e.b, e.b);
    } else if (e.va != 0 && e.kind != EventKind::Announce) {
        fact("address", fmt::format("{:#x}", e.va));
    }
    fact("instruction", tools::grouped(e.icount));
    return card;
}

}  // namespace forkscope::panels
