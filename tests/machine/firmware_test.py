#!/usr/bin/env python3
"""Firmware of Debian's packages from the reset vector on: SeaBIOS and, from its disk, GRUB; a ROM of ours."""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ARGS = None
SEABIOS = pathlib.Path("/usr/share/seabios/bios-microvm.bin")
TIMEOUT = 280  # seconds


class Firmware(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.dir = pathlib.Path(holder.name)

    def run_firmware(self, *arguments, seconds=0.3, status=0):
        """Output, errors, and what the screen shows in the end."""
        screen = self.dir / "screen.txt"
        command = [ARGS.forkscope, "run", "-bios", str(SEABIOS), "-m", "64M", "--exit-after", str(seconds),
                   "--screenshot", str(screen), *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=TIMEOUT, check=False)
        self.assertEqual(done.returncode, status, done.stderr.decode())
        return done.stdout.decode(errors="replace"), done.stderr.decode(), screen.read_text().splitlines()


def plain(text):
    """Lines without the codes of a terminal."""
    text = re.sub(r"\x1b(c|\[[0-9;?]*[A-Za-z])", "", text).replace("\r", "")
    return [line.strip() for line in text.splitlines() if line.strip()]


@unittest.skipUnless(SEABIOS.exists(), "seabios is not there (tools/setup --tests)")
class SeaBios(Firmware):
    def test_says_what_it_says_under_qemu(self):
        output, errors, screen = self.run_firmware("-nographic", "--audit")
        self.assertIn("audit: 0 entries under 0 roots, 0 differences", errors)
        said = plain(output)
        self.assertEqual(said[-1], "No bootable device.")
        # Its VGA BIOS sets the text mode; the screen shows the same.
        self.assertEqual([line for line in screen if line.strip()], said)
        if not ARGS.qemu:
            self.skipTest("no QEMU")
        qemu = subprocess.Popen([ARGS.qemu, "-M", "microvm", "-m", "64M", "-bios", str(SEABIOS), "-nographic"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        with qemu:
            text = b""
            while b"No bootable device." not in text:
                text += qemu.stdout.read(1)
            qemu.kill()
        self.assertEqual(plain(text.decode(errors="replace")), said)

    def test_its_debug_messages_find_what_the_machine_has(self):
        log = self.dir / "debug.txt"
        disk = self.dir / "disk.img"
        disk.write_bytes(bytes(1 << 20))
        self.run_firmware("-serial", "null", "--debugcon", f"file:{log}", "-drive", f"file={disk}")
        text = log.read_text()
        for line in ("Found QEMU fw_cfg", "QEMU fw_cfg DMA interface supported",
                     "qemu/e820: addr 0x0000000000000000 len 0x0000000004000000 [RAM]",
                     "virtio-mmio: feb00000: device id 2 (blk)", "virtio-mmio: feb00200: device id 4 (rng)",
                     "set VGA mode 3", "Found 2 serial ports", "0: 0000000000000000 - 000000000009fc00 = 1 RAM"):
            self.assertIn(line, text)

    def test_two_runs_are_the_same(self):
        logs = []
        for name in ("a.mmu", "b.mmu"):
            file = self.dir / name
            self.run_firmware("-serial", "null", "--record", str(file))
            logs.append(file.read_bytes())
        self.assertEqual(logs[0], logs[1])

    def test_without_a_screen(self):
        _, _, screen = self.run_firmware("-serial", "null", "-device", "VGA,romfile=")
        self.assertNotIn("SeaBIOS", "\n".join(screen))

    def test_what_nobody_answers_is_told_once(self):
        _, errors, _ = self.run_firmware("-serial", "null")
        self.assertEqual(len(re.findall(r"ports that nobody answers: .*0xcfc \(read\)", errors)), 1)


@unittest.skipUnless(SEABIOS.exists() and shutil.which("grub-mkrescue"),
                     "seabios, grub-pc-bin, xorriso or mtools is not there (tools/setup --tests)")
class GrubRescue(Firmware):
    """GRUB's rescue image, from SeaBIOS through a virtio disk."""

    def rescue_image(self, configuration):
        tree = self.dir / "tree" / "boot" / "grub"
        tree.mkdir(parents=True)
        (tree / "grub.cfg").write_text(configuration)
        disk = self.dir / "rescue.iso"
        subprocess.run(["grub-mkrescue", "-o", disk, self.dir / "tree"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=True)
        return f"file={disk},readonly=on"

    def test_takes_keys_at_its_prompt_and_powers_off(self):
        # This build of SeaBIOS drives no PS/2 keyboard; GRUB does.
        disk = self.rescue_image("insmod at_keyboard\nterminal_input at_keyboard\n")
        output, errors, screen = self.run_firmware(
            "-nographic", "--audit", "-drive", disk, "--keys", "set a=2\\necho 4$a\\nhalt\\n", seconds=30)
        self.assertIn("0 differences", errors)
        self.assertIn("Welcome to GRUB!", output)
        at = screen.index("grub> set a=2")
        self.assertEqual(screen[at:at + 4], ["grub> set a=2", "grub> echo 4$a", "42", "grub> halt"])

    def test_takes_what_is_typed_on_the_serial_line(self):
        command = [ARGS.forkscope, "run", "-bios", str(SEABIOS), "-m", "64M", "-nographic", "--exit-after", "30", "-drive",
                   self.rescue_image("")]
        done = subprocess.run(command, input=b"halt\r", stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        # It powers off before the firmware has drawn the last letter there.
        self.assertRegex(done.stdout.decode(errors="replace"), "grub> hal")


class ResetVector(unittest.TestCase):
    def test_a_processor_starts_as_the_manual_says(self):
        """A ROM of ours, here and under QEMU."""
        ours = subprocess.run([ARGS.forkscope, "run", "-bios", ARGS.reset_rom, "-nographic"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
        self.assertEqual((ours.returncode, ours.stderr), (0x21, b""))
        lines = ours.stdout.decode().split("\n")[:-1]
        self.assertEqual(len(lines), 10)
        self.assertEqual([line for line in lines if not line.endswith("=1")], [])
        if not ARGS.qemu:
            self.skipTest("no QEMU")
        theirs = subprocess.run([ARGS.qemu, "-M", "microvm", "-bios", ARGS.reset_rom, "-display", "none", "-serial",
                                 "stdio", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, timeout=TIMEOUT, check=False)
        self.assertEqual((theirs.returncode, theirs.stdout), (0x21, ours.stdout))


class BadFirmware(unittest.TestCase):
    def test_bad_input(self):
        with tempfile.TemporaryDirectory() as directory:
            small = pathlib.Path(directory) / "small.bin"
            small.write_bytes(bytes(512))
            for arguments, says in (
                    (["-bios", str(small)], f"{small}: 0x200 bytes; expected firmware of a multiple of 64 KiB"),
                    (["-bios", "/nowhere"], "/nowhere: cannot be opened"),
                    (["-bios", str(small), "-kernel", "k.elf"], "expected no 'k.elf'"),
                    (["-device", "VGA,romfile=x"], "expected -bios FILE too"),
                    (["--debugcon", "somewhere"], "-debugcon somewhere: expected stdio, stdout, file:NAME or null")):
                done = subprocess.run([ARGS.forkscope, "run", *arguments], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
                self.assertEqual(done.returncode, 2)
                self.assertEqual(len(done.stderr.decode().splitlines()), 1)
                self.assertIn(says, done.stderr.decode())


def main():
    global ARGS
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forkscope", required=True)
    parser.add_argument("--qemu", default="")
    parser.add_argument("--reset-rom", default="")
    parser.add_argument("tests", nargs="*")
    ARGS = parser.parse_args()
    unittest.main(argv=[sys.argv[0], *ARGS.tests])


if __name__ == "__main__":
    main()
