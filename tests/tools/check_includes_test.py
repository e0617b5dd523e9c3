#!/usr/bin/env python3
"""Tests of tools/check-includes: small trees, good and bad, and what it says of each."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).resolve().parents[2] / "tools" / "check-includes"


class CheckIncludes(unittest.TestCase):
    def check(self, files):
        """Runs the script over a tree of {path: text}; returns (status, lines on stdout)."""
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                file = pathlib.Path(root) / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            run = subprocess.run([sys.executable, CHECK, "--root", root], capture_output=True, text=True, check=False)
            return run.returncode, run.stdout.splitlines()

    def assert_clean(self, files):
        self.assertEqual(self.check(files), (0, []))

    def assert_findings(self, files, *expected):
        self.assertEqual(self.check(files), (1, list(expected)))

    def test_an_allowed_include_and_a_room_of_its_own_pass(self):
        self.assert_clean({"emu/mmu/walker.cpp": '#include "emu/mmu/walker.hpp"\n#include "emu/base/address.hpp"\n'})

    def test_the_wrong_direction_is_found_with_file_and_line(self):
        self.assert_findings(
            {"emu/mmu/walker.cpp": '// a comment\n\n#include "emu/cpu/engine.hpp"\n'},
            "emu/mmu/walker.cpp:3: emu/mmu may not include emu/cpu (allowed: emu/base, emu/mem, emu/log)")

    def test_every_finding_is_reported(self):
        status, lines = self.check({
            "emu/base/a.hpp": '#include "emu/log/event.hpp"\n#include <emu/mem/guest_ram.hpp>\n',
            "tools/log/b.cpp": '#include "emu/machine/machine.hpp"\n'})
        self.assertEqual(status, 1)
        self.assertEqual([line.split(" ")[0] for line in lines],
                         ["emu/base/a.hpp:1:", "emu/base/a.hpp:2:", "tools/log/b.cpp:1:"])
        self.assertIn("(allowed: nothing of ours)", lines[0])

    def test_a_relative_path_does_not_get_round_it(self):
        self.assert_findings({"emu/bus/a.hpp": '#include "../log/event.hpp"\n', "emu/log/event.hpp": ""},
                             "emu/bus/a.hpp:1: emu/bus may not include emu/log (allowed: emu/base)")

    def test_a_neighbour_by_its_bare_name_is_of_the_same_room(self):
        self.assert_clean({"emu/bus/a.cpp": '#include "a.hpp"\n', "emu/bus/a.hpp": ""})

    def test_the_guest_shares_only_its_abi(self):
        self.assert_clean({"emu/loader/a.cpp": '#include "guest/abi/pvh.hpp"\n',
                           "guest/mm/a.cpp": '#include "guest/abi/event_port.hpp"\n#include "guest/lib/list.hpp"\n'})
        status, lines = self.check({"emu/mmu/a.cpp": '#include "guest/arch/pte.hpp"\n',
                                    "guest/abi/a.hpp": '#include "guest/lib/list.hpp"\n',
                                    "guest/mm/a.cpp": '#include "emu/base/bits.hpp"\n',
                                    "guest/user/init.c": '#include "guest/kernel/task.hpp"\n'})
        self.assertEqual(status, 1)
        self.assertEqual(len(lines), 4)

    def test_engine_and_window_headers_stay_in_their_adapters(self):
        self.assert_clean({"emu/cpu/a.cpp": "#include <unicorn/unicorn.h>\n",
                           "emu/ui/a.cpp": "#include <SDL2/SDL.h>\n"})
        self.assert_findings({"emu/cli/main.cpp": "#include <unicorn/unicorn.h>\n"},
                             "emu/cli/main.cpp:1: emu/cli may not include <unicorn/unicorn.h> (allowed in: emu/cpu)")
        self.assert_findings({"emu/machine/a.cpp": "#  include <SDL.h>\n"},
                             "emu/machine/a.cpp:1: emu/machine may not include <SDL.h> (allowed in: emu/ui, tools/panels/window)")

    def test_a_device_does_not_know_another(self):
        self.assert_clean({"devices/uart16550.cpp": '#include "devices/uart16550.hpp"\n'})
        self.assert_findings({"devices/uart16550.cpp": '#include "devices/i8259.hpp"\n'},
                             "devices/uart16550.cpp:1: a device may not include another (i8259.hpp)")

    def test_the_command_line_may_include_every_room(self):
        self.assert_clean({"emu/cli/main.cpp": '#include "emu/machine/machine.hpp"\n#include "tools/log/story.hpp"\n'})

    def test_comments_are_not_includes(self):
        self.assert_clean({
            "emu/base/a.hpp": '/* such as\n#include "emu/log/event.hpp"\n*/\n// #include "emu/log/b.hpp"\n'})
        status, _ = self.check({"emu/base/a.hpp": '/* one */ /* two\n*/\n#include "emu/log/event.hpp"\n'})
        self.assertEqual(status, 1)

    def test_a_folder_without_a_row_is_found(self):
        self.assert_findings(
            {"emu/extra/a.hpp": ""},
            "emu/extra/a.hpp:1: emu/extra is no room (give it a row in tools/check-includes)")

    def test_an_empty_tree_is_an_error_not_a_pass(self):
        self.assertEqual(self.check({}), (2, []))


if __name__ == "__main__":
    unittest.main()
