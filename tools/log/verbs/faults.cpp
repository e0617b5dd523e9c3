// `log faults`: every page fault, with what refused and why.
#include <map>

#include "tools/log/analysis/fault_book.hpp"
#include "tools/log/analysis/last_writes.hpp"
#include "tools/log/text/decode.hpp"
#include "tools/log/text/entry_text.hpp"
#include "tools/log/text/event_text.hpp"
#include "tools/log/text/fault_text.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/verbs/omitted.hpp"
#include "tools/log/verbs/past.hpp"
#include "tools/log/verbs/verbs.hpp"

namespace forkscope::tools {

namespace {

using analysis::Fault;
using analysis::LastWrite;

// Faults are explained in batches: each needs one walk backwards through the log for its writers.
constexpr size_t kBatch = 4096;

// A found entry whose writer is known, since the frame was watched before it became a table.
[[nodiscard]] bool writer_of_found(const log::Event& e) {
    return e.kind == log::EventKind::PteFound && (e.flags & log::kWriterKnown) != 0;
}

struct SumKey {
    const char* refusal;
    const char* access;
    const char* end;
    bool user = false;
    auto operator<=>(const SumKey& other) const {
        return std::tuple(std::string_view(refusal), std::string_view(access), std::string_view(end),
                          user) <=> std::tuple(std::string_view(other.refusal),
                                               std::string_view(other.access), std::string_view(other.end),
                                               other.user);
    }
};
struct Sum {
    uint64_t faults = 0;
    uint64_t resolved = 0;
    uint64_t instructions = 0;  // from fault to access
};

class Faults {
public:
    Faults(log::Reader& reader, const Query& query, Output& out)
        : reader_(reader), query_(query), out_(out), symbols_(reader.symbols()) {
        if (query.json) out.print("{{\"faults\":[");
    }

    void add(Fault&& fault) {
        Sum& sum = sums_[{refusal_name(fault.refusal), access_of(fault.event.a), fault_end_name(fault.end),
                          (fault.event.a & 4) != 0}];
        ++sum.faults;
        if (fault.resolved) {
            ++sum.resolved;
            sum.instructions += fault.resolved->icount - std::min(fault.resolved->icount, fault.event.icount);
        }
        if (query_.summary) {
            ++omitted.shown;
            return;
        }
        if (!omitted.take(query_.limit)) return;
        batch_.push_back(std::move(fault));
        if (batch_.size() == kBatch) show_batch();
    }

    void finish() {
        show_batch();
        if (query_.json) {
            Json json;
            json["sums"] = sums_json();
            add_omitted(json, omitted, reader_);
            out_.print("\n],{}\n", json_text(json).substr(1));
            return;
        }
        if (!sums_.empty()) print_sums();
        print_omitted(omitted, "fault", "faults", query_, reader_, out_);
    }

    Omitted omitted;

private:
    [[nodiscard]] std::string code(const log::Event& e, const std::string& program) const {
        return symbols_.text(e.rip, e.cpl, program);
    }

    void show_batch() {
        analysis::LastWrites writes;
        for (const Fault& fault : batch_) (void)writes.ask(fault.event.pa, fault.number);
        writes.find(reader_);
        for (size_t i = 0; i < batch_.size(); ++i) {
            const auto& write = writes.answers()[i];
            if (query_.json) {
                out_.print("{}\n{}", told_ == 0 ? "" : ",", json_text(fault_json(batch_[i], write)));
            } else {
                tell(batch_[i], write);
            }
            ++told_;
        }
        batch_.clear();
    }

    void tell(const Fault& fault, const std::optional<LastWrite>& write) {
        const log::Event& e = fault.event;
        out_.print("{:>15}  {} {} {:#x} from {}, {}, error {}\n", grouped(e.icount),
                   out_.paint(Style::Bold, analysis::party_label(e.task, fault.name, e.root)),
                   out_.paint(Style::Red, fmt::format("{}", access_of(e.a))), e.va,
                   (e.a & 4) != 0 ? "user code" : "the kernel", code(e, fault.program), error_code_text(e.a));
        line("refused", e.pa == 0 ? std::string(refusal_words(fault.refusal))
                                  : fmt::format("by the L{} entry at {:#x} ({}): {}", e.level, e.pa,
                                                entry_text(e.b, e.level), refusal_words(fault.refusal)));
        if (e.pa != 0) line("written", write_text(write, e));
        std::string end = fault_end_text(fault);
        if (fault.resolved)
            end += fmt::format(
                "; the {} went through {} later", access_of(e.a),
                counted(fault.resolved->icount - std::min(fault.resolved->icount, e.icount), "instruction"));
        if (e.aux != static_cast<uint16_t>(log::FaultDelivery::Delivered))
            end += "; it " + delivery_text(e.aux);
        line("end", end);
    }

    void line(const char* what, const std::string& text) {
        out_.print("{:>15}  {:<8} {}\n", "", out_.paint(Style::Dim, fmt::format("{:<8}", what)), text);
    }

    [[nodiscard]] std::string write_text(const std::optional<LastWrite>& write,
                                         const log::Event& fault) const {
        if (!write) return "never, as far as this log goes: the table was empty there from the start";
        const log::Event& e = write->event;
        const std::string ago = fmt::format(
            "{} before (event {})", counted(fault.icount - std::min(fault.icount, e.icount), "instruction"),
            write->number);
        if (writer_of_found(e))
            return fmt::format("by {} for task {}, {} before, while nobody used the table yet: {}",
                               symbols_.text(e.rip, e.cpl, ""), e.task,
                               counted(fault.icount - std::min(fault.icount, e.a), "instruction"),
                               entry_text(e.b, e.level));
        if (e.kind == log::EventKind::PteFound)
            return fmt::format("before the table was first seen in use, {}: it held {}", ago,
                               entry_text(e.b, e.level));
        const std::string who = e.task == 0 ? "" : fmt::format(" for task {}", e.task);
        return fmt::format("by {}{}, {}: {}", symbols_.text(e.rip, e.cpl, ""), who, ago,
                           entry_difference(e.a, e.b, e.level));
    }

    [[nodiscard]] Json fault_json(const Fault& fault, const std::optional<LastWrite>& write) const {
        const log::Event& e = fault.event;
        Json json;
        json["event"] = fault.number;
        json["icount"] = e.icount;
        json["task"] = e.task;
        json["name"] = fault.name;
        json["root"] = hex(e.root);
        json["va"] = hex(e.va);
        json["access"] = access_of(e.a);
        json["by_user"] = (e.a & 4) != 0;
        json["error"] = error_code_text(e.a);
        json["error_code"] = e.a;
        add_code(json, "code", "source", symbols_, e.rip, e.cpl, fault.program);
        json["refused_level"] = e.level;
        json["refused_entry"] = e.pa == 0 ? Json(nullptr) : Json(hex(e.pa));
        json["refused_value"] = hex(e.b);
        json["refusal"] = refusal_name(fault.refusal);
        json["bit"] = refusal_bit(fault.refusal);
        json["why"] = refusal_words(fault.refusal);
        json["last_write"] = nullptr;
        if (write) {
            Json& last = json["last_write"];
            last["event"] = write->number;
            last["icount"] = writer_of_found(write->event) ? write->event.a : write->event.icount;
            last["writer_known"] =
                write->event.kind == log::EventKind::PteWrite || writer_of_found(write->event);
            last["found"] = write->event.kind == log::EventKind::PteFound;
            last["task"] = write->event.task;
            last["old"] = hex(write->event.kind == log::EventKind::PteFound ? 0 : write->event.a);
            last["new"] = hex(write->event.b);
            add_code(last, "code", "source", symbols_, write->event.rip, write->event.cpl, "");
        }
        json["end"] = fault_end_name(fault.end);
        json["end_text"] = fault_end_text(fault);
        json["resolved"] = fault.resolved ? Json({{"event", fault.resolved->event},
                                                  {"icount", fault.resolved->icount},
                                                  {"leaf", hex(fault.leaf)}})
                                          : Json(nullptr);
        return json;
    }

    void print_sums() {
        out_.print("{}{}\n", told_ == 0 ? "" : "\n",
                   out_.paint(Style::Bold, fmt::format("{:>10}  {:<8} {:<6} {:<13} {:<12} {:>12}", "faults",
                                                       "by", "access", "refused by", "end", "instructions")));
        for (const auto& [key, sum] : sums_)
            out_.print("{:>10}  {:<8} {:<6} {:<13} {:<12} {:>12}\n", grouped(sum.faults),
                       key.user ? "user" : "kernel", key.access, key.refusal, key.end,
                       sum.resolved == 0 ? "-" : grouped(sum.instructions / sum.resolved));
    }

    [[nodiscard]] Json sums_json() const {
        Json list = Json::array();
        for (const auto& [key, sum] : sums_)
            list.push_back({{"refusal", key.refusal},
                            {"access", key.access},
                            {"by_user", key.user},
                            {"end", key.end},
                            {"faults", sum.faults},
                            {"resolved", sum.resolved},
                            {"instructions", sum.instructions}});
        return list;
    }

    log::Reader& reader_;
    const Query& query_;
    Output& out_;
    analysis::Symbolizer symbols_;
    std::vector<Fault> batch_;
    uint64_t told_ = 0;
    std::map<SumKey, Sum> sums_;
};

}  // namespace

Result<> log_faults(log::Reader& reader, const Query& query, Output& out) {
    const log::EventFilter filter = TRY(filter_of(query, reader));
    TRY_VOID(require_kinds(reader, query,
                           analysis::FaultBook::kKinds | log::mask_of(log::EventKind::PteWrite) |
                               log::mask_of(log::EventKind::PteFound)));
    const uint64_t first = first_event_of(filter, reader);
    analysis::FaultBook book(filter, tasks_before(reader, first));
    Faults faults(reader, query, out);
    RangeEnd range(filter, reader);
    auto cursor = reader.events({.from_event = first, .kinds = analysis::FaultBook::kKinds});
    while (cursor.next() && !range.reached(cursor, book.waits())) {
        book.apply(cursor.event(), cursor.number());
        while (auto fault = book.take(false)) faults.add(std::move(*fault));
    }
    while (auto fault = book.take(true)) faults.add(std::move(*fault));
    faults.omitted.filtered_from(reader.census().kinds[static_cast<size_t>(log::EventKind::PageFault)]);
    faults.finish();
    return {};
}

}  // namespace forkscope::tools
