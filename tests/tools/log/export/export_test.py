#!/usr/bin/env python3
"""Exports of a demonstration's log, read by the programs that they are for.

Records a run of the bundled kernel, exports it in each format, and compares what Python's own readers find in
it with what the other verbs of `forkscope log` tell.
"""
import argparse
import csv
import json
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import unittest

OPTIONS = None
SCHEMA = pathlib.Path(__file__).resolve().parents[4] / "tools" / "log" / "export" / "SCHEMA.md"
APPEND = 'init=/bin/sh -- -c "forkdemo; vforkdemo"'


def ask(*arguments, **options):
    return subprocess.run([OPTIONS.forkscope, "log", *map(str, arguments)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False, **options)


class Exports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.place.name)
        cls.log = cls.folder / "session.mmu"
        subprocess.run([OPTIONS.forkscope, "run", "-nographic", "-kernel", OPTIONS.kernel, "-initrd", OPTIONS.initrd,
                        "-append", APPEND, "--record", cls.log],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=120, check=True)

    @classmethod
    def tearDownClass(cls):
        cls.place.cleanup()

    def export(self, form, name, *arguments):
        path = self.folder / name
        done = ask("export", "--to", form, "-o", path, "--json", *arguments, self.log)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, b"", "progress belongs on a terminal")
        return path, json.loads(done.stdout)

    def json_of(self, verb, *arguments):
        return json.loads(ask(verb, "--json", "--limit", "0", *arguments, self.log).stdout)


class Lines(Exports):
    def test_csv_and_jsonl_hold_the_same_and_show_agrees(self):
        table, summary = self.export("csv", "a.csv")
        lines, _ = self.export("jsonl", "a.jsonl")
        with open(table, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        with open(lines, encoding="utf-8") as file:
            objects = [json.loads(line) for line in file]
        self.assertEqual(len(rows), summary["events"])
        for row, found in zip(rows, objects, strict=True):
            self.assertEqual(row, {name: str(value) for name, value in found.items()})
        shown = self.json_of("show")["events"]
        for row, event in zip(objects, shown, strict=True):
            self.assertEqual((row["event"], row["icount"], row["kind"], row["task"]),
                             (event["event"], event["icount"], event["kind"], event["task"]))

    def test_standard_output_holds_the_export_alone(self):
        done = ask("export", "--to", "jsonl", "--kind", "announce", self.log)
        objects = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertTrue(objects)
        self.assertEqual({found["kind"] for found in objects}, {"announce"})
        self.assertRegex(done.stderr.decode(), r"^written: [\d,]+ events, .*did not fit the filter\n$")

    def test_bad_input_is_one_line_and_status_2(self):
        for arguments in (["--to", "xml"], [], ["--to", "csv", "--level", "7"], ["--to", "csv", "-o", "/no/such/x"]):
            done = ask("export", *arguments, self.log)
            self.assertEqual((done.returncode, done.stderr.count(b"\n"), done.stdout), (2, 1, b""), arguments)

    def test_a_cut_log_gives_what_there_is_and_status_1(self):
        cut = self.folder / "cut.mmu"
        cut.write_bytes(self.log.read_bytes()[:-1000])
        done = ask("export", "--to", "csv", "-o", self.folder / "cut.csv", cut)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"This log is not whole: ", done.stdout)


class Sqlite(Exports):
    def database(self, name, *arguments):
        path, summary = self.export("sqlite", name, *arguments)
        database = sqlite3.connect(path)
        self.addCleanup(database.close)
        return database, summary

    def test_the_rows_are_what_the_verbs_tell(self):
        database, summary = self.database("a.sqlite")

        def all_of(sql):
            return database.execute(sql).fetchall()

        self.assertEqual(all_of("PRAGMA integrity_check"), [("ok",)])
        self.assertEqual(all_of("SELECT count(*) FROM events"), [(summary["events"],)])
        forks = self.json_of("forks")["forks"]
        self.assertEqual(all_of("SELECT fork, call, parent, child, begin_icount, entries_copied, write_protected, "
                                "child_copies, child_reuses FROM forks ORDER BY fork"),
                         [(f["fork"], f["call"], f["parent"]["task"], f["child"]["task"], f["begin"]["icount"],
                           f["entries_copied"], f["write_protected"], f["child"]["copies"], f["child"]["reuses"])
                          for f in forks])
        faults = self.json_of("faults")["faults"]
        self.assertEqual(all_of("SELECT faults.event, va & (1 << 62) - 1, refusal, ending, code.name FROM faults "
                                "JOIN code USING (code) ORDER BY event"),
                         [(f["event"], int(f["va"], 16) & (1 << 62) - 1, f["refusal"], f["end"],
                           f["code"] if not f["code"].startswith("0x") else "") for f in faults])
        calls = self.json_of("syscalls")["syscalls"]
        self.assertEqual(all_of("SELECT icount, task, call, result_text FROM syscalls ORDER BY event"),
                         [(c["icount"], c["task"], c["call"], c["result_text"]) for c in calls])
        tasks = self.json_of("tasks")["tasks"]
        self.assertEqual(all_of("SELECT task FROM tasks ORDER BY id"), [(t["tid"],) for t in tasks])
        writes = dict(all_of("SELECT change, count(*) FROM pte_writes GROUP BY change"))
        told = self.json_of("stats")["write_classes"]
        self.assertEqual(writes, {change: count for change, count in told.items() if count})

    def test_addresses_keep_all_their_bits(self):
        database, _ = self.database("bits.sqlite", "--kind", "tlb-fill")
        shown = self.json_of("show", "--kind", "tlb-fill")["events"]
        found = database.execute("SELECT printf('0x%x', va) FROM tlb_fills ORDER BY event").fetchall()
        self.assertEqual(found, [(e["va"],) for e in shown])
        self.assertTrue(any(va.startswith("0xffffffff8") for va, in found))

    def test_a_filter_is_told(self):
        database, summary = self.database("part.sqlite", "--task", "forkdemo", "--kind", "flush")
        self.assertGreater(summary["filtered_out"], 0)
        self.assertEqual(database.execute("SELECT DISTINCT kind FROM events").fetchall(), [(6,)])
        meta = dict(database.execute("SELECT name, value FROM meta"))
        self.assertEqual(meta["filter"], "--task forkdemo --kind flush")
        self.assertEqual(meta["exported_events"], summary["events"])

    def test_each_question_of_the_schema_has_an_answer(self):
        database, _ = self.database("questions.sqlite")
        questions = re.findall(r"```sql\n(.*?)```", SCHEMA.read_text(encoding="utf-8"), re.DOTALL)
        self.assertGreater(len(questions), 5)
        for question in questions:
            self.assertTrue(database.execute(question).fetchall(), question)

    def test_the_schema_is_as_documented(self):
        database, _ = self.database("schema.sqlite")
        told = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", SCHEMA.read_text(encoding="utf-8"), re.MULTILINE))
        names = [n for n, in database.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")]
        self.assertEqual(set(names), set(told))
        for name in names:
            for column in database.execute(f"PRAGMA table_info({name})").fetchall():
                if not re.fullmatch("arg[2-5]", column[1]):
                    self.assertIn(f"`{column[1]}`", told[name], name)

    def test_it_needs_a_file(self):
        done = ask("export", "--to", "sqlite", "-o", "-", self.log)
        self.assertEqual((done.returncode, done.stderr.count(b"\n")), (2, 1))


if __name__ == "__main__":
    PARSER = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    PARSER.add_argument("--forkscope", required=True)
    PARSER.add_argument("--kernel", required=True)
    PARSER.add_argument("--initrd", required=True)
    OPTIONS, REST = PARSER.parse_known_args()
    unittest.main(argv=[sys.argv[0], *REST])
