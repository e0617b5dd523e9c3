#!/usr/bin/env python3
"""Tests of tools/test: what it runs, counts and returns, with fakes in the place of every program that it calls."""
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

COMMAND = pathlib.Path(__file__).resolve().parents[2] / "tools" / "test"

CTEST_PASS = "echo '100% tests passed, 0 tests failed out of 7'"
CTEST_FAIL = "echo 'walker.pages: expected 3'; echo '71% tests passed, 2 tests failed out of 7'; exit 8"
CTEST_SKIP = "echo '  3 - a.b (Skipped)'; echo '100% tests passed, 0 tests failed out of 7'"


class TestCommand(unittest.TestCase):
    def run_with(self, *arguments, **fakes):
        """Runs a copy of tools/test in a small tree. fakes: bodies of the programs; the rest do nothing, well."""
        with tempfile.TemporaryDirectory() as root:
            tree = pathlib.Path(root)
            for folder in ("tools", "tests", ".ci", "emu", "devices", "guest", "bin"):
                (tree / folder).mkdir()
            shutil.copy(COMMAND, tree / "tools" / "test")
            (tree / "emu" / "a.cpp").touch()
            programs = {"bin/cmake": "", "bin/ctest": CTEST_PASS, "bin/clang-format": "", "bin/shellcheck": "",
                        "tools/setup": "", "tools/check-includes": ""}
            programs.update({name.replace("__", "/").replace("_", "-"): body for name, body in fakes.items()})
            for name, body in programs.items():
                (tree / name).write_text(f"#!/bin/bash\necho \"$0 $*\" >>{tree}/calls\n{body}\n")
                (tree / name).chmod(0o755)
            run = subprocess.run([tree / "tools" / "test", *arguments], capture_output=True, text=True, check=False,
                                 env={"PATH": f"{tree}/bin:/usr/bin:/bin"})
            calls = tree / "calls"
            run.calls = calls.read_text() if calls.exists() else ""
            return run

    def assert_ends(self, run, status, summary):
        self.assertEqual((run.returncode, run.stdout.splitlines()[-1]), (status, summary), run.stdout)

    def test_all_is_well(self):
        run = self.run_with()
        self.assert_ends(run, 0, "22 passed, 0 failed")  # 2 x 7 tests, 2 x 2 builds, 3 lints, the set-up
        self.assertIn("tools/setup --tests", run.calls)
        for line in run.stdout.splitlines()[:-1]:
            self.assertRegex(line, r"^\[ *\d+ s\] ")

    def test_the_sanitized_run_leaves_out_slow_tests_unless_long_is_asked_for(self):
        slow = re.compile(r"--preset dev .*-LE \^\(slow\|long\)\$")
        self.assertRegex(self.run_with().calls, slow)
        self.assertNotRegex(self.run_with("--long").calls, slow)

    def test_failed_tests_are_counted_and_shown(self):
        run = self.run_with(bin__ctest=CTEST_FAIL)
        self.assert_ends(run, 1, "18 passed, 4 failed")
        self.assertIn("| walker.pages: expected 3", run.stdout)

    def test_a_failed_build_is_one_failure_and_its_tests_do_not_run(self):
        breaks = '[[ $* != *"--build --preset dev"* ]] || { echo "error: no such thing"; exit 1; }'
        run = self.run_with(bin__cmake=breaks)
        self.assert_ends(run, 1, "14 passed, 1 failed")
        self.assertIn("| error: no such thing", run.stdout)
        self.assertNotIn("ctest --preset dev", run.calls)

    def test_a_ctest_that_breaks_after_its_tests_passed_is_a_failure(self):
        run = self.run_with("--only", "release", bin__ctest=CTEST_PASS + "; exit 1")
        self.assert_ends(run, 1, "9 passed, 1 failed")

    def test_a_ctest_without_tests_is_a_failure(self):
        run = self.run_with("--only", "release", bin__ctest="echo 'No tests were found!!!'; exit 8")
        self.assert_ends(run, 1, "2 passed, 1 failed")

    def test_skipped_tests_are_told(self):
        run = self.run_with("--only", "release", bin__ctest=CTEST_SKIP)
        self.assertIn("7 of 7 tests passed, 1 skipped", run.stdout)

    def test_a_failed_lint_does_not_keep_the_rest_from_running(self):
        run = self.run_with(tools__check_includes="echo 'emu/a.cpp:1: emu/a may not'; exit 1")
        self.assert_ends(run, 1, "21 passed, 1 failed")
        self.assertIn("| emu/a.cpp:1: emu/a may not", run.stdout)

    def test_a_file_to_format_is_named_once(self):
        line = "emu/a.cpp:%d:1: error: code should be clang-formatted [-Wclang-format-violations]"
        run = self.run_with("--only", "lint", bin__clang_format=f"echo '{line % 1}' >&2; echo '{line % 2}' >&2; exit 1")
        self.assert_ends(run, 1, "2 passed, 1 failed")
        self.assertEqual(run.stdout.count("clang-format -i emu/a.cpp"), 1)

    def test_without_its_packages_nothing_is_built(self):
        run = self.run_with(tools__setup="echo 'tools/setup: no network' >&2; exit 1")
        self.assert_ends(run, 1, "0 passed, 1 failed")
        self.assertIn("| tools/setup: no network", run.stdout)
        self.assertNotIn("cmake", run.calls)

    def test_no_setup_leaves_the_system_alone(self):
        self.assertNotIn("tools/setup --tests", self.run_with("--no-setup").calls)

    def test_bad_usage(self):
        for arguments in (["--nosuch"], ["--only", "nosuch"], ["--only"]):
            run = self.run_with(*arguments)
            self.assertEqual((run.returncode, run.calls), (2, ""))


if __name__ == "__main__":
    unittest.main()
