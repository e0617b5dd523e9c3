// Events as JSON objects.
#include <fmt/format.h>

#include "emu/log/entry_bits.hpp"
#include "emu/log/event_names.hpp"
#include "tools/log/text/decode.hpp"
#include "tools/log/text/entry_text.hpp"
#include "tools/log/text/event_text.hpp"
#include "tools/log/text/numbers.hpp"

namespace forkscope::tools {

using log::Event;
using log::EventKind;

namespace {

void add_entry(Json& json, const Event& e) {
    json["level"] = e.level;
    json["va"] = hex(e.va);
    json["entry"] = hex(e.pa);
    json["space"] = hex(e.space);
}

void add_fields(Json& json, const Event& e, const Names& names) {
    switch (e.kind) {
        case EventKind::PteWrite:
            add_entry(json, e);
            json["old"] = hex(e.a);
            json["new"] = hex(e.b);
            json["change"] = entry_difference(e.a, e.b, e.level);
            json["cause"] = cause_text(e.cause);
            return;
        case EventKind::PteFound:
            add_entry(json, e);
            json["value"] = hex(e.b);
            json["written"] = (e.flags & log::kWriterKnown) != 0
                                  ? Json{{"icount", e.a}, {"cause", cause_text(e.cause)}}
                                  : Json(nullptr);
            return;
        case EventKind::TableLink:
        case EventKind::TableUnlink:
            json["level"] = e.level;
            json["va"] = hex(e.va);
            json["table"] = hex(e.pa);
            json["space"] = hex(e.space);
            json["entry"] = e.a == 0 ? Json(nullptr) : Json(hex(e.a));
            json["references"] = e.b;
            json[e.kind == EventKind::TableLink ? "first" : "last"] = (e.flags & 1) != 0;
            return;
        case EventKind::TlbFill:
            json["level"] = e.level;
            json["va"] = hex(e.va);
            json["frame"] = hex(e.pa);
            json["value"] = hex(e.a);
            json["entry"] = hex(e.b);
            json["access"] = access_text(e.flags & 7);
            json["global"] = (e.flags & log::kGlobal) != 0;
            return;
        case EventKind::Flush:
            json["how"] = flush_text(e.aux);
            if (e.aux == static_cast<uint16_t>(log::FlushKind::Invlpg)) {
                json["va"] = hex(e.va);
            } else {
                json["old"] = hex(e.a);
                json["new"] = hex(e.b);
            }
            return;
        case EventKind::PageFault:
            json["va"] = hex(e.va);
            json["error_code"] = e.a;
            json["error"] = error_code_text(e.a);
            json["delivery"] = delivery_text(e.aux);
            json["level"] = e.level;
            json["entry"] = e.pa == 0 ? Json(nullptr) : Json(hex(e.pa));
            json["value"] = hex(e.b);
            return;
        case EventKind::FaultResolved:
            json["va"] = hex(e.va);
            json["fault_icount"] = e.a;
            json["value"] = hex(e.b);
            json["frame"] = hex(e.pa);
            return;
        case EventKind::Cr3Switch:
            json["old"] = hex(e.a);
            json["new"] = hex(e.b);
            return;
        case EventKind::Interrupt:
            json["vector"] = e.aux;
            json["name"] = vector_text(e.aux);
            json["hardware"] = (e.flags & log::kIntHardware) != 0;
            json["handler"] = hex(e.va);
            if ((e.flags & log::kHasErrorCode) != 0) json["error_code"] = e.a;
            return;
        case EventKind::Syscall:
            json["number"] = e.a;
            json["name"] = syscall_name(e.a);
            json["arguments"] = {hex(e.b), hex(e.va), hex(e.pa)};
            return;
        case EventKind::SyscallArguments:
            json["arguments"] = {hex(e.a), hex(e.b), hex(e.va)};
            return;
        case EventKind::SyscallReturn:
            json["number"] = e.a;
            json["name"] = syscall_name(e.a);
            json["result"] = static_cast<int64_t>(e.b);
            return;
        case EventKind::Announce:
            json["announcement"] = announcement_name(e.aux);
            json["words"] = {hex(e.a), hex(e.b), hex(e.va), hex(e.pa)};
            json["text"] = event_text(e, names);
            return;
        case EventKind::Finding:
            json["finding"] = finding_text(e.aux);
            json["level"] = e.level;
            json["va"] = hex(e.va);
            json["pa"] = hex(e.pa);
            json["expected"] = hex(e.a);
            json["present"] = hex(e.b);
            return;
        case EventKind::Audit:
            json["entries"] = e.a;
            json["hash"] = fmt::format("{:016x}", e.b);
            json["roots"] = e.va;
            json["differences"] = e.pa;
            return;
        case EventKind::RootDeath:
            json["table"] = hex(e.pa);
            json["why"] = root_death_text(e.aux);
            return;
        case EventKind::Stop:
            json["how"] = stop_text(e.aux);
            json["status"] = e.a;
            return;
        case EventKind::None:
            return;
    }
}

}  // namespace

void add_code(Json& json, const char* code, const char* source, const analysis::Symbolizer& symbols,
              uint64_t rip, unsigned cpl, std::string_view program) {
    const auto place = symbols.find(rip, cpl, program);
    json[code] = place ? place->name() : hex(rip);
    json[source] = place && place->line != nullptr ? Json(place->source()) : Json(nullptr);
}

Json event_json(const Event& e, uint64_t number, const Names& names) {
    Json json;
    json["event"] = number;
    json["icount"] = e.icount;
    json["cpu"] = e.cpu;
    json["cpl"] = e.cpl;
    json["task"] = e.task;
    json["name"] = names.program_of(e.task);
    json["root"] = hex(e.root);
    json["rip"] = hex(e.rip);
    add_code(json, "code", "source", names.symbols, e.rip, e.cpl, names.tasks.program_of(e));
    json["kind"] = log::name_of(e.kind);
    add_fields(json, e, names);
    return json;
}

}  // namespace forkscope::tools
