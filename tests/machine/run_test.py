#!/usr/bin/env python3
"""Whole runs of the program: bundled images, exit statuses, logs that repeat, bad input, QEMU beside it."""
import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ARGS = None
TIMEOUT = 240  # seconds; sanitizers are slow


def forkscope(*arguments, **keywords):
    return subprocess.run([ARGS.forkscope, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=TIMEOUT, check=False, **keywords)


def run(init, *arguments):
    return forkscope("run", "-append", f"init={init}", *arguments)


class Scratch(unittest.TestCase):
    def setUp(self):
        self.holder = tempfile.TemporaryDirectory()
        self.dir = pathlib.Path(self.holder.name)
        self.addCleanup(self.holder.cleanup)

    def path(self, name):
        return str(self.dir / name)


class BundledKernel(Scratch):
    def test_demonstration_with_proof(self):
        done = run("/bin/forkscope-demo", "--audit", "--audit-every", "2", "--audit-tlb", "--record", self.path("d.mmu"))
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn(b"hello from busybox", done.stdout)
        self.assertRegex(done.stderr.decode(), r"audit: [1-9]\d* entries under [1-9]\d* roots, 0 differences\n$")

    def test_status_is_what_init_returns(self):
        self.assertEqual(run('/bin/busybox -- sh -c "exit 7"').returncode, 7)

    def test_an_empty_command_line_is_one(self):
        done = forkscope("run", "-append", "", "--exit-after", "0.001", "-nographic")
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_both_spellings_of_options(self):
        done = forkscope("run", "--append", "init=/bin/busybox -- true", "--serial", f"file:{self.path('out')}", "-m", "128M")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn(b"Forkscope kernel", (self.dir / "out").read_bytes())

    def test_two_runs_give_the_same_bytes(self):
        for name in ("a.mmu", "b.mmu"):
            self.assertEqual(run("/bin/forkscope-demo", "--record", self.path(name)).returncode, 0)
        self.assertEqual((self.dir / "a.mmu").read_bytes(), (self.dir / "b.mmu").read_bytes())

    def stopped_in_mid_run(self, number, log):
        """The exit status of a run that gets a signal once its guest computes and its log has the boot in it."""
        command = [ARGS.forkscope, "run", "-append", "init=/bin/bench -- intloop 100000000000", "--record", log]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
            for line in child.stdout:
                if line.startswith(b"BENCH begin"):
                    break
            # The file grows each quarter of a virtual second: the second time, all of the boot is in it.
            sizes = {os.path.getsize(log)}
            while len(sizes) < 3:
                time.sleep(0.05)
                sizes.add(os.path.getsize(log))
            child.send_signal(number)
            return child.wait(TIMEOUT)

    def test_a_signal_closes_the_log(self):
        log = self.path("term.mmu")
        self.assertEqual(self.stopped_in_mid_run(signal.SIGTERM, log), 128 + signal.SIGTERM)
        report = json.loads(forkscope("log", "info", "--json", log).stdout)
        self.assertEqual(report["damage"], "")

    def test_a_killed_run_keeps_what_was_written(self):
        log = self.path("kill.mmu")
        self.assertEqual(self.stopped_in_mid_run(signal.SIGKILL, log), -signal.SIGKILL)
        done = forkscope("log", "show", "--limit", "0", log)
        # Shown, and said to be cut.
        self.assertEqual(done.returncode, 1, done.stderr.decode())
        self.assertGreater(len(done.stdout.splitlines()), 1000)
        self.assertIn(b"This log is not whole", done.stdout)

    def test_nobody_reads_the_output(self):
        log = self.path("pipe.mmu")
        self.assertEqual(self.stopped_in_mid_run(signal.SIGPIPE, log), 128 + signal.SIGPIPE)
        self.assertEqual(json.loads(forkscope("log", "info", "--json", log).stdout)["damage"], "")

    def test_with_the_hosts_clock(self):
        done = run("/bin/forkscope-demo", "--fast", "--audit")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn(b"0 differences", done.stderr)

    def test_limit_of_virtual_time(self):
        done = run("/bin/busybox -- sleep 1000", "--exit-after", "2")
        self.assertEqual(done.returncode, 0, done.stderr.decode())

    def test_trace_as_text(self):
        done = run("/bin/busybox -- true", "-d", "int,mmu,cpu", "-D", self.path("trace"))
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        text = (self.dir / "trace").read_text()
        for word in ("fault", "pte-write", "cr3", "syscall"):
            self.assertIn(f" {word} ", text)


class TheStory(Scratch):
    """The log of the demonstration, asked through the command line."""

    @classmethod
    def setUpClass(cls):
        cls.holder_ = tempfile.TemporaryDirectory()
        cls.log = str(pathlib.Path(cls.holder_.name) / "demo.mmu")
        done = run("/bin/forkscope-demo", "--record", cls.log, "--audit")
        assert done.returncode == 0, done.stderr.decode()

    @classmethod
    def tearDownClass(cls):
        cls.holder_.cleanup()

    def ask(self, *arguments):
        done = forkscope("log", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode()

    def test_every_verb_answers_in_text_and_json(self):
        for verb, *rest in (["info"], ["show"], ["forks"], ["story"], ["stats"]):
            self.assertNotEqual(self.ask(verb, self.log, *rest), "")
            text = self.ask(verb, self.log, *rest, "--json")
            try:
                json.loads(text)
            except json.JSONDecodeError:
                for line in text.splitlines():
                    json.loads(line)

    def test_first_writes_add_up(self):
        story = self.ask("story", self.log, "2")
        # 64 pages and the program's own data and stack page.
        self.assertIn("64 pages", story)
        self.assertIn("66 entries of the parent made read-only", story)
        copies = [line for line in story.splitlines() if "copy: frame" in line]
        demo_pages = [line for line in story.splitlines() if " writes 0x7ffff7e" in line]
        # The child's five and the parent's three are copies; the five that the child gave back are reuses.
        self.assertEqual(len(demo_pages), 5 + 3 + 5)
        self.assertGreaterEqual(len(copies), 8)
        self.assertIn("TLB flush: CR3 load", story)
        self.assertRegex(story, r"by copy_page_range\+0x[0-9a-f]+ \(guest/mm/copy_page_range.cpp:[0-9]+\)")

    def test_vfork_writes_no_page_table(self):
        # Row V1.
        self.assertIn("no page-table entry was written", self.ask("story", self.log, "3"))

    def test_no_check_fired(self):
        # Rows W8: no stale writable entry anywhere.
        self.assertEqual(self.ask("show", self.log, "--kind", "finding", "--json").count('"kind"'), 0)


class BesideQemu(Scratch):
    def test_serial_output_is_the_same(self):
        for init in ("/bin/forkscope-demo", "/bin/busybox -- echo hi", "/bin/hello-glibc"):
            ours = run(init)
            self.assertEqual(ours.returncode, 0, ours.stderr.decode())
            command = [ARGS.qemu, "-M", "pc", "-accel", "tcg", "-m", "256M", "-display", "none", "-no-reboot", "-net",
                       "none", "-serial", f"file:{self.path('serial')}", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
                       "-kernel", ARGS.kernel, "-initrd", ARGS.initrd, "-append", f"init={init}"]
            theirs = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=False)
            self.assertEqual(theirs.returncode, 1, "QEMU: isa-debug-exit with 0")
            self.assertEqual(ours.stdout, (self.dir / "serial").read_bytes())


class BadInput(Scratch):
    def refused(self, *arguments, says):
        before = sorted(os.listdir(self.dir))
        done = forkscope("run", *arguments)
        text = done.stderr.decode()
        self.assertEqual(done.returncode, 2, text)
        self.assertEqual(len(text.splitlines()), 1, text)
        self.assertIn(says, text)
        self.assertEqual(done.stdout, b"")
        self.assertEqual(sorted(os.listdir(self.dir)), before, "something was left behind")

    def put(self, name, data):
        (self.dir / name).write_bytes(data)
        return self.path(name)

    def test_kernels(self):
        kernel = pathlib.Path(ARGS.kernel).read_bytes()
        record = ["--record", self.path("r.mmu")]
        self.refused("-kernel", self.path("none"), *record, says="none")
        self.refused("-kernel", str(self.dir), *record, says=str(self.dir))
        self.refused("-kernel", self.put("text", b"hello, I am no kernel\n" * 40), *record, says="text")
        self.refused("-kernel", self.put("empty", b""), *record, says="empty")
        for size in (3, 20, 63, 100, 4095, len(kernel) // 2):
            self.refused("-kernel", self.put("cut", kernel[:size]), *record, says="cut")

    def test_initrds(self):
        archive = pathlib.Path(ARGS.initrd).read_bytes()
        record = ["--record", self.path("r.mmu")]
        self.refused("-initrd", self.path("none"), *record, says="none")
        self.refused("-initrd", self.put("text", b"no archive" * 100), *record, says="text")
        self.refused("-initrd", self.put("cut", archive[: len(archive) // 2]), *record, says="cut")
        self.refused("-kernel", ARGS.kernel, "-initrd", self.put("cut2", archive[:2000]), *record, says="cut2")
        # The bundled kernel is known wherever it lies.
        self.refused("-kernel", ARGS.kernel, "-initrd", self.put("text", b"no archive" * 100), *record, says="text")

    def test_memory(self):
        for size, says in (("2M", "2 MiB"), ("0", "-m 0"), ("lots", "-m lots"), ("3M", "2 MiB"), ("-1", "-1"),
                           ("99999999G", "-m")):
            done = forkscope("run", "-m", size)
            self.assertEqual(done.returncode, 2, f"{size}: {done.stderr.decode()}")
            self.assertTrue(done.stderr.decode().strip(), size)

    def test_too_much_memory_and_too_little_for_the_initramfs(self):
        for size in ("8M", "33G", "5000G"):
            self.refused("-m", size, "--record", self.path("r.mmu"), says=f"at {'least' if size == '8M' else 'most'}")

    def test_one_file_for_two_purposes(self):
        kernel = self.put("kernel", pathlib.Path(ARGS.kernel).read_bytes())
        self.refused("-kernel", kernel, "--record", kernel, says="the same file as -kernel")
        self.refused("--record", self.path("one"), "-D", self.path("one"), "-d", "int", says="the same file as --record")

    def test_options_that_need_another(self):
        self.refused("--record", "", says="--record")
        self.refused("--events", "fault", says="--record")
        self.refused("-D", self.path("trace"), says="-d")

    def test_flat_images(self):
        for spec, says in (("loader", "expected loader,file="), ("loader,file=x", "expected loader,file="),
                           ("loader,file=x,addr=zz", "'zz' is no address"), ("loader,file=x,addr=1,mode=8", "'mode=8'"),
                           (f"loader,file={ARGS.flat},addr=0xa000", "overlap"),
                           (f"loader,file={ARGS.flat},addr=0x100000,mode=16", "1 MiB")):
            self.refused("-device", spec, says=says)
        self.refused("-device", f"loader,file={ARGS.flat},addr=0x7c00", "-kernel", ARGS.kernel, says="expected one of them")

    def test_modules(self):
        self.refused("-kernel", ARGS.multiboot, "-initrd", self.path("none") + " x", says="none")

    def test_drives(self):
        self.refused("-drive", "readonly=on", says="expected file=FILE")
        self.refused("-drive", f"file={self.path('none')}", says="none: cannot be opened")
        self.refused("-drive", f"file={self.put('odd', b'x' * 513)}", says="513 bytes; expected a multiple of 512")
        self.refused("-drive", "file=x,if=ide", says="'if=ide'")

    def test_a_story_is_not_told_from_a_part(self):
        log = self.path("part.mmu")
        run("/bin/forkscope-demo", "--record", log, "--events", "pte-write,fault,announce")
        done = forkscope("log", "story", log)
        self.assertEqual(done.returncode, 2)
        self.assertIn("without", done.stderr.decode())
        self.assertIn("flush", done.stderr.decode())

    def test_records(self):
        self.refused("--record", self.path("no/such/folder.mmu"), says="no/such/folder.mmu")
        self.refused("--record", str(self.dir), says=str(self.dir))

    def test_options(self):
        for arguments in (["--no-such-option"], ["-d", "bogus"], ["-cpu", "z80"], ["-serial", "tape"], ["--events", "x"],
                          ["-display", "mirror"], ["-device", "floppy"]):
            done = forkscope("run", *arguments)
            self.assertEqual(done.returncode, 2, f"{arguments}: {done.stderr.decode()}")

    def test_commands(self):
        for arguments, says in (([], "expected a command: run, log"), (["frob"], "no command 'frob'; there are run, log"),
                                (["log", "frob"], "no command 'frob'; there are info"),
                                (["run", "--frob"], "--frob"), (["log", "show", "f", "--limit", "-1"], "--limit"),
                                (["log", "story", "0", "f"], "'f'")):
            done = forkscope(*arguments)
            text = done.stderr.decode()
            self.assertEqual((done.returncode, len(text.splitlines())), (2, 1), text)
            self.assertIn(says, text)

    def test_full_disk(self):
        done = run("/bin/forkscope-demo", "--record", "/dev/full")
        self.assertEqual(done.returncode, 2, done.stderr.decode())
        self.assertIn("/dev/full", done.stderr.decode())


    def test_full_disk_of_a_trace(self):
        log = self.path("r.mmu")
        done = run("/bin/forkdemo", "--record", log, "-d", "int,mmu", "-D", "/dev/full")
        text = done.stderr.decode()
        self.assertEqual((done.returncode, len(text.splitlines())), (2, 1), text)
        self.assertIn("-D /dev/full", text)
        self.assertEqual(json.loads(forkscope("log", "info", "--json", log).stdout)["damage"], "")

    def test_nobody_hears(self):
        with open("/dev/full", "wb") as full:
            command = [ARGS.forkscope, "run", "-kernel", self.path("none")]
            self.assertEqual(subprocess.run(command, stderr=full, timeout=TIMEOUT, check=False).returncode, 2)

    def test_closed_descriptors_take_nothing_that_is_not_theirs(self):
        logs = [self.path("open.mmu"), self.path("closed.mmu")]
        for log, closed in zip(logs, ("", " <&- >&- 2>&-")):
            command = f'exec "$0" run -append init=/bin/forkdemo --record "$1"{closed}'
            subprocess.run(["sh", "-c", command, ARGS.forkscope, log], stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.assertEqual(*(pathlib.Path(log).read_bytes() for log in logs))

    def test_exit_after(self):
        for seconds in ("nan", "-1", "1e400", "inf"):
            self.refused("--exit-after", seconds, says="--exit-after")


class Completeness(Scratch):
    """The log alone gives the tables as they are in RAM, and says who wrote each entry."""

    def record(self, append, *arguments):
        done = forkscope("run", "-append", f"quiet {append} init=/bin/forkscope-demo -- -q", "--record", self.path("c.mmu"),
                         "--audit", *arguments)
        self.assertIn("0 differences", done.stderr.decode())
        return self.path("c.mmu")

    def user_leaves_found(self, log):
        """How many entries of user pages were found in new tables: (by a known writer, by nobody)."""
        shown = forkscope("log", "show", "--json", "--limit", "0", "--kind", "pte-found", "--level", "1",
                          "--va", "0-0x7fffffffffff", log)
        events = json.loads(shown.stdout)["events"]
        known = [e for e in events if e["written"] is not None]
        for event in known:
            self.assertLessEqual(event["written"]["icount"], event["icount"])
        return len(known), len(events) - len(known)

    def test_tables_of_the_log_are_those_of_ram(self):
        for way in ("cow", "shared-tables"):
            log = self.record(f"fork={way}", "--save-ram", self.path("c.ram"))
            done = forkscope("log", "verify", log, "--ram", self.path("c.ram"))
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            self.assertRegex(done.stdout.decode(), r"^[1-9][\d,]* entries in .*: 0 differences")

    def test_a_difference_is_found(self):
        log = self.record("", "--save-ram", self.path("c.ram"))
        writes = json.loads(forkscope("log", "show", "--json", "--limit", "1", "--kind", "pte-write", "--level", "4", log).stdout)
        entry = int(writes["events"][0]["entry"], 16)
        with open(self.path("c.ram"), "r+b") as ram:
            ram.seek(entry)
            byte = ram.read(1)
            ram.seek(entry)
            ram.write(bytes([byte[0] ^ 0x80]))
        done = forkscope("log", "verify", log, "--ram", self.path("c.ram"))
        self.assertEqual(done.returncode, 4, done.stderr.decode())
        self.assertIn(f"the entry at {entry:#x} holds", done.stdout.decode())

    def test_ram_of_another_run(self):
        log = self.record("")
        with open(self.path("short"), "wb") as ram:
            ram.write(b"x")
        for arguments, says in ((["--ram", self.path("short")], "1 bytes; expected 268435456"),
                                (["--ram", self.path("none")], "No such file"), ([], "--ram FILE")):
            done = forkscope("log", "verify", log, *arguments)
            self.assertEqual(done.returncode, 2)
            self.assertIn(says, done.stderr.decode())

    def test_announced_tables_have_their_writers(self):
        known, unknown = self.user_leaves_found(self.record(""))
        self.assertGreater(known, 50)
        self.assertEqual(unknown, 0)

    def test_retrace_finds_the_writers_of_a_guest_that_announces_nothing(self):
        known, unknown = self.user_leaves_found(self.record("announce=off"))
        self.assertEqual(known, 0)
        self.assertGreater(unknown, 50)
        log = self.record("announce=off", "--retrace")
        first = pathlib.Path(log).read_bytes()
        known, unknown = self.user_leaves_found(log)
        self.assertGreater(known, 50)
        self.assertEqual(unknown, 0)
        self.record("announce=off", "--retrace")
        self.assertEqual(pathlib.Path(log).read_bytes(), first)

    def test_retrace_wants_a_run_that_repeats(self):
        for arguments, says in ((["--retrace"], "--record"), (["--retrace", "--fast", "--record", self.path("f")], "--fast")):
            done = run("/bin/busybox -- true", *arguments)
            self.assertEqual(done.returncode, 2)
            self.assertIn(says, done.stderr.decode())


class Checks(Scratch):
    def test_fast_runs_say_what_they_cannot_see(self):
        done = forkscope("run", "--fast", "--check", "all")
        self.assertEqual((done.returncode, done.stderr.decode()),
                         (2, "forkscope: --check all: with --fast nobody sees the returns to user mode; expected no --fast\n"))
        log = self.path("fast.mmu")
        self.assertEqual(run("/bin/busybox -- true", "--fast", "--record", log).returncode, 0)
        self.assertIn(b"Recorded with --fast:", forkscope("log", "check", log).stdout)

    def test_verbs_refuse_what_a_log_does_not_have(self):
        log = self.path("few.mmu")
        self.assertEqual(run("/bin/busybox -- true", "--record", log, "--events", "fault").returncode, 0)
        for verb in ("tasks", "faults"):
            done = forkscope("log", verb, log)
            self.assertEqual(done.returncode, 2)
            self.assertIn(b"was recorded without", done.stderr)

    BUG = "bug=no-flush-at-fork quiet init=/bin/buglab -- fork"

    def test_findings_are_said_and_end_with_4(self):
        done = forkscope("run", "-append", self.BUG, "--check", "stale-tlb")
        self.assertEqual(done.returncode, 4)
        self.assertRegex(done.stderr.decode(), r"check: stale-tlb at \S*copy_page_range\S* \(guest/\S+:\d+\) by buglab\[1\] \(instruction")
        self.assertRegex(done.stderr.decode(), r"check: [1-9]\d* findings?: [1-9]\d* stale-tlb")

    def test_a_log_is_checked_as_the_run_is(self):
        log = self.path("c.mmu")
        live = forkscope("run", "-append", self.BUG, "--check", "all", "--record", log).stderr.decode()
        done = forkscope("log", "check", log)
        self.assertEqual(done.returncode, 4)
        lines = [line for line in done.stdout.decode().splitlines() if line.startswith("stale-tlb at ")]
        self.assertEqual(lines, [line[7:] for line in live.splitlines() if line.startswith("check: stale-tlb at ")])
        self.assertEqual(forkscope("log", "check", "--check", "refcount", log).returncode, 0)

    def test_a_clean_log_has_no_finding(self):
        log = self.path("c.mmu")
        run("/bin/forkscope-demo -- -q", "--record", log)
        done = forkscope("log", "check", log)
        self.assertEqual((done.returncode, done.stdout), (0, b"No finding\n"), done.stderr)

    def test_findings_of_the_engine_are_events(self):
        log = self.path("c.mmu")
        forkscope("run", "-append", "bug=parent-left-writable quiet init=/bin/buglab -- share", "--check", "all", "--record", log)
        shown = json.loads(forkscope("log", "show", "--json", "--kind", "finding", log).stdout)
        self.assertIn("private frame writable while two spaces map it", {e["finding"] for e in shown["events"]})

    def test_unknown_checks(self):
        done = forkscope("run", "--check", "stale")
        self.assertEqual(done.returncode, 2)
        self.assertIn("'stale' is no check; expected one or more of: all, every, stale-tlb", done.stderr.decode())

    def test_a_part_of_a_log_is_refused(self):
        log = self.path("part.mmu")
        run("/bin/busybox -- true", "--record", log, "--events", "finding,flush")
        done = forkscope("log", "check", log)
        self.assertEqual(done.returncode, 2)
        self.assertIn("pte-write", done.stderr.decode())


class OtherImages(Scratch):
    def test_triple_fault_dumps_the_cpu(self):
        done = forkscope("run", "-kernel", ARGS.triple_fault, "-append", "!")
        self.assertEqual(done.returncode, 3)
        text = done.stderr.decode()
        for word in ("triple fault", "RIP=", "CR3=", "IDT", "ud2", "stack at"):
            self.assertIn(word, text)

    def test_multiboot_is_told_the_same_as_under_qemu(self):
        (self.dir / "one").write_bytes(b"first")
        (self.dir / "two").write_bytes(b"second, of two")
        arguments = ["-kernel", ARGS.multiboot, "-append", "a  b", "-initrd", f"{self.path('one')} -x=1,{self.path('two')}",
                     "-m", "32M"]
        ours = forkscope("run", *arguments)
        self.assertEqual(ours.returncode, 1, ours.stderr.decode())
        self.assertIn(b"a  b\n", ours.stdout)
        self.assertIn(b"/one -x=1=first\n", ours.stdout)
        command = [ARGS.qemu, "-M", "pc", "-accel", "tcg", "-display", "none", "-no-reboot", "-net", "none", "-serial",
                   f"file:{self.path('serial')}", "-device", "isa-debug-exit,iobase=0xf4,iosize=4", *arguments]
        theirs = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=False)
        self.assertEqual(theirs.returncode, 1)
        self.assertEqual(ours.stdout, (self.dir / "serial").read_bytes())

    def test_flat_image_in_each_mode(self):
        for mode, digit in (("16", b"1"), ("32", b"3"), ("64", b"6")):
            done = forkscope("run", "-device", f"loader,file={ARGS.flat},addr=0x7c00,mode={mode}")
            self.assertEqual((done.returncode, done.stdout), (1, digit), done.stderr.decode())
        # In real mode above 64 KiB the code segment points at it.
        done = forkscope("run", "-device", f"loader,file={ARGS.flat},addr=0x20000,mode=16", "-device", "isa-debug-exit")
        self.assertEqual((done.returncode, done.stdout), (1, b"1"), done.stderr.decode())

    def test_a_dump_shows_code_that_is_no_longer_mapped(self):
        done = forkscope("run", "-kernel", ARGS.triple_fault, "-append", "t")
        self.assertEqual(done.returncode, 3)
        # The code that could not be fetched any more.
        self.assertRegex(done.stderr.decode(), r"code at 100051, as it last ran.*: e6 f4 .*out")

    def test_other_paging_is_said_to_be_outside_the_proof(self):
        log = self.path("p.mmu")
        done = forkscope("run", "-kernel", ARGS.triple_fault, "-append", "p", "--record", log, "--audit")
        self.assertEqual(done.returncode, ord("p") << 1 & 0xff | 1)
        self.assertIn("32-bit or PAE paging", done.stderr.decode())
        self.assertIn("not covered", forkscope("log", "stats", log).stdout.decode())

    def test_debug_exit(self):
        self.assertEqual(forkscope("run", "-kernel", ARGS.triple_fault, "-append", "\x05").returncode, 11)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("forkscope", "kernel", "initrd", "triple-fault", "multiboot", "flat", "qemu"):
        parser.add_argument(f"--{name}", required=True)
    ARGS, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
