#!/usr/bin/env python3
"""Images of Debian's packages: its kernel boots to a shell and powers off, with its log proved complete; memtest86+
finds the memory sound."""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import debian

ARGS = None
MEMTEST = "/boot/memtest86+x64.bin"
TIMEOUT = 280  # seconds
SCRIPT = """echo "MARK $(uname -s -m)"
(echo child; exit 3); echo "status $?"
sh -c 'echo from a shell'
grep -c processor /proc/cpuinfo
poweroff -f
"""


@unittest.skipUnless(debian.kernel(), "linux-image-cloud-amd64 is not there (tools/setup --tests)")
class DebianKernel(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.dir = pathlib.Path(holder.name)

    def boot(self, script, *arguments, modules=(), append="console=ttyS0 quiet"):
        command = [ARGS.forkscope, "run", "-kernel", debian.kernel()[0], "-initrd",
                   debian.initramfs(self.dir, script, modules), "-append", append, *arguments]
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=TIMEOUT, check=False)

    def log(self, *arguments):
        done = subprocess.run([ARGS.forkscope, "log", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=TIMEOUT, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode()

    def lines_from_mark(self, output):
        text = output.decode(errors="replace").replace("\r", "")
        self.assertIn("MARK", text)
        return [line for line in text[text.index("MARK"):].splitlines() if not line.startswith("[")]

    def test_boots_to_a_shell_and_powers_off_recorded_and_audited(self):
        log = str(self.dir / "linux.mmu")
        done = self.boot(SCRIPT, "--record", log, "--audit")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertRegex(done.stderr.decode(), r"audit: [1-9]\d* entries under [1-9]\d* roots, 0 differences\n$")
        self.assertEqual(self.lines_from_mark(done.stdout)[:5],
                         ["MARK Linux x86_64", "child", "status 3", "from a shell", "1"])
        # Linux's own fork and copy-on-write are in the log, told apart by address space alone.
        info = json.loads(self.log("info", "--json", log))
        self.assertEqual(info["damage"], "")
        roots = set(re.findall(r'"root": ?"?(\w+)', self.log("show", "--json", "--kind", "fault", log)))
        self.assertGreater(len(roots), 3)
        # Its code has names although the image has none: the kernel keeps them in memory.
        self.assertRegex(self.log("info", log), r"symbols +kernel kernel .*: [3-9]\d,\d{3} symbols")
        codes = {event["code"].split("+")[0] for event in
                 json.loads(self.log("show", "--json", "--limit", "0", "--kind", "pte-write", log))["events"]}
        self.assertLessEqual({"copy_page_range", "unmap_page_range", "native_set_pte"}, codes)

    def test_shell_on_the_screen(self):
        screen = self.dir / "screen.txt"
        script = "exec setsid sh -c 'exec sh </dev/tty1 >/dev/tty1 2>&1'\n"
        done = self.boot(script, "--keys", "echo $((6*7))\\ntty\\npoweroff -f\\n", "--screenshot", str(screen),
                         append="console=tty0 quiet")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        shown = [line.rstrip() for line in screen.read_text().splitlines()]
        self.assertEqual(len(shown), 25)
        first = next(i for i, line in enumerate(shown) if line.endswith("# echo $((6*7))"))
        self.assertEqual(shown[first + 1], "42")
        self.assertEqual(shown[first + 3], "/dev/tty1")

    def test_console_on_a_framebuffer(self):
        pictures = []
        script = "echo MARK; cat /sys/class/graphics/fb0/name /sys/class/graphics/fb0/virtual_size\npoweroff -f\n"
        for name in ("a.png", "b.png"):
            done = self.boot(script, "-device", "ramfb,xres=800,yres=600", "--screenshot", str(self.dir / name),
                             append="console=tty0 console=ttyS0")
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            self.assertEqual(self.lines_from_mark(done.stdout)[:3], ["MARK", "EFI VGA", "800,600"])
            pictures.append((self.dir / name).read_bytes())
        self.assertEqual(pictures[0], pictures[1])
        self.assertEqual(pictures[0][16:24], (800).to_bytes(4, "big") + (600).to_bytes(4, "big"))
        # The letters of a boot, not a dark screen.
        self.assertGreater(len(pictures[0]), 10_000)

    def test_ext4_on_a_virtio_disk(self):
        disk = debian.ext4(self.dir, {"greeting": "hello from the disk\n"})
        script = ("mount -t ext4 /dev/vda /mnt && echo MARK && cat /mnt/greeting\n"
                  "dd if=/dev/hwrng of=/mnt/random bs=16 count=1 2>/dev/null; stat -c %s /mnt/random\n"
                  "echo written by the guest > /mnt/answer; umount /mnt; poweroff -f\n")
        modules = ("virtio_mmio", "virtio_blk", "virtio-rng")
        for drive in (f"file={disk},snapshot=on", f"file={disk}"):
            done = self.boot(script, "-drive", drive, "--audit", modules=modules)
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            self.assertEqual(self.lines_from_mark(done.stdout)[:3], ["MARK", "hello from the disk", "16"])
            self.assertIn("0 differences", done.stderr.decode())
            dump = subprocess.run(["/sbin/debugfs", "-R", "cat answer", disk], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, check=False).stdout
            self.assertEqual(dump, b"" if "snapshot" in drive else b"written by the guest\n")
        check = subprocess.run(["/sbin/fsck.ext4", "-n", "-f", disk], stdout=subprocess.PIPE, check=False)
        self.assertEqual(check.returncode, 0, check.stdout.decode())

    def test_the_hosts_clock_and_intels_vendor(self):
        done = self.boot(SCRIPT, "--fast", "-cpu", "intel", append="console=ttyS0")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn(b"page tables isolation: enabled", done.stdout)
        self.assertEqual(self.lines_from_mark(done.stdout)[:3], ["MARK Linux x86_64", "child", "status 3"])

    def test_reset(self):
        done = self.boot("echo MARK; reboot -f\n")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn("the guest reset the machine", done.stderr.decode())


@unittest.skipUnless(pathlib.Path(MEMTEST).exists(), "memtest86+ is not there (tools/setup --tests)")
class Memtest(unittest.TestCase):
    def test_first_tests_find_no_error(self):
        # With the clock of instructions, twelve seconds reach the same place in every run.
        command = [ARGS.forkscope, "run", "-m", "16M", "-kernel", MEMTEST, "-append", "console=ttyS0,115200",
                   "--exit-after", "12"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=TIMEOUT, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        text = done.stdout
        self.assertRegex(text, rb"#[3-9] +\[")  # tests 0 to 2 are over
        self.assertIn(b"Memtest86+", text)
        self.assertRegex(text, rb"Errors: +0")
        self.assertNotRegex(text, rb"Errors: +[1-9]")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--forkscope", required=True)
    ARGS, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
