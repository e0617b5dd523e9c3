#!/usr/bin/env python3
"""Tests of tools/setup with fakes for the package tools: nothing is fetched or installed."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

SETUP = pathlib.Path(__file__).resolve().parents[2] / "tools" / "setup"

# Each fake sees $S, its state: installed (package names), suites (SUITE VERSION of Unicorn), broken (words of
# apt-get command lines that fail), calls.
FAKES = {
    "dpkg-query": 'sed "s/^/installed /" "$S/installed"',
    "pkg-config": 'grep -qx libunicorn-dev "$S/installed"',
    "id": "cat $S/uid",
    "sudo": '[ "$1" != -n ] || shift; [ -e "$S/sudo-ok" ] || exit 1; "$@"',
    "apt-cache": r"""
[[ $* =~ sourcelist=([^ ]*/([a-z]*)\.list) ]]
awk -v suite="${BASH_REMATCH[2]}" '$1 == suite { print "libunicorn-dev | " $2 " | uri" }' "$S/suites"
""",
    "apt-get": r"""
echo "$*" >>"$S/calls"
while read -r word; do
    if [[ $* == *$word* ]]; then echo "E: Failed to fetch $word  no route" >&2; exit 100; fi
done <"$S/broken"
case "$*" in
indextargets*) cat "$S/uris" ;;
*download*) touch "$PWD/libunicorn2t64_1.deb" "$PWD/libunicorn-dev_1.deb" ;;
*install*)
    for word in "$@"; do
        case $word in
        */lib*_1.deb) basename "$word" _1.deb >>"$S/installed" ;;
        [a-z]*) [ "$word" = install ] || echo "$word" >>"$S/installed" ;;
        esac
    done ;;
esac
""",
}


class Setup(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.tree = pathlib.Path(directory.name)
        for folder in ("tools", "bin", "state", "tmp"):
            (self.tree / folder).mkdir()
        shutil.copy(SETUP, self.tree / "tools" / "setup")
        for name, body in FAKES.items():
            (self.tree / "bin" / name).write_text(f"#!/bin/bash\nS={self.tree}/state\n{body}\n")
            (self.tree / "bin" / name).chmod(0o755)
        self.state(installed="libunicorn-dev\n", suites="forky 2.1.4-4\nsid 2.1.5-1\n", broken="", calls="",
                   uris="http://mirror.invalid/debian/\n", uid="0\n")

    def state(self, **files):
        for name, text in files.items():
            (self.tree / "state" / name).write_text(text)

    def read(self, name):
        return (self.tree / "state" / name).read_text()

    def setup(self, *arguments):
        environment = {"PATH": f"{self.tree}/bin:/usr/bin:/bin", "TMPDIR": str(self.tree / "tmp")}
        run = subprocess.run([self.tree / "tools" / "setup", *arguments], capture_output=True, text=True, check=False,
                             stdin=subprocess.DEVNULL, env=environment)
        self.assertEqual(os.listdir(self.tree / "tmp"), [], "something was left behind")
        return run

    def assert_fails(self, run, *said):
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        self.assertEqual(run.stderr.count("\n"), 1, run.stderr)
        for text in said:
            self.assertIn(text, run.stderr)

    def packages(self, *arguments):
        return self.setup("--list", *arguments).stdout.split()

    def test_the_second_run_calls_no_apt(self):
        self.assertEqual(self.setup("--tests").returncode, 0)
        self.state(calls="")
        run = self.setup("--tests")
        self.assertEqual((run.returncode, run.stdout), (0, "tools/setup: nothing to install\n"))
        self.assertEqual(self.read("calls"), "")

    def test_only_what_is_missing_is_installed(self):
        self.state(installed="\n".join(set(self.packages()) - {"cmake"}) + "\n")
        self.assertEqual(self.setup().returncode, 0)
        install = [line for line in self.read("calls").splitlines() if " install " in line]
        self.assertEqual(len(install), 1)
        self.assertTrue(install[0].endswith("install --no-install-recommends cmake"), install[0])

    def test_test_packages_come_only_with_tests(self):
        self.assertLess(set(self.packages()), set(self.packages("--tests")))
        self.assertNotIn("qemu-system-x86", self.packages())
        self.assertIn("qemu-system-x86", self.packages("--tests"))

    def test_unicorn_comes_from_the_first_suite_that_is_new_enough(self):
        for suites, suite in (("forky 2.1.4-4\nsid 2.1.5-1\n", "forky"), ("forky 2.1.1-1\nsid 2.1.5-1\n", "sid"),
                              ("sid 2.1.4-1\n", "sid")):
            self.state(installed="", suites=suites)
            run = self.setup()
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertIn(f"from {suite}", run.stdout)
            self.assertIn("libunicorn2t64", self.read("installed"))

    def test_a_suite_that_cannot_be_read_is_passed_over(self):
        self.state(installed="", broken="forky.list\n")
        self.assertIn("from sid", self.setup().stdout)

    def test_no_suite_has_it(self):
        self.state(installed="", suites="forky 2.1.1-1\nsid 2.1.3-1\n")
        self.assert_fails(self.setup(), "Unicorn >= 2.1.4 could not be fetched", "2.1.3-1")

    def test_no_network(self):
        self.state(installed="", broken="update\ninstall\n")
        self.assert_fails(self.setup(), "packages could not be installed", "no route")

    def test_a_foreign_source_that_is_broken_does_not_matter(self):
        self.state(installed="", broken="force-confold update\n")  # reading the machine's own lists
        self.assertEqual(self.setup().returncode, 0)
        self.assertIn("force-confold update", self.read("calls"))

    def test_no_source_of_debian_itself(self):
        self.state(installed="", uris="")
        self.assert_fails(self.setup(), "no apt source of this machine carries")

    def test_a_user_goes_through_sudo_or_is_told(self):
        self.state(uid="1000\n", installed="")
        self.assert_fails(self.setup(), "not root", "cmake")
        self.assertEqual(self.read("calls"), "")
        self.state(**{"sudo-ok": ""})
        self.assertEqual(self.setup().returncode, 0)

    def test_bad_usage(self):
        self.assertEqual(self.setup("--nosuch").returncode, 2)


if __name__ == "__main__":
    unittest.main()
