#!/usr/bin/env python3
"""Tests of tools/bench on programs that play Forkscope, QEMU and their guest. Nothing is judged by its time but
that a long pause between the markers is longer than none."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

BENCH = pathlib.Path(__file__).resolve().parents[2] / "tools" / "bench"

# Plays both machines: prints boot messages, then what its guest's /bin/bench would.
MACHINE = """#!/usr/bin/env python3
import sys, time
arguments = sys.argv[1:]
if arguments[0] == "log":
    sys.exit(print('{"events": 1000}'))
if "--record" in arguments:
    open(arguments[arguments.index("--record") + 1], "w").write("x" * 9000)
forkscope = arguments[0] == "run"
engine = "-append" not in arguments
workload = arguments[1] if engine else arguments[arguments.index("-append") + 1].split()[-1]
print("boot")
time.sleep(0.02)
print(f"BENCH begin {workload}\\r", flush=True)
time.sleep(0.2 if "--record" in arguments else 0.01)
{body}
print(f"BENCH end {workload} 42\\r", flush=True)
sys.exit(0 if forkscope or engine else 1)
"""


class Bench(unittest.TestCase):
    def bench(self, *arguments, body="", leave_out=()):
        """Runs the script on fakes whose machine does `body` between the markers."""
        with tempfile.TemporaryDirectory() as scratch:
            build = pathlib.Path(scratch)
            (build / "guest").mkdir()
            for name in {"guest/kernel.elf", "guest/initramfs.cpio"} - set(leave_out):
                (build / name).touch()
            (build / "guest" / "user").mkdir()
            (build / "guest" / "user" / "bench").touch()
            (build / "tests" / "cpu").mkdir(parents=True)
            for name in {"forkscope", "qemu", "tests/cpu/engine_floor"} - set(leave_out):
                (build / name).write_text(MACHINE.replace("{body}", body))
                (build / name).chmod(0o755)
            command = [sys.executable, BENCH, "--build", build, "--qemu", build / "qemu", *arguments]
            return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_each_round_runs_every_workload_on_every_platform(self):
        run = self.bench("--rounds", "3", "--workloads", "intloop,forkstorm", "--json")
        self.assertEqual(run.returncode, 0, run.stderr)
        report = json.loads(run.stdout)
        self.assertEqual(list(report["times"]), ["intloop", "forkstorm"])
        every = {"forkscope": 3, "record": 3, "window": 3, "fast": 3, "qemu": 3}
        # The engine alone has no kernel that could fork.
        for workload, platforms in (("intloop", {**every, "engine": 3}), ("forkstorm", every)):
            times = report["times"][workload]
            self.assertEqual({platform: len(values) for platform, values in times.items()}, platforms)

    def test_a_log_is_measured_by_its_events(self):
        run = self.bench("--log", "--rounds", "2", "--json", "--check", leave_out=("qemu",))
        report = json.loads(run.stdout)["log"]
        self.assertEqual(report["storm bytes"]["median"], 9)
        self.assertTrue(report["storm bytes"]["missed"])
        self.assertEqual(run.returncode, 1)
        self.assertGreater(report["forks"]["median"], 0)
        self.assertNotIn("write", report)
        self.assertIn("log_bench is not there", run.stderr)

    def test_the_time_between_the_markers_is_what_counts(self):
        report = json.loads(self.bench("--rounds", "1", "--workloads", "sort", "--json").stdout)
        seconds = report["summary"]["sort"]["seconds"]
        self.assertGreaterEqual(seconds["record"], 0.2)
        self.assertGreater(report["summary"]["sort"]["ratios"]["record / forkscope"]["median"], 1)

    def test_cpu_time_leaves_pauses_out(self):
        report = json.loads(self.bench("--rounds", "1", "--workloads", "sort", "--clock", "cpu", "--json").stdout)
        self.assertLess(report["summary"]["sort"]["seconds"]["record"], 0.2)

    def test_the_table_names_goals_and_check_fails_on_a_missed_one(self):
        arguments = ["--rounds", "1", "--workloads", "sort", "--platforms", "forkscope,record"]
        run = self.bench(*arguments)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("record / forkscope", run.stdout)
        self.assertIn("!<=1.05", run.stdout)
        self.assertNotIn("qemu", run.stdout)
        self.assertEqual(self.bench(*arguments, "--check").returncode, 1)

    def assert_fails(self, run, *said):
        self.assertEqual(run.returncode, 2, run.stdout)
        self.assertEqual(run.stdout, "")
        for text in said:
            self.assertIn(text, run.stderr)
        self.assertNotIn("Traceback", run.stderr)

    def test_different_results_are_an_error(self):
        body = 'if not forkscope and not engine:\n    print(f"BENCH end {workload} 41", flush=True); sys.exit(1)'
        self.assert_fails(self.bench("--rounds", "1", "--workloads", "calls", body=body), "calls", "'41'", "'42'")

    def test_a_guest_that_dies_is_an_error_with_its_last_words(self):
        run = self.bench("--rounds", "1", body='print("Kernel panic", flush=True); sys.exit(3)')
        self.assert_fails(run, "status 3", "without its BENCH lines", "| Kernel panic")

    def test_a_bad_status_after_the_end_is_an_error(self):
        body = 'print(f"BENCH end {workload} 42", flush=True); sys.exit(4)'
        self.assert_fails(self.bench("--rounds", "1", body=body), "ended with status 4, not 0")

    def test_a_guest_that_hangs_is_ended(self):
        self.assert_fails(self.bench("--rounds", "1", "--timeout", "0.5", body="time.sleep(60)"), "no end after 0.5 s")

    def test_what_is_not_built_is_named(self):
        self.assert_fails(self.bench(leave_out=["guest/initramfs.cpio", "qemu"]), "initramfs.cpio", "qemu")
        self.assertNotIn("forkscope,", self.bench("--platforms", "qemu", leave_out=["forkscope", "qemu"]).stderr)

    def test_bad_usage(self):
        for arguments in (["--workloads", "nosuch"], ["--platforms", "vax"], ["--rounds", "0"]):
            self.assertEqual(self.bench(*arguments).returncode, 2)


if __name__ == "__main__":
    unittest.main()
