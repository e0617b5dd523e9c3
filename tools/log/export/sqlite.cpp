// The log as a SQLite database: one transaction, table after table.
#include "guest/abi/event_port.hpp"
#include "tools/log/analysis/event_stats.hpp"
#include "tools/log/analysis/fault_book.hpp"
#include "tools/log/analysis/fork_tracker.hpp"
#include "tools/log/analysis/syscall_book.hpp"
#include "tools/log/export/event_row.hpp"
#include "tools/log/export/job.hpp"
#include "tools/log/export/progress.hpp"
#include "tools/log/export/sqlite_db.hpp"
#include "tools/log/export/sqlite_schema.hpp"
#include "tools/log/text/decode.hpp"
#include "tools/log/text/fault_text.hpp"
#include "tools/log/text/syscall_text.hpp"
#include "tools/log/verbs/fork_filter.hpp"
#include "tools/log/verbs/task_follower.hpp"

namespace forkscope::tools {

using analysis::When;

namespace {

[[nodiscard]] std::optional<uint64_t> event_of(const std::optional<When>& when) {
    return when ? std::optional(when->event) : std::nullopt;
}
[[nodiscard]] std::optional<uint64_t> icount_of(const std::optional<When>& when) {
    return when ? std::optional(when->icount) : std::nullopt;
}

class SqliteExport {
public:
    SqliteExport(const ExportJob& job, Database& db)
        : job_(job), reader_(job.reader), db_(db), symbols_(reader_.symbols()), codes_(symbols_) {}

    void put_names();
    void put_meta();
    void put_symbols();
    void put_events();
    void put_faults();
    void put_syscalls();
    // Both need the log from its beginning.
    void put_forks_and_tasks();

    ExportCounts counts;

private:
    [[nodiscard]] bool recorded(log::KindMask kinds, const char* table);
    [[nodiscard]] uint64_t code_of(uint64_t rip, unsigned cpl, std::string_view program);
    void put_task(const analysis::Task& task, uint64_t id, Insert& tasks, Insert& execs);
    void put_fork(const analysis::Fork& fork, Insert& forks);
    void put_fault(const analysis::Fault& fault, Insert& faults);
    void put_syscall(const analysis::SystemCall& call, Insert& calls);
    void wrote(const char* one, const char* many, const Insert& rows) {
        counts.written.push_back({one, many, rows.rows()});
    }

    const ExportJob& job_;
    log::Reader& reader_;
    Database& db_;
    analysis::Symbolizer symbols_;
    CodeNames codes_;
    Insert code_rows_{db_, "code", 5};
};

void SqliteExport::put_names() {
    Insert names(db_, "names", 3);
    for (uint64_t i = 0; i < log::kKindNames.size(); ++i) names.row("kind", i, log::kKindNames[i]);
    for (uint64_t i = 0; i < log::kCauseNames.size(); ++i) names.row("cause", i, log::kCauseNames[i]);
    for (uint64_t i = 0; i < log::kFlushNames.size(); ++i) names.row("flush", i, log::kFlushNames[i]);
    for (uint64_t i = 0; i < log::kFindingNames.size(); ++i) names.row("finding", i, log::kFindingNames[i]);
    for (uint64_t i = 0; i < analysis::kWriteClasses; ++i)
        names.row("change", i, analysis::name_of(static_cast<analysis::WriteClass>(i)));
    for (uint16_t i = 0; i <= static_cast<uint16_t>(abi::Announcement::Marker); ++i)
        names.row("announcement", uint64_t{i}, announcement_name(i));
}

void SqliteExport::put_meta() {
    const log::Meta& meta = reader_.meta();
    Insert rows(db_, "meta", 2);
    rows.row("schema", kSchemaVersion);
    rows.row("program_version", meta.program_version);
    rows.row("cpu_model", meta.cpu_model);
    rows.row("cpus", meta.cpus);
    rows.row("ram_bytes", meta.ram_bytes);
    rows.row("kernel", meta.kernel);
    rows.row("initrd", meta.initrd);
    rows.row("command_line", meta.command_line);
    rows.row("instructions_per_second", meta.instructions_per_second);
    rows.row("log_events", reader_.event_count());
    rows.row("exported_events", reader_.event_count() - counts.filtered_out);
    rows.row("filter", job_.query.filter_text());
    rows.row("damage", reader_.damage().describe());
    rows.row("unknown", reader_.unknown().describe());
}

void SqliteExport::put_symbols() {
    Insert rows(db_, "symbols", 5);
    for (const log::SymbolModule& module : symbols_.modules())
        for (const log::Symbol& symbol : module.symbols)
            rows.row(module.name, module.kind == log::ModuleKind::Kernel ? "kernel" : "user", symbol.address,
                     symbol.size, symbol.name);
}

uint64_t SqliteExport::code_of(uint64_t rip, unsigned cpl, std::string_view program) {
    const CodeName& code = codes_.of(rip, cpl, program);
    if (code.is_new) code_rows_.row(code.id, rip, cpl == 3 ? program : "kernel", code.name, code.source);
    return code.id;
}

void SqliteExport::put_events() {
    Insert rows(db_, "events", 18);
    TaskFollower follower(reader_, first_event_of(job_.filter, reader_));
    Progress progress("exporting", reader_.event_count());
    auto cursor = reader_.events(job_.filter);
    while (cursor.next() && !db_.failed()) {
        progress.at(cursor.number());
        follower.catch_up(cursor.number());
        const log::Event& e = cursor.event();
        std::optional<uint64_t> change;
        if (e.kind == log::EventKind::PteWrite)
            change = static_cast<uint64_t>(analysis::class_of(e.a, e.b, e.level));
        const uint64_t code = code_of(e.rip, e.cpl, e.cpl == 3 ? follower.tasks().program_of(e) : "");
        rows.row(cursor.number(), e.icount, uint32_t{e.cpu}, uint32_t{e.cpl}, e.task, e.root,
                 static_cast<uint64_t>(e.kind), uint32_t{e.aux}, static_cast<uint64_t>(e.cause),
                 uint32_t{e.flags}, uint32_t{e.level}, e.space, e.va, e.pa, e.a, e.b, code, change);
    }
    counts.filtered_out = events_filtered_out(reader_, rows.rows());
    wrote("event", "events", rows);
}

bool SqliteExport::recorded(log::KindMask kinds, const char* table) {
    const Result<> has = require_kinds(reader_, job_.query, kinds);
    if (!has) counts.left_out.push_back(fmt::format("no {}: {}", table, has.error().message));
    return has.has_value();
}

void SqliteExport::put_fault(const analysis::Fault& fault, Insert& faults) {
    const log::Event& e = fault.event;
    faults.row(fault.number, e.icount, e.task, fault.name, e.root, e.va, access_of(e.a), (e.a & 4) != 0, e.a,
               refusal_name(fault.refusal), uint32_t{e.level}, e.pa, e.b,
               code_of(e.rip, e.cpl, fault.program), fault_end_name(fault.end), event_of(fault.resolved),
               icount_of(fault.resolved), fault.resolved ? std::optional(fault.leaf) : std::nullopt);
}

void SqliteExport::put_faults() {
    if (!recorded(log::mask_of(log::EventKind::PageFault), "faults")) return;
    const uint64_t first = first_event_of(job_.filter, reader_);
    analysis::FaultBook book(job_.filter, tasks_before(reader_, first));
    RangeEnd range(job_.filter, reader_);
    Insert faults(db_, "faults", 18);
    auto cursor = reader_.events({.from_event = first, .kinds = analysis::FaultBook::kKinds});
    while (cursor.next() && !range.reached(cursor, book.waits()) && !db_.failed()) {
        book.apply(cursor.event(), cursor.number());
        while (const auto fault = book.take_any(false)) put_fault(*fault, faults);
    }
    while (const auto fault = book.take_any(true)) put_fault(*fault, faults);
    wrote("fault", "faults", faults);
}

void SqliteExport::put_syscall(const analysis::SystemCall& call, Insert& calls) {
    const auto argument = [&call](unsigned i) {
        return i < call.argument_count ? std::optional(call.arguments[i]) : std::nullopt;
    };
    std::optional<uint64_t> result;
    if (call.returned && !call.elsewhere) result = call.result;
    calls.row(call.when.event, call.when.icount, call.tid, call.name, call.root, call.number,
              syscall_name(call.number), call_text(call), argument(0), argument(1), argument(2), argument(3),
              argument(4), argument(5), result, result_text(call), event_of(call.returned),
              icount_of(call.returned), call.faults, call.pte_writes);
}

void SqliteExport::put_syscalls() {
    if (!recorded(log::mask_of(log::EventKind::Syscall), "syscalls")) return;
    const uint64_t first = first_event_of(job_.filter, reader_);
    analysis::SyscallBook book(job_.filter, tasks_before(reader_, first));
    RangeEnd range(job_.filter, reader_);
    Insert calls(db_, "syscalls", 20);
    auto cursor = reader_.events({.from_event = first, .kinds = analysis::SyscallBook::kKinds});
    while (cursor.next() && !range.reached(cursor, book.waits()) && !db_.failed()) {
        book.apply(cursor.event(), cursor.number());
        while (const auto call = book.take_any(false)) put_syscall(*call, calls);
    }
    while (const auto call = book.take_any(true)) put_syscall(*call, calls);
    wrote("system call", "syscalls", calls);
}

void SqliteExport::put_task(const analysis::Task& task, uint64_t id, Insert& tasks, Insert& execs) {
    std::optional<When> exit;
    std::optional<When> reap;
    if (task.exit) exit = task.exit->when;
    if (task.reap) reap = task.reap->when;
    tasks.row(id, task.tid, task.parent, task.tgid, task.flags, clone_flags_text(task.flags), task.root,
              task.first_name, task.name, event_of(task.created), icount_of(task.created), event_of(exit),
              icount_of(exit), task.exit ? std::optional(task.exit->status) : std::nullopt,
              task.exit ? std::optional(wait_status_text(task.exit->status)) : std::nullopt, event_of(reap),
              icount_of(reap), task.reap ? std::optional(task.reap->by) : std::nullopt);
    for (const analysis::TaskExec& exec : task.execs)
        execs.row(id, exec.when.event, exec.when.icount, exec.name, exec.root);
}

void SqliteExport::put_fork(const analysis::Fork& fork, Insert& forks) {
    std::string notes;
    for (const std::string& note : fork.notes) notes += (notes.empty() ? "" : "\n") + note;
    const analysis::ForkSide& parent = fork.parent;
    const analysis::ForkSide& child = fork.child;
    forks.row(fork.number, analysis::kind_of(fork), fork.flags, clone_flags_text(fork.flags), fork.result,
              fork.begin.event, fork.begin.icount, event_of(fork.end), icount_of(fork.end), parent.tid,
              parent.name, parent.root, child.tid, child.name, child.root, fork.tables_allocated_in_all(),
              fork.tables_shared, fork.tables_protected, fork.entries_copied, fork.write_protected,
              fork.other_writes, fork.kernel_writes, fork.flushes, fork.unflushed, parent.faults,
              parent.copies, parent.reuses, child.faults, child.copies, child.reuses,
              parent.table_copies + child.table_copies, parent.bytes_copied + child.bytes_copied, notes);
}

void SqliteExport::put_forks_and_tasks() {
    const bool with_forks = recorded(analysis::ForkTracker::kKinds, "forks");
    analysis::ForkTracker tracker;
    Progress progress("finding forks in", reader_.event_count());
    auto cursor =
        reader_.events({.kinds = with_forks ? analysis::ForkTracker::kKinds : analysis::TaskTable::kKinds});
    while (cursor.next()) {
        progress.at(cursor.number());
        tracker.apply(cursor.event(), cursor.number());
    }
    tracker.finish();
    Insert tasks(db_, "tasks", 18);
    Insert execs(db_, "execs", 5);
    for (const analysis::Task& task : tracker.tasks().all()) put_task(task, tasks.rows() + 1, tasks, execs);
    wrote("task", "tasks", tasks);
    if (!with_forks) return;
    Insert forks(db_, "forks", 33);
    for (const analysis::Fork& fork : tracker.forks())
        if (fork_fits(fork, job_.filter)) put_fork(fork, forks);
    wrote("fork", "forks", forks);
}

}  // namespace

Result<ExportCounts> export_sqlite(const ExportJob& job) {
    if (job.file.is_stream()) return fail("SQLite needs a file of its own; name one with -o");
    Database db(job.file.part());
    db.run("BEGIN");
    db.run(kTablesSql);
    ExportCounts counts;
    {
        SqliteExport rows(job, db);
        rows.put_names();
        rows.put_symbols();
        rows.put_events();
        rows.put_faults();
        rows.put_syscalls();
        rows.put_forks_and_tasks();
        rows.put_meta();
        counts = std::move(rows.counts);
    }
    db.run(kIndexesSql);
    db.run("COMMIT");
    if (db.failed())
        return fail("{} could not be written: {}; nothing was left there", job.file.label(), db.error());
    return counts;
}

}  // namespace forkscope::tools
