// `log syscalls`: what each task asked of its kernel, as strace tells it.
#include <algorithm>
#include <map>

#include "tools/log/analysis/syscall_book.hpp"
#include "tools/log/text/decode.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/text/syscall_text.hpp"
#include "tools/log/verbs/omitted.hpp"
#include "tools/log/verbs/past.hpp"
#include "tools/log/verbs/verbs.hpp"

namespace forkscope::tools {

namespace {

using analysis::SystemCall;

// What `strace -c` counts, in instructions in the place of seconds.
struct Sum {
    uint64_t calls = 0;
    uint64_t errors = 0;
    uint64_t returned = 0;
    uint64_t instructions = 0;
    uint64_t longest = 0;
    uint64_t faults = 0;
    uint64_t pte_writes = 0;

    void add(const SystemCall& call) {
        ++calls;
        faults += call.faults;
        pte_writes += call.pte_writes;
        if (!call.returned) return;
        ++returned;
        if (call.elsewhere) return took(call);
        const auto result = static_cast<int64_t>(call.result);
        errors += result < 0 && result > -4096 ? 1 : 0;
        took(call);
    }

    void took(const SystemCall& call) {
        const uint64_t count = call.returned->icount - std::min(call.returned->icount, call.when.icount);
        instructions += count;
        longest = std::max(longest, count);
    }
};

[[nodiscard]] std::string who(const SystemCall& call) {
    return analysis::party_label(call.tid, call.name, call.root);
}

[[nodiscard]] std::string details(const SystemCall& call) {
    std::string text;
    if (call.returned) {
        text = fmt::format(
            "<{}", grouped(call.returned->icount - std::min(call.returned->icount, call.when.icount)));
        if (call.pte_writes != 0) text += fmt::format(", {} pte", grouped(call.pte_writes));
        if (call.faults != 0) text += fmt::format(", {}", counted(call.faults, "fault"));
        text +=
            call.elsewhere && syscall_name(call.number) != "rt_sigreturn" ? ">, to a signal handler" : ">";
    } else if (call.exit) {
        text = fmt::format("+++ {} +++", wait_status_text(call.exit->status));
    } else {
        text = "<unfinished>";
    }
    return text;
}

[[nodiscard]] Json call_json(const SystemCall& call) {
    Json json;
    json["event"] = call.when.event;
    json["icount"] = call.when.icount;
    json["task"] = call.tid;
    json["name"] = call.name;
    json["root"] = hex(call.root);
    json["rip"] = hex(call.rip);
    json["number"] = call.number;
    json["call"] = syscall_name(call.number);
    json["arguments"] = Json::array();
    for (unsigned i = 0; i < call.argument_count; ++i) json["arguments"].push_back(hex(call.arguments[i]));
    json["text"] = call_text(call);
    const bool known = call.returned && !call.elsewhere;
    json["result"] = known ? Json(static_cast<int64_t>(call.result)) : Json(nullptr);
    json["result_text"] = result_text(call);
    json["instructions"] = call.returned ? Json(call.returned->icount - call.when.icount) : Json(nullptr);
    json["pte_writes"] = call.pte_writes;
    json["faults"] = call.faults;
    json["exit"] = call.exit ? Json(wait_status_text(call.exit->status)) : Json(nullptr);
    return json;
}

using Sums = std::map<uint64_t, Sum>;

[[nodiscard]] std::vector<std::pair<uint64_t, Sum>> ordered(const Sums& sums) {
    std::vector<std::pair<uint64_t, Sum>> rows(sums.begin(), sums.end());
    std::ranges::stable_sort(rows, std::ranges::greater(),
                             [](const auto& row) { return row.second.instructions; });
    return rows;
}

void print_sums(const Sums& sums, Output& out) {
    uint64_t total = 0;
    for (const auto& [number, sum] : sums) total += sum.instructions;
    out.print("{}\n", out.paint(Style::Bold, fmt::format("{:>7} {:>15} {:>12} {:>9} {:>8} {:>10} {:>8}  {}",
                                                         "% time", "instructions", "per call", "calls",
                                                         "errors", "pte writes", "faults", "syscall")));
    for (const auto& [number, sum] : ordered(sums))
        out.print("{:>7.2f} {:>15} {:>12} {:>9} {:>8} {:>10} {:>8}  {}\n",
                  total == 0 ? 0 : 100 * static_cast<double>(sum.instructions) / static_cast<double>(total),
                  grouped(sum.instructions), grouped(sum.returned == 0 ? 0 : sum.instructions / sum.returned),
                  grouped(sum.calls), sum.errors == 0 ? "" : grouped(sum.errors), grouped(sum.pte_writes),
                  grouped(sum.faults), syscall_name(number));
}

[[nodiscard]] Json sums_json(const Sums& sums) {
    Json list = Json::array();
    for (const auto& [number, sum] : ordered(sums))
        list.push_back({{"call", syscall_name(number)},
                        {"number", number},
                        {"calls", sum.calls},
                        {"errors", sum.errors},
                        {"returned", sum.returned},
                        {"instructions", sum.instructions},
                        {"longest", sum.longest},
                        {"pte_writes", sum.pte_writes},
                        {"faults", sum.faults}});
    return list;
}

class Calls {
public:
    Calls(const Query& query, Output& out) : query_(query), out_(out) {
        if (query.json) {
            out.print("{{\"syscalls\":[");
        } else if (!query.summary) {
            out.print("{}\n", out.paint(Style::Bold, fmt::format("{:>15} {:<18} {}", "instructions", "who",
                                                                 "call = result <instructions it took>")));
        }
    }

    void add(const SystemCall& call) {
        sums_[call.number].add(call);
        if (query_.summary) {
            ++omitted.shown;
        } else if (omitted.take(query_.limit)) {
            show(call);
        }
    }

    void finish(log::Reader& reader) {
        if (query_.json) {
            Json json;
            json["sums"] = sums_json(sums_);
            add_omitted(json, omitted, reader);
            out_.print("\n],{}\n", json_text(json).substr(1));
            return;
        }
        if (query_.summary) print_sums(sums_, out_);
        print_omitted(omitted, "system call", "system calls", query_, reader, out_);
    }

    Omitted omitted;

private:
    void show(const SystemCall& call) {
        if (query_.json) {
            out_.print("{}\n{}", omitted.shown == 1 ? "" : ",", json_text(call_json(call)));
            return;
        }
        const std::string result = result_text(call);
        const Style style = result.starts_with("-1 ") ? Style::Red : Style::Plain;
        out_.print("{:>15} {:<18} {:<40} = {} {}\n", grouped(call.when.icount), who(call), call_text(call),
                   out_.paint(style, result), out_.paint(Style::Dim, details(call)));
    }

    const Query& query_;
    Output& out_;
    Sums sums_;
};

}  // namespace

Result<> log_syscalls(log::Reader& reader, const Query& query, Output& out) {
    const log::EventFilter filter = TRY(filter_of(query, reader));
    TRY_VOID(require_kinds(
        reader, query, log::mask_of(log::EventKind::Syscall) | log::mask_of(log::EventKind::SyscallReturn)));
    const uint64_t first = first_event_of(filter, reader);
    analysis::SyscallBook book(filter, tasks_before(reader, first));
    Calls calls(query, out);
    RangeEnd range(filter, reader);
    auto cursor = reader.events({.from_event = first, .kinds = analysis::SyscallBook::kKinds});
    while (cursor.next() && !range.reached(cursor, book.waits())) {
        book.apply(cursor.event(), cursor.number());
        while (const auto call = book.take(false)) calls.add(*call);
    }
    while (const auto call = book.take(true)) calls.add(*call);
    calls.omitted.filtered_from(reader.census().kinds[static_cast<size_t>(log::EventKind::Syscall)]);
    calls.finish(reader);
    return {};
}

}  // namespace forkscope::tools
