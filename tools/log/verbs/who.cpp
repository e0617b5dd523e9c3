// `log who`: the history of one translation.
#include "emu/log/replay.hpp"
#include "tools/log/analysis/translation_watch.hpp"
#include "tools/log/text/entry_text.hpp"
#include "tools/log/text/event_text.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/verbs/omitted.hpp"
#include "tools/log/verbs/past.hpp"
#include "tools/log/verbs/spaces.hpp"
#include "tools/log/verbs/verbs.hpp"

namespace forkscope::tools {

namespace {

using log::Event;
using log::EventKind;

constexpr log::KindMask kKinds = log::Replay::kKinds | analysis::TaskTable::kKinds |
                                 log::mask_of(EventKind::TlbFill) | log::mask_of(EventKind::Flush) |
                                 log::mask_of(EventKind::PageFault) | log::mask_of(EventKind::FaultResolved);

[[nodiscard]] std::string leaf_text(const std::optional<log::ReplayLeaf>& leaf, uint64_t va) {
    if (!leaf) return "nothing is mapped there";
    const uint64_t frame =
        log::frame_of(leaf->value, leaf->level) + (va & (log::span_bytes(leaf->level) - 1));
    return fmt::format("it leads to {:#x} ({})", frame, entry_text(leaf->value, leaf->level));
}

class History {
public:
    History(log::Reader& reader, const Query& query, Output& out, uint64_t va, std::optional<uint32_t> tid)
        : query_(query), out_(out), va_(va), tid_(tid), symbols_(reader.symbols()), watch_(replay_, va) {}

    // What is known before the first event that is told.
    void begin(log::Replay&& replay, analysis::TaskTable&& tasks, uint64_t root) {
        replay_ = std::move(replay);
        tasks_ = std::move(tasks);
        watch_.set_root(tid_ ? root_of(tasks_, *tid_) : root);
        if (query_.json) {
            out_.print("{{\"va\":{},\"history\":[", Json(hex(va_)).dump());
            return;
        }
        out_.print("{}\n", out_.paint(Style::Bold,
                                      fmt::format("{:>10} {:>15} {:<18} {:<12} {}", "event", "instructions",
                                                  "by", "kind", "what, and the code that did it")));
        if (watch_.root() != 0)
            say(fmt::format("space {:#x} ({}): {}", watch_.root(), tasks_.space_label(watch_.root()),
                            leaf_text(watch_.leaf(), va_)));
    }

    void apply(const Event& e, uint64_t number, bool fits) {
        const bool on_the_way = watch_.touches(e);
        const auto before = watch_.leaf();
        const bool about = on_the_way || concerns(e);
        replay_.apply(e, number);
        tasks_.apply(e, number);
        if (on_the_way) watch_.update();
        const bool counts = about && fits && omitted.take(query_.limit);
        if (about && !fits) ++omitted.by_filter;
        if (counts) {
            const auto& after = watch_.leaf();
            const bool moved = before.has_value() != after.has_value() ||
                               (before && (before->value != after->value || before->level != after->level));
            show(e, number, moved && after.has_value() != before.has_value());
        }
        follow_task(e);
    }

    void finish(log::Reader& reader) {
        if (query_.json) {
            Json json;
            json["mapped_at_end"] = watch_.leaf() ? Json(hex(watch_.leaf()->value)) : Json(nullptr);
            add_omitted(json, omitted, reader);
            out_.print("\n],{}\n", json_text(json).substr(1));
            return;
        }
        say(fmt::format("at the end {}", leaf_text(watch_.leaf(), va_)));
        print_omitted(omitted, "event", "events", query_, reader, out_);
    }

    Omitted omitted;

private:
    // What is about the page, and not about an entry on the way to it.
    [[nodiscard]] bool concerns(const Event& e) const {
        if (watch_.root() == 0 || e.root != watch_.root()) return false;
        switch (e.kind) {
            case EventKind::TlbFill:
                return va_ >= e.va && va_ - e.va < log::span_bytes(e.level);
            case EventKind::Flush:
                return e.aux == static_cast<uint16_t>(log::FlushKind::Invlpg) &&
                       e.va >> kPageShift == va_ >> kPageShift;
            case EventKind::PageFault:
            case EventKind::FaultResolved:
                return e.va >> kPageShift == va_ >> kPageShift;
            default:
                return false;
        }
    }

    void show(const Event& e, uint64_t number, bool appears_or_goes) {
        const Names names{symbols_, tasks_};
        if (query_.json) {
            Json json = event_json(e, number, names);
            json["space_watched"] = hex(watch_.root());
            json["mapped"] = watch_.leaf().has_value();
            out_.print("{}\n{}", told_++ == 0 ? "" : ",", json_text(json));
            return;
        }
        out_.print("{:>10} {:>15} {:<18} {:<12} {}  {}\n", number, grouped(e.icount), tasks_.label(e),
                   log::name_of(e.kind), event_text(e, names), out_.paint(Style::Dim, "@ " + names.code(e)));
        if (appears_or_goes) say(leaf_text(watch_.leaf(), va_));
    }

    void follow_task(const Event& e) {
        if (!tid_ || e.kind != EventKind::Announce) return;
        const uint64_t root = root_of(tasks_, *tid_);
        if (root == watch_.root()) return;
        watch_.set_root(root);
        if (!query_.json)
            say(fmt::format("task {} has space {:#x} from here on: {}", *tid_, root,
                            leaf_text(watch_.leaf(), va_)));
    }

    void say(const std::string& text) {
        out_.print("{:>45}{:<13}{}\n", "", "", out_.paint(Style::Cyan, "= " + text));
    }

    const Query& query_;
    Output& out_;
    uint64_t va_;
    std::optional<uint32_t> tid_;
    analysis::Symbolizer symbols_;
    log::Replay replay_;
    analysis::TaskTable tasks_;
    analysis::TranslationWatch watch_;
    uint64_t told_ = 0;
};

}  // namespace

Result<> log_who(log::Reader& reader, const Query& query, Output& out) {
    const log::EventFilter filter = TRY(filter_of(query, reader));
    const uint64_t va = TRY(parse_number(query.address));
    TRY_VOID(require_kinds(reader, query, log::Replay::kKinds & ~log::mask_of(EventKind::Audit)));
    if (query.task.empty() && query.root.empty())
        return fail("whose {}? Name a space: --task TID, or --root ADDRESS", query.address);
    if (!query.task.empty() && !query.root.empty())
        return fail("--task and --root both name a space; expected one of them");
    std::optional<uint32_t> tid;
    if (!query.task.empty()) tid = TRY(one_task_of(query, reader));
    const uint64_t root = filter.root.value_or(0);
    // Task and root choose the space, and everybody's writes to it are told.
    log::EventFilter told = filter;
    told.tasks.clear();
    told.root.reset();
    const uint64_t first = first_event_of(told, reader);
    History history(reader, query, out, va, tid);
    history.begin(log::replay_until(reader, first), tasks_before(reader, first), root);
    auto cursor = reader.events({.from_event = first, .kinds = kKinds});
    RangeEnd range(told, reader);
    while (cursor.next() && !range.reached(cursor, false)) {
        const bool fits =
            told.passes(cursor.event()) && (told.kinds & log::mask_of(cursor.event().kind)) != 0;
        history.apply(cursor.event(), cursor.number(), fits);
    }
    history.finish(reader);
    return {};
}

}  // namespace forkscope::tools
