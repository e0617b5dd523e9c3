#!/usr/bin/env python3
"""Exports of a demonstration's log, read by the programs that they are for.

Records a run of the bundled kernel, exports it in each format, and compares what Python's own readers find in
it with what the other verbs of `forkscope log` tell.
"""
import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

OPTIONS = None
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


if __name__ == "__main__":
    PARSER = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    PARSER.add_argument("--forkscope", required=True)
    PARSER.add_argument("--kernel", required=True)
    PARSER.add_argument("--initrd", required=True)
    OPTIONS, REST = PARSER.parse_known_args()
    unittest.main(argv=[sys.argv[0], *REST])
