// `log frame`: the life of one frame of RAM.
#include "tools/log/analysis/frame_history.hpp"

#include "tools/log/text/entry_text.hpp"
#include "tools/log/text/event_text.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/verbs/omitted.hpp"
#include "tools/log/verbs/verbs.hpp"

namespace forkscope::tools {

namespace {

using analysis::FrameChange;
using analysis::FrameNote;

struct Word {
    const char* name;
    Style style;
};

[[nodiscard]] Word word_of(FrameChange change) {
    switch (change) {
        case FrameChange::Mapped:
            return {"mapped", Style::Green};
        case FrameChange::Found:
            return {"found", Style::Green};
        case FrameChange::Changed:
            return {"changed", Style::Yellow};
        case FrameChange::Unmapped:
            return {"unmapped", Style::Red};
        case FrameChange::Vanished:
            return {"vanished", Style::Red};
        case FrameChange::Linked:
            return {"table+", Style::Blue};
        case FrameChange::Unlinked:
            return {"table-", Style::Blue};
        case FrameChange::Filled:
            return {"tlb-fill", Style::Dim};
        case FrameChange::Announced:
            return {"guest", Style::Cyan};
    }
    return {"", Style::Plain};
}

[[nodiscard]] std::string place_text(const FrameNote& note, const analysis::TaskTable& tasks) {
    std::string text = fmt::format("{:#x} in {}", note.mapping.va, tasks.space_label(note.mapping.space));
    if (note.mapping.level != 1)
        text += fmt::format(", within {}", bytes_text(log::span_bytes(note.mapping.level)));
    return text;
}

[[nodiscard]] std::string note_text(const FrameNote& note, const log::Event& e, const Names& names) {
    const unsigned level = note.mapping.level;
    switch (note.change) {
        case FrameChange::Mapped:
        case FrameChange::Found:
            return fmt::format("at {}  {}", place_text(note, names.tasks),
                               entry_text(note.mapping.value, level));
        case FrameChange::Changed:
            return fmt::format("at {}  {}", place_text(note, names.tasks),
                               entry_change(note.before, note.mapping.value, level));
        case FrameChange::Unmapped:
            return fmt::format("from {}", place_text(note, names.tasks));
        case FrameChange::Vanished:
            return fmt::format("at {}: the table that held the entry is gone", place_text(note, names.tasks));
        case FrameChange::Filled:
            return fmt::format("for {}  {}", place_text(note, names.tasks),
                               entry_text(note.mapping.value, level));
        case FrameChange::Linked:
        case FrameChange::Unlinked:
        case FrameChange::Announced:
            return event_text(e, names);
    }
    return "";
}

[[nodiscard]] Json mapping_json(const analysis::FrameMapping& mapping) {
    return {{"va", hex(mapping.va)},
            {"level", mapping.level},
            {"space", hex(mapping.space)},
            {"entry", hex(mapping.entry)},
            {"value", hex(mapping.value)}};
}

[[nodiscard]] Json note_json(const FrameNote& note, const log::Event& e, uint64_t number,
                             const Names& names) {
    Json json = event_json(e, number, names);
    json["change"] = word_of(note.change).name;
    json["text"] = note_text(note, e, names);
    if (note.change != FrameChange::Announced) json["mapping"] = mapping_json(note.mapping);
    json["mappings"] = note.mappings;
    json["table_references"] = note.tables;
    return json;
}

class Biography {
public:
    Biography(const Query& query, Output& out, const Names& names, uint64_t frame)
        : query_(query), out_(out), names_(names) {
        if (query.json) {
            out.print("{{\"frame\":{},\"history\":[", Json(hex(frame)).dump());
            return;
        }
        out.print("{}\n{}\n", out.paint(Style::Bold, fmt::format("The life of frame {:#x}", frame)),
                  out.paint(Style::Bold, fmt::format("{:>10} {:>15} {:>4}  {:<18} {:<9} {}", "event",
                                                     "instructions", "maps", "by", "what", "where")));
    }

    void add(const FrameNote& note, const log::Event& e, uint64_t number) {
        if (!omitted.take(query_.limit)) return;
        if (query_.json) {
            out_.print("{}\n{}", omitted.shown == 1 ? "" : ",",
                       json_text(note_json(note, e, number, names_)));
            return;
        }
        const Word word = word_of(note.change);
        out_.print("{:>10} {:>15} {:>4}  {:<18} {} {}  {}\n", number, grouped(e.icount), note.mappings,
                   names_.tasks.label(e), out_.paint(word.style, fmt::format("{:<9}", word.name)),
                   note_text(note, e, names_), out_.paint(Style::Dim, "@ " + names_.code(e)));
    }

    void finish(const analysis::FrameHistory& history, log::Reader& reader) {
        if (query_.json) {
            Json json;
            json["mapped_at_end"] = Json::array();
            for (const auto& [entry, mapping] : history.mappings())
                json["mapped_at_end"].push_back(mapping_json(mapping));
            json["most_mappings"] = history.most_mappings();
            json["was_table"] = history.was_table();
            add_omitted(json, omitted, reader);
            out_.print("\n],{}\n", json_text(json).substr(1));
            return;
        }
        if (omitted.shown + omitted.by_limit + omitted.by_filter == 0) {
            out_.print("Nothing in this log ever pointed to it.\n");
            print_reservations(reader, out_);
            return;
        }
        print_omitted(omitted, "change", "changes", query_, reader, out_);
        out_.print("Mapped at most {} at once, and {} at the end{}.\n",
                   counted(history.most_mappings(), "time"), counted(history.mappings().size(), "time"),
                   history.was_table() ? "; it also was a page table" : "; it never was a page table");
    }

    Omitted omitted;

private:
    const Query& query_;
    Output& out_;
    const Names& names_;
};

}  // namespace

Result<> log_frame(log::Reader& reader, const Query& query, Output& out) {
    const log::EventFilter filter = TRY(filter_of(query, reader));
    const uint64_t address = TRY(parse_number(query.address));
    constexpr log::KindMask kNeeded =
        log::mask_of(log::EventKind::PteWrite) | log::mask_of(log::EventKind::PteFound) |
        log::mask_of(log::EventKind::TableLink) | log::mask_of(log::EventKind::TableUnlink);
    TRY_VOID(require_kinds(reader, query, kNeeded));
    const analysis::Symbolizer symbols(reader.symbols());
    analysis::TaskTable tasks;
    analysis::FrameHistory history(address);
    const Names names{symbols, tasks};
    Biography biography(query, out, names, history.frame());
    auto cursor = reader.events({.kinds = analysis::FrameHistory::kKinds});
    while (cursor.next()) {
        const log::Event& e = cursor.event();
        const uint64_t number = cursor.number();
        const bool fits = filter.passes(e) && (filter.kinds & log::mask_of(e.kind)) != 0 &&
                          number >= filter.from_event && number <= filter.to_event;
        for (const FrameNote& note : history.apply(e)) {
            if (fits) {
                biography.add(note, e, number);
            } else {
                ++biography.omitted.by_filter;
            }
        }
        tasks.apply(e, number);
    }
    biography.finish(history, reader);
    return {};
}

}  // namespace forkscope::tools
