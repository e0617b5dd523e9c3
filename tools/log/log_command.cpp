// The command line of `forkscope log`.
#include "tools/log/log_command.hpp"

#include <fmt/format.h>

#include <memory>

#include "emu/base/say.hpp"
#include "tools/log/verbs/verbs.hpp"

namespace forkscope::tools {

namespace {

using Verb = Result<> (*)(log::Reader&, const Query&, Output&);

// `log story 3 F.mmu` is as good as `log story F.mmu 3`.
void put_file_first(Query& query) {
    if (!query.fork.empty() && parse_number(query.file) && !parse_number(query.fork))
        std::swap(query.file, query.fork);
}

void run(Verb verb, Query& query) {
    put_file_first(query);
    Output out(stdout);
    bool whole = true;
    const auto done = [&]() -> Result<> {
        auto reader = TRY(log::Reader::open(query.file));
        TRY_VOID(verb(*reader, query, out));
        if (!out.flush()) return fail("the output could not be written");
        whole = reader->damage().none();
        return {};
    }();
    if (done && whole) return;
    if (done) throw CLI::RuntimeError(static_cast<int>(ExitStatus::NotWhole));
    (void)out.flush();
    say("forkscope: {}", done.error().message);
    throw CLI::RuntimeError(static_cast<int>(done.error().status));
}

enum FilterOption : unsigned {
    kTime = 1,
    kTask = 2,
    kRoot = 4,
    kEvents = 8,  // va, kind, level
};

void add_filters(CLI::App& verb, Query& query, unsigned which) {
    if ((which & kTime) != 0) {
        verb.add_option("--from", query.from, "Begin at this instruction count")->type_name("N");
        verb.add_option("--to", query.to, "End with this instruction count")->type_name("N");
    }
    if ((which & kTask) != 0)
        verb.add_option("--task", query.task, "Only this task, by number or by name")->type_name("TID|NAME");
    if ((which & kRoot) != 0)
        verb.add_option("--root", query.root, "Only this address space, by its top page table (CR3)")
            ->type_name("ADDRESS");
    if ((which & kEvents) != 0) {
        verb.add_option(
                "--va", query.va,
                "Only events about these virtual addresses: a page, or a range with both ends; entries\n"
                "count with all that they cover. Leaves out what the guest announces")
            ->type_name("ADDRESS[-ADDRESS]");
        verb.add_option("--kind", query.kind,
                        "Only these kinds: pte-write, table-link, table-unlink, pte-found, tlb-fill, flush,\n"
                        "fault, resolved, cr3, interrupt, syscall, sysret, announce, finding, audit,\n"
                        "root-death, stop")
            ->type_name("LIST");
        verb.add_option("--level", query.level, "Only this level: 1 (4 KiB pages) to 4 (top)")
            ->type_name("N");
    }
}

struct VerbSpec {
    const char* name;
    const char* help;
    const char* examples;
    Verb verb;
    unsigned filters;
    uint64_t limit;
    const char* limit_help;  // null: no --limit
};

CLI::App& add_verb(CLI::App& log, const VerbSpec& spec) {
    CLI::App& app = *log.add_subcommand(spec.name, spec.help);
    app.footer(spec.examples);
    const auto query = std::make_shared<Query>();
    query->limit = spec.limit;
    app.add_option("file", query->file, "The log")->required()->type_name("F.mmu");
    if (spec.verb == log_story)
        app.add_option("fork", query->fork,
                       "Which fork, as `log forks` numbers them; without it the one with\n"
                       "the most write faults")
            ->type_name("N");
    add_filters(app, *query, spec.filters);
    if (spec.limit_help != nullptr)
        app.add_option_function<std::string>(
               "--limit",
               [query](const std::string& text) {
                   const auto limit = parse_number(text);
                   if (!limit) throw CLI::ValidationError("--limit", limit.error().message);
                   query->limit = *limit;
               },
               spec.limit_help)
            ->type_name("N")
            ->default_str(std::to_string(spec.limit));
    app.add_flag("--json", query->json, "As JSON; addresses are strings in hexadecimal");
    app.callback([verb = spec.verb, query] { run(verb, *query); });
    return app;
}

}  // namespace

void register_log_command(CLI::App& app) {
    CLI::App& log = *app.add_subcommand(
        "log", "Ask a recorded log: what happened to the page tables, who did it and when");
    log.require_subcommand(1);
    log.footer(
        "A log is made by `forkscope run --record F.mmu`. Times are instruction counts: instructions that "
        "the\n"
        "CPU had retired since reset. Begin with:\n"
        "  forkscope log info F.mmu     what was recorded, and whether the file is whole\n"
        "  forkscope log forks F.mmu    every fork, vfork and clone, one a line\n"
        "  forkscope log story F.mmu 1  the first of them, told step by step\n"
        "The exit status is 1 if the log is not whole, cut by a crash or a full disk, or damaged: what "
        "could\n"
        "be read is shown, and said to be so. info looks at every byte, the others at what they need. It is "
        "2\n"
        "for bad input.");

    add_verb(log,
             {"info", "What the log is, what is in it, and whether it is whole",
              "Every byte is compared with its checksum. A log that was cut by a crash or a full disk is\n"
              "readable up to its last whole chunk; info says what is missing.\n"
              "  forkscope log info F.mmu\n"
              "  forkscope log info --json F.mmu",
              log_info, 0, 0, nullptr});
    add_verb(log,
             {"show", "The events, one a line",
              "A page-table entry is shown by its bits (P present, W writable, U user, A accessed, D dirty,\n"
              "G global, NX no code) and its frame, before -> after; [-W] says that W was cleared.\n"
              "  forkscope log show --kind pte-write,flush --task forkdemo F.mmu\n"
              "  forkscope log show --va 0x7f1234000000-0x7f1234003fff F.mmu   the history of four pages\n"
              "  forkscope log show --from 1,000,000 --to 1,200,000 --limit 0 F.mmu | less",
              log_show, kTime | kTask | kRoot | kEvents, 200, "Show at most so many events; 0: all"});
    add_verb(
        log,
        {"forks", "Every fork, vfork and clone, one a line",
         "tables and copied: the page tables and entries that the child was given, as first seen when it "
         "ran.\n"
         "prot: entries of the parent that were made read-only. faults a=b+c: write faults on shared pages\n"
         "afterwards, b of them copied, c given back without a copy.\n"
         "  forkscope log forks F.mmu\n"
         "  forkscope log forks --task sh --json F.mmu",
         log_forks, kTime | kTask | kRoot, 0, "Show at most so many forks; 0: all"});
    add_verb(
        log,
        {"story", "One fork, from the call to the last write",
         "The call, the entries that it made read-only and copied, the flush, every write fault with its\n"
         "copy or reuse, the ends, totals that add up, and a timeline. What the host saw is the evidence;\n"
         "where the guest announced something else, the story says so.\n"
         "  forkscope log story F.mmu\n"
         "  forkscope log story F.mmu 3 --limit 0",
         log_story, 0, 20, "Tell at most so many write faults one by one; 0: all"});
    add_verb(
        log,
        {"stats", "Counts of everything, and whether the log is complete",
         "Without a filter the page tables are rebuilt from the log alone and compared with every audit of\n"
         "guest RAM in it: equal means that no change of a page table is missing.\n"
         "  forkscope log stats F.mmu\n"
         "  forkscope log stats --task 5 --from 2,000,000 F.mmu",
         log_stats, kTime | kTask | kRoot | kEvents, 20, "Show at most so many rows a table; 0: all"});
}

}  // namespace forkscope::tools
