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
import shutil
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
        cls.log = cls.record("session.mmu", APPEND)

    @classmethod
    def tearDownClass(cls):
        cls.place.cleanup()

    def export(self, form, name, *arguments):
        path = self.folder / name
        done = ask("export", "--to", form, "-o", path, "--json", *arguments, self.log)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, b"", "progress belongs on a terminal")
        return path, json.loads(done.stdout)

    @classmethod
    def record(cls, name, append):
        path = cls.folder / name
        subprocess.run([OPTIONS.forkscope, "run", "-nographic", "-kernel", OPTIONS.kernel, "-initrd", OPTIONS.initrd,
                        "-append", append, "--record", path],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=120, check=True)
        return path

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


# Loads the report in a frame of a phone's width, and tells how wide it became.
PHONE = """<body><iframe src="{}" style="border:0;width:390px;height:6000px"></iframe>
<script>addEventListener("message", e => document.body.dataset.width = e.data)</script></body>"""
TELL_WIDTH = '<script>parent.postMessage(document.documentElement.scrollWidth, "*")</script></body>'


class Html(Exports):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = cls.record("shared.mmu", "fork=shared-tables init=/bin/forkdemo")

    def setUp(self):
        self.report, self.summary = self.export("html", "a.html", "--with", self.shared)

    def browse(self, page, *arguments):
        browser = shutil.which("chromium")
        if browser is None:
            self.skipTest("there is no chromium")
        done = subprocess.run([browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                               "--enable-logging=stderr", f"--user-data-dir={self.folder}/browser",
                               "--virtual-time-budget=5000", *arguments, page.as_uri()],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(b":CONSOLE", done.stderr)
        return done.stdout.decode()

    def test_it_is_one_file_that_loads_nothing(self):
        text = self.report.read_text(encoding="utf-8")
        self.assertIn("default-src 'none'", text)
        self.assertIsNone(re.search(r"https?:|\bsrc=|<link|@import|url\(", text))
        self.assertLess(len(text), 300_000)

    def test_its_numbers_are_those_of_the_verbs(self):
        text = self.report.read_text(encoding="utf-8")
        data = json.loads(re.search('id="data">(.*?)</script>', text, re.DOTALL).group(1))
        forks = self.json_of("forks")["forks"]
        self.assertEqual([(f["number"], f["call"], f["copies"]) for f in data["forks"]],
                         [(f["fork"], f["call"], f["parent"]["copies"] + f["child"]["copies"]) for f in forks])
        lanes = {lane["label"]: lane["ending"] for lane in data["lanes"]["all"]}
        for task in self.json_of("tasks")["tasks"]:
            if task["exit"]:
                self.assertEqual(lanes[f"{task['name']}[{task['tid']}]"], task["exit"]["text"])
        counted = sum(sum(f for i, f in enumerate(lane["faults"]) if i % 5) for lane in data["lanes"]["all"])
        self.assertEqual(counted, self.summary["faults"])
        sheets = [{row["call"] for row in sheet["rows"]} for sheet in data["costs"]]
        self.assertEqual(sheets[0], {"fork", "vfork", "clone"})
        self.assertIn("fork, shared tables", sheets[1])
        cow = next(row for row in data["costs"][0]["rows"] if row["call"] == "fork")
        self.assertEqual(cow["forks"], sum(f["call"] == "fork" for f in forks))

    def test_the_tree_is_the_diff_of_that_fork(self):
        path, _ = self.export("html", "fork.html", "--fork", "3")
        data = json.loads(re.search('id="data">(.*?)</script>', path.read_text(encoding="utf-8"), re.DOTALL).group(1))
        fork = self.json_of("forks")["forks"][2]
        tree = data["trees"]["parent_tree"]
        lost = sum(row[3] for row in tree["rows"] if "W" in row[4].split() and "W" not in row[5].split())
        self.assertEqual(lost, fork["write_protected"])
        self.assertEqual(data["trees"]["child_tree"]["left_out"], 0)

    def test_a_browser_shows_it_without_an_error(self):
        page = self.browse(self.report, "--window-size=1280,900", "--dump-dom")
        self.assertIn("What fork", page)
        self.assertGreater(page.count('class="bar"'), 20)
        self.assertGreater(page.count('class="row'), 5)
        self.assertIn("table of level 1", page)

    def test_it_fits_a_phone(self):
        framed = self.folder / "framed.html"
        framed.write_text(self.report.read_text(encoding="utf-8").replace("</body>", TELL_WIDTH), encoding="utf-8")
        phone = self.folder / "phone.html"
        phone.write_text(PHONE.format(framed.name), encoding="utf-8")
        page = self.browse(phone, "--window-size=500,900", "--dump-dom")
        self.assertEqual(re.findall(r'data-width="(\d+)"', page), ["390"])

    def test_it_can_be_pictured_in_the_dark(self):
        picture = self.folder / "dark.png"
        self.browse(self.report, "--window-size=1280,3000", "--blink-settings=preferredColorScheme=0",
                    f"--screenshot={picture}")
        self.assertGreater(picture.stat().st_size, 50_000)

    def test_a_fork_that_is_not_there(self):
        done = ask("export", "--to", "html", "-o", self.folder / "x.html", "--fork", "99", self.log)
        self.assertEqual((done.returncode, done.stderr.count(b"\n")), (2, 1))
        self.assertFalse((self.folder / "x.html").exists())


class Perfetto(Exports):
    """Decoded by protoc with the field numbers and types of the published protos (perfetto.proto here)."""

    def packets(self, name, *arguments):
        if shutil.which("protoc") is None:
            self.skipTest("there is no protoc")
        path, summary = self.export("perfetto", name, *arguments)
        proto = pathlib.Path(__file__).with_name("perfetto.proto")
        with open(path, "rb") as trace:
            done = subprocess.run(["protoc", f"--proto_path={proto.parent}", "--decode=Trace", proto.name], stdin=trace,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        text = done.stdout.decode()
        self.assertIsNone(re.search(r"^\s*\d+[:{ ]", text, re.MULTILINE), "a field that is not in the protos, or of another type")
        packets = text.split("packet {\n")[1:]
        self.assertEqual(len(packets), summary["packets"])
        return packets, summary

    @staticmethod
    def field(packet, name):
        found = re.search(rf'^\s*{name}: "?(.*?)"?$', packet, re.MULTILINE)
        return found.group(1) if found else None

    def events(self, packets):
        return [(self.field(p, "track_uuid"), self.field(p, "type"), int(self.field(p, "timestamp")), p)
                for p in packets if "track_event {" in p]

    def test_each_task_has_its_tracks(self):
        packets, _ = self.packets("a.trace")
        processes = {(self.field(p, "pid"), self.field(p, "process_name")) for p in packets if "process {" in p}
        for task in self.json_of("tasks")["tasks"]:
            self.assertIn((str(task["tgid"]), task["name"]), processes)
        described = [self.field(p, "uuid") for p in packets if "track_descriptor {" in p]
        self.assertEqual(len(described), len(set(described)))
        self.assertLessEqual({track for track, *_ in self.events(packets)}, set(described))

    def test_slices_nest_and_agree_with_the_verbs(self):
        packets, summary = self.packets("b.trace")
        depth, slices, last = {}, {}, 0
        for track, kind, time, packet in self.events(packets):
            self.assertGreaterEqual(time, last)
            last = time
            if kind == "TYPE_SLICE_BEGIN":
                depth[track] = depth.get(track, 0) + 1
                category = self.field(packet, "categories")
                slices[category] = slices.get(category, 0) + 1
            elif kind == "TYPE_SLICE_END":
                depth[track] -= 1
                self.assertGreaterEqual(depth[track], 0)
        self.assertEqual(slices["syscall"], len(self.json_of("syscalls")["syscalls"]))
        self.assertEqual(slices["fault"], len(self.json_of("faults")["faults"]))
        self.assertEqual(slices["fork"], len(self.json_of("forks")["forks"]))
        self.assertEqual(summary["slices"], sum(slices.values()) - slices["cpu"])
        arrows = [set(re.findall(rf"^\s*{name}: (\d+)", "".join(packets), re.MULTILINE))
                  for name in ("flow_ids", "terminating_flow_ids")]
        self.assertEqual(arrows[0], arrows[1])
        self.assertEqual(len(arrows[0]), len(self.json_of("tasks")["tasks"]))

    def test_counters_end_with_the_counts(self):
        packets, _ = self.packets("c.trace")
        names = {self.field(p, "uuid"): self.field(p, "name") for p in packets if "counter {" in p}
        last = {names[track]: int(self.field(packet, "counter_value"))
                for track, kind, _, packet in self.events(packets) if kind == "TYPE_COUNTER"}
        kinds = self.json_of("stats")["kinds"]
        self.assertEqual(last["TLB fills, so far"], kinds["tlb-fill"])
        self.assertEqual(last["page-table writes, so far"], kinds["pte-write"])
        self.assertEqual(last["flushes, so far"], kinds["flush"])
        self.assertGreater(last["page tables"], 4)
        self.assertGreater(last["frames allocated"], 0)

    def test_a_filter_leaves_other_tasks_out(self):
        packets, _ = self.packets("d.trace", "--task", "forkdemo")
        names = {self.field(p, "process_name") for p in packets if "process {" in p}
        self.assertIn("forkdemo", names)
        self.assertNotIn("busybox", names)


class Dot(Exports):
    """During a fork: parent and child map the same frames, and with shared tables the same tables."""

    def during_fork(self, log):
        forks = json.loads(ask("forks", "--json", log).stdout)["forks"]
        child = next(f["child"] for f in forks if f["call"] == "fork" and f["child"]["first_run"])
        tree = json.loads(ask("show", "--json", "--limit", "1", "--kind", "tlb-fill", "--task", str(child["task"]), log).stdout)
        return "e" + str(tree["events"][0]["event"])

    def graph(self, log, *arguments):
        done = ask("export", "--to", "dot", *arguments, log)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def drawn(self, dot):
        if shutil.which("dot") is None:
            self.skipTest("there is no dot")
        done = subprocess.run(["dot", "-Tsvg"], input=dot, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout.decode()

    def test_frames_of_both_sides_are_one_node(self):
        moment = self.during_fork(self.log)
        dot = self.graph(self.log, "--at", moment)
        svg = self.drawn(dot)
        shared = re.findall(r"^  (f\d+) \[.*peripheries=2", dot.decode(), re.MULTILINE)
        self.assertTrue(shared)
        for node in shared:
            self.assertGreaterEqual(len(re.findall(rf"-> {node};", dot.decode())), 2, node)
        tree = json.loads(ask("tree", "--json", "--limit", "0", "--at", moment, self.log).stdout)
        for space in tree["spaces"]:
            self.assertIn(space["who"], svg)
        tables = {row["table"] for space in tree["spaces"] for row in space["rows"] if "table" in row}
        for table in tables:
            self.assertIn(f"table {table}<", svg)

    def test_shared_tables_are_one_node(self):
        log = self.record("shared.mmu", "fork=shared-tables init=/bin/cowstorm -- 2048 1 1")
        dot = self.graph(log, "--at", self.during_fork(log)).decode()
        self.drawn(dot.encode())
        shared = re.findall(r"^  (t1_\w+) \[.*linked 2 times", dot, re.MULTILINE)
        self.assertTrue(shared)
        for table in shared:
            self.assertEqual(len(re.findall(rf"-> {table};", dot)), 2, table)

    def test_one_task_alone(self):
        dot = self.graph(self.log, "--task", "1", "--va", "0x400000-0x40ffff").decode()
        self.assertEqual(len(re.findall(r"shape=box, style=.rounded", dot)), 1)
        self.drawn(dot.encode())

    def test_what_does_not_fit_is_refused(self):
        done = ask("export", "--to", "dot", "--level", "1", self.log)
        self.assertEqual((done.returncode, done.stderr), (2, b"forkscope: --level has no meaning with --to dot\n"))


if __name__ == "__main__":
    PARSER = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    PARSER.add_argument("--forkscope", required=True)
    PARSER.add_argument("--kernel", required=True)
    PARSER.add_argument("--initrd", required=True)
    OPTIONS, REST = PARSER.parse_known_args()
    unittest.main(argv=[sys.argv[0], *REST])
