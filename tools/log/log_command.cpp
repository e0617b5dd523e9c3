// The command line of `forkscope log`.
#include "tools/log/log_command.hpp"

#include <fmt/format.h>

#include <memory>

#include "emu/base/say.hpp"
#include "tools/log/export/export.hpp"
#include "tools/log/log_options.hpp"
#include "tools/log/verbs/verbs.hpp"

namespace forkscope::tools {

namespace {

using Verb = Result<> (*)(log::Reader&, const Query&, Output&);

// `log story 3 F.mmu` is as good as `log story F.mmu 3`, and `log who 0x7f00 F.mmu` as `log who F.mmu
// 0x7f00`.
void put_file_first(Query& query) {
    for (std::string* number : {&query.fork, &query.address})
        if (!number->empty() && parse_number(query.file) && !parse_number(*number))
            std::swap(query.file, *number);
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

struct VerbSpec {
    const char* name;
    const char* help;
    const char* examples;
    Verb verb;
    unsigned options;
    uint64_t limit;
    const char* limit_help;  // null: no --limit
};

CLI::App& add_verb(CLI::App& log, const VerbSpec& spec) {
    CLI::App& app = *log.add_subcommand(spec.name, spec.help);
    app.footer(spec.examples);
    const auto query = std::make_shared<Query>();
    query->limit = spec.limit;
    app.add_option("file", query->file, "The log")->required()->type_name("F.mmu");
    add_options(app, *query, spec.options);
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

// What `ps`, strace and a debugger are asked about a live system.
void add_task_verbs(CLI::App& log) {
    add_verb(log, {"tasks", "Every task: family, names, life and deeds, as `ps --forest` lays them out",
                   "A task is listed if it lived in the range of time; its counts are of that range.\n"
                   "  forkscope log tasks F.mmu\n"
                   "  forkscope log tasks --from 26ms --to 27ms F.mmu   who lived in that millisecond",
                   log_tasks, kTime | kTask | kRoot, 200, "Show at most so many tasks; 0: all"});
    add_verb(
        log,
        {"syscalls", "System calls with arguments and results, as `strace -f` shows them",
         "In angle brackets: instructions from the call to the return, and page-table writes and page\n"
         "faults of the kernel in between. Strings and buffers are shown by their addresses: a log holds\n"
         "no memory.\n"
         "  forkscope log syscalls --task sh F.mmu\n"
         "  forkscope log syscalls -c F.mmu                    the sums of `strace -c`, in instructions",
         log_syscalls, kTime | kTask | kRoot | kSummary, 200, "Show at most so many calls; 0: all"});
    add_verb(
        log,
        {"faults", "Page faults explained: what refused, who wrote it so, and how it ended",
         "refused: the entry that stood in the way, with its level and the bit that decided.\n"
         "written: which code gave the entry that value, and when; a fault that should not be is mostly\n"
         "the fault of that write. end: what the access found when it went through.\n"
         "  forkscope log faults --task forkdemo F.mmu\n"
         "  forkscope log faults --va 0x7f1234000000 F.mmu\n"
         "  forkscope log faults -c F.mmu                      how many of which sort",
         log_faults, kTime | kTask | kRoot | kVa | kLevel | kSummary, 20,
         "Explain at most so many faults; 0: all"});
}

// Page tables, frames and TLB, at a moment and through time.
void add_table_verbs(CLI::App& log) {
    add_verb(
        log,
        {"tree", "The page tables as they stood at a moment, as a tree",
         "Neighbours that are alike are folded into one row. The tables are rebuilt from the log alone.\n"
         "  forkscope log tree F.mmu                           all spaces, at the end\n"
         "  forkscope log tree --at 26.5ms --task 2 F.mmu\n"
         "  forkscope log tree --at e1234 --va 0x400000-0x4fffff F.mmu",
         log_tree, kAt | kTask | kRoot | kVa, 400, "Show at most so many rows; 0: all"});
    add_verb(
        log,
        {"diff", "What is different in the page tables between two moments",
         "+ a new entry, - one that is gone, ~ one that changed; rows of entries that changed alike are\n"
         "folded. A space whose root was given up and taken again in between is told as another one.\n"
         "  forkscope log diff --before-fork 1 --after-fork 1 F.mmu   what the call itself did\n"
         "  forkscope log diff --from 26ms --to 27ms --task 2 F.mmu",
         log_diff, kTime | kForks | kTask | kRoot | kVa, 400, "Show at most so many rows; 0: all"});
    add_verb(log,
             {"who", "The history of one virtual address: who wrote its entries, at every level",
              "Follows the task through exec and fork: the address is looked up in whatever space it has.\n"
              "  forkscope log who 0x7f1234000000 --task 2 F.mmu\n"
              "  forkscope log who 0xffffffff80100000 --root 0x1ab000 F.mmu",
              log_who, kTime | kTask | kRoot | kKind | kAddress, 200, "Show at most so many events; 0: all"});
    add_verb(
        log,
        {"frame", "The life of one frame of RAM: every mapping it had, as data or as a page table",
         "maps: how many entries point to it as data, after the event. What the guest announces (guest)\n"
         "stands beside what the host saw.\n"
         "  forkscope log frame 0x1c4000 F.mmu\n"
         "  forkscope log frame 0x1c4000 --kind pte-write,pte-found F.mmu",
         log_frame, kTime | kTask | kRoot | kKind | kAddress, 200, "Show at most so many changes; 0: all"});
    add_verb(
        log,
        {"tlb", "What the TLB could hold at a moment, and whether the tables still agree",
         "Every fill that no flush has covered since. STALE: the tables allow less now, or lead elsewhere;\n"
         "used in that state, the entry would let through what it must not.\n"
         "  forkscope log tlb --at e1234 F.mmu\n"
         "  forkscope log tlb --at 26.5ms --va 0-0x7fffffffffff F.mmu   user space only",
         log_tlb, kAt | kTask | kRoot | kVa | kLevel, 200, "Show at most so many rows; 0: all"});
}

// The log for other programs.
void add_export_verb(CLI::App& log) {
    add_verb(
        log,
        {"export", "The log in a form that other programs read",
         "csv and jsonl hold every event, one a line: all fields as they are, and beside them the names of\n"
         "tasks, kinds and code. They go to standard output if -o names no file.\n"
         "sqlite makes F.sqlite: events, tasks, forks, faults and system calls as tables.\n"
         "html makes F.html, a report to look at: timeline, frames, page tables around a fork, costs. It is\n"
         "one file, works offline, and is bounded: what a large log has too much of is counted there.\n"
         "perfetto makes F.perfetto-trace for ui.perfetto.dev: a track a task, slices, counters.\n"
         "dot is a graph of the page tables at a moment, for Graphviz: spaces, tables, frames.\n"
         "A file is written whole or not at all. --json is about the line that says what was written.\n"
         "  forkscope log export --to csv -o F.csv F.mmu\n"
         "  forkscope log export --to jsonl --kind pte-write,flush --task forkdemo F.mmu | jq .text\n"
         "  forkscope log export --to sqlite F.mmu && sqlite3 F.sqlite 'SELECT * FROM forks'\n"
         "  forkscope log export --to html --with shared-tables.mmu F.mmu\n"
         "  forkscope log export --to dot --at 26.5ms F.mmu | dot -Tsvg > tables.svg",
         log_export, kExport | kTask | kRoot | kEvents, 0, nullptr});
}

// Whether guest and log are as they should be.
void add_proof_verbs(CLI::App& log) {
    add_verb(
        log,
        {"check", "Mistakes of the guest: missing flushes, shared memory left writable, lost references",
         "Each finding names the write that made it wrong, its code and task, and what was expected. "
         "\"all\"\n"
         "leaves out what is a mistake in some kernels only: stale-kernel (kernel addresses may be\n"
         "unmapped lazily) and redundant-flush (no software changed a present entry that it covers).\n"
         "What a check takes for wrong: emu/check/README.md. The exit status is 4 if there is a finding.\n"
         "  forkscope log check F.mmu\n"
         "  forkscope log check --check stale-tlb,refcount --task forkdemo F.mmu",
         log_check, kTime | kTask | kRoot | kVa | kLevel | kChecks, 100,
         "Show at most so many findings; 0: all"});
    add_verb(log, {"verify", "The page tables as the log alone gives them, against guest RAM at the end",
                   "The exit status is 4 if an entry differs.\n"
                   "  forkscope run --record F.mmu --save-ram F.ram\n"
                   "  forkscope log verify F.mmu --ram F.ram",
                   log_verify, kRam, 0, nullptr});
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
        "Who knows `strace`, `ps` and a debugger finds them here: syscalls, tasks; faults for a page fault,\n"
        "who for a watchpoint on a page-table entry, tree and diff for the tables at any moment of the "
        "past.\n"
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
         log_story, kFork, 20, "Tell at most so many write faults one by one; 0: all"});
    add_verb(
        log,
        {"stats", "Counts of everything, and whether the log is complete",
         "Without a filter the page tables are rebuilt from the log alone and compared with every audit of\n"
         "guest RAM in it: equal means that no change of a page table is missing.\n"
         "  forkscope log stats F.mmu\n"
         "  forkscope log stats --task 5 --from 2,000,000 F.mmu",
         log_stats, kTime | kTask | kRoot | kEvents, 20, "Show at most so many rows a table; 0: all"});
    add_task_verbs(log);
    add_table_verbs(log);
    add_proof_verbs(log);
    add_export_verb(log);
}

}  // namespace forkscope::tools
