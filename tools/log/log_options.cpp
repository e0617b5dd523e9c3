// Names and help of the options.
#include "tools/log/log_options.hpp"

#include "tools/log/export/export.hpp"

namespace forkscope::tools {

namespace {

void add_filters(CLI::App& verb, Query& query, unsigned which) {
    if ((which & kAt) != 0)
        verb.add_option("--at", query.at,
                        "The moment: instructions (1,000,000), their time without waits (1.5ms), an event "
                        "(e1234), start\n"
                        "or end, which it is if nothing is said")
            ->type_name("T");
    if ((which & kTime) != 0) {
        verb.add_option("--from", query.from,
                        "Begin at this moment: instructions (1,000,000), their time without waits (1.5ms), "
                        "an event (e1234)")
            ->type_name("T");
        verb.add_option("--to", query.to, "End with this moment")->type_name("T");
    }
    if ((which & kForks) != 0) {
        verb.add_option("--before-fork", query.before_fork, "Begin right before this fork")->type_name("N");
        verb.add_option("--after-fork", query.after_fork, "End when the call of this fork is done")
            ->type_name("N");
    }
    if ((which & kExport) != 0) {
        verb.add_option("--at", query.at, "dot: the moment; the end of the log if nothing is said")
            ->type_name("T");
        verb.add_option("--from", query.from,
                        "Begin at this moment: instructions (1,000,000), their time without waits (1.5ms), "
                        "an event (e1234)")
            ->type_name("T");
        verb.add_option("--until", query.to, "End with this moment")->type_name("T");
    }
    if ((which & kTask) != 0)
        verb.add_option("--task", query.task, "Only this task, by number, or all of this name")
            ->type_name("TID|NAME");
    if ((which & kRoot) != 0)
        verb.add_option("--root", query.root, "Only this address space, by its top page table (CR3)")
            ->type_name("ADDRESS");
    if ((which & kVa) != 0)
        verb.add_option(
                "--va", query.va,
                "Only what is about these virtual addresses: a page, or a range with both ends; entries\n"
                "count with all that they cover. Leaves out what the guest announces")
            ->type_name("ADDRESS[-ADDRESS]");
    if ((which & kKind) != 0)
        verb.add_option("--kind", query.kind,
                        "Only these kinds: pte-write, table-link, table-unlink, pte-found, tlb-fill, flush,\n"
                        "fault, resolved, cr3, interrupt, syscall, sysret, announce, finding, audit,\n"
                        "root-death, stop, syscall-args")
            ->type_name("LIST");
    if ((which & kLevel) != 0)
        verb.add_option("--level", query.level, "Only this level: 1 (4 KiB pages) to 4 (top)")
            ->type_name("N");
}

void add_export(CLI::App& verb, Query& query) {
    verb.add_option("--to", query.format, "The form: " + export_formats())->required()->type_name("FORM");
    verb.add_option("--fork", query.fork,
                    "html: whose page tables are compared; else the fork with the most write faults")
        ->type_name("N");
    verb.add_option("--with", query.with,
                    "html: further logs for the cost sheet, as one of a boot with fork=shared-tables")
        ->type_name("F.mmu")
        ->take_all()
        ->allow_extra_args(false);
    verb.add_option("-o,--output", query.output, "Write this file; -: standard output")->type_name("FILE");
}

}  // namespace

void add_options(CLI::App& verb, Query& query, unsigned which) {
    if ((which & kFork) != 0)
        verb.add_option("fork", query.fork,
                        "Which fork, as `log forks` numbers them; without it the one with\n"
                        "the most write faults")
            ->type_name("N");
    if ((which & kAddress) != 0)
        verb.add_option("address", query.address, "The address")->required()->type_name("ADDRESS");
    add_filters(verb, query, which);
    if ((which & kSummary) != 0)
        verb.add_flag("-c,--summary", query.summary, "Only the sums, as `strace -c` gives them");
    if ((which & kChecks) != 0)
        verb.add_option("--check", query.checks,
                        "all, every, or a list of stale-tlb, stale-kernel, redundant-flush, writable-twice,\n"
                        "freed-while-mapped, unannounced-table, lost-dirty, refcount")
            ->type_name("LIST")
            ->capture_default_str();
    if ((which & kExport) != 0) add_export(verb, query);
    if ((which & kRam) != 0)
        verb.add_option("--ram", query.ram, "The guest's RAM at the end, from `run --save-ram`")
            ->type_name("FILE");
}

}  // namespace forkscope::tools
