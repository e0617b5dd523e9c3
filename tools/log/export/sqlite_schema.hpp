// The tables of the SQLite export. SCHEMA.md explains them; a test compares the two.
#pragma once

namespace forkscope::tools {

inline constexpr unsigned kSchemaVersion = 1;

inline constexpr const char* kTablesSql = R"(
PRAGMA application_id = 0x464b5350;
PRAGMA user_version = 1;
CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE names(field TEXT, value INTEGER, name TEXT, PRIMARY KEY(field, value)) WITHOUT ROWID;
CREATE TABLE code(code INTEGER PRIMARY KEY, rip INTEGER, program TEXT, name TEXT, source TEXT);
CREATE TABLE events(event INTEGER PRIMARY KEY, icount INTEGER, cpu INTEGER, cpl INTEGER, task INTEGER,
    root INTEGER, kind INTEGER, aux INTEGER, cause INTEGER, flags INTEGER, level INTEGER, space INTEGER,
    va INTEGER, pa INTEGER, a INTEGER, b INTEGER, code INTEGER, change INTEGER);
CREATE TABLE tasks(id INTEGER PRIMARY KEY, task INTEGER, parent INTEGER, tgid INTEGER, flags INTEGER,
    flags_text TEXT, root INTEGER, first_name TEXT, name TEXT, created_event INTEGER, created_icount INTEGER,
    exit_event INTEGER, exit_icount INTEGER, status INTEGER, status_text TEXT, reaped_event INTEGER,
    reaped_icount INTEGER, reaped_by INTEGER);
CREATE TABLE execs(id INTEGER, event INTEGER PRIMARY KEY, icount INTEGER, name TEXT, root INTEGER);
CREATE TABLE forks(fork INTEGER PRIMARY KEY, call TEXT, flags INTEGER, flags_text TEXT, result INTEGER,
    begin_event INTEGER, begin_icount INTEGER, end_event INTEGER, end_icount INTEGER, parent INTEGER,
    parent_name TEXT, parent_root INTEGER, child INTEGER, child_name TEXT, child_root INTEGER,
    tables_allocated INTEGER, tables_shared INTEGER, tables_protected INTEGER, entries_copied INTEGER,
    write_protected INTEGER, other_writes INTEGER, kernel_writes INTEGER, flushes INTEGER, unflushed INTEGER,
    parent_faults INTEGER, parent_copies INTEGER, parent_reuses INTEGER, child_faults INTEGER,
    child_copies INTEGER, child_reuses INTEGER, table_copies INTEGER, bytes_copied INTEGER, notes TEXT);
CREATE TABLE faults(event INTEGER PRIMARY KEY, icount INTEGER, task INTEGER, name TEXT, root INTEGER,
    va INTEGER, access TEXT, by_user INTEGER, error_code INTEGER, refusal TEXT, level INTEGER, entry INTEGER,
    value INTEGER, code INTEGER, ending TEXT, resolved_event INTEGER, resolved_icount INTEGER, leaf INTEGER);
CREATE TABLE syscalls(event INTEGER PRIMARY KEY, icount INTEGER, task INTEGER, name TEXT, root INTEGER,
    number INTEGER, call TEXT, text TEXT, arg1 INTEGER, arg2 INTEGER, arg3 INTEGER, arg4 INTEGER,
    arg5 INTEGER, arg6 INTEGER, result INTEGER, result_text TEXT, return_event INTEGER,
    return_icount INTEGER, faults INTEGER, pte_writes INTEGER);
CREATE TABLE symbols(module TEXT, kind TEXT, address INTEGER, size INTEGER, name TEXT);
CREATE VIEW pte_writes AS SELECT event, icount, task, root, level, space, va, pa AS entry, a AS old,
    b AS new, (SELECT name FROM names WHERE field = 'change' AND value = change) AS change,
    (SELECT name FROM names WHERE field = 'cause' AND value = cause) AS cause, code
    FROM events WHERE kind = 1;
CREATE VIEW tlb_fills AS SELECT event, icount, task, root, level, va, pa AS frame, a AS value, b AS entry,
    flags & 1 AS reads, (flags & 2) / 2 AS writes, (flags & 4) / 4 AS fetches, (flags & 8) / 8 AS global, code
    FROM events WHERE kind = 5;
CREATE VIEW flushes AS SELECT event, icount, task, root,
    (SELECT name FROM names WHERE field = 'flush' AND value = aux) AS how,
    CASE WHEN aux = 1 THEN va END AS va, a AS old, b AS new, code
    FROM events WHERE kind = 6;
)";

// After the rows: sorting all at once is quicker than keeping order row by row.
inline constexpr const char* kIndexesSql = R"(
CREATE INDEX events_kind ON events(kind, icount);
CREATE INDEX events_task ON events(task, icount);
CREATE INDEX pte_writes_va ON events(va) WHERE kind = 1;
CREATE INDEX pte_writes_entry ON events(pa) WHERE kind = 1;
CREATE INDEX faults_va ON faults(va);
CREATE INDEX faults_task ON faults(task, icount);
CREATE INDEX syscalls_task ON syscalls(task, icount);
CREATE INDEX tasks_task ON tasks(task);
CREATE INDEX symbols_address ON symbols(address);
)";

}  // namespace forkscope::tools
