"""Debian's kernel (linux-image-cloud-amd64) with a busybox initramfs: what the tests and the benchmark boot."""
import glob
import os
import pathlib
import subprocess
import sys

BUSYBOX = "/bin/busybox"
MKINITRAMFS = pathlib.Path(__file__).resolve().parents[2] / "tools" / "mkinitramfs"
PRELUDE = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /mnt
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
"""


def kernel():
    """(path of the kernel, its modules' folder), or None if the package is not there."""
    found = sorted(glob.glob("/boot/vmlinuz-*-cloud-amd64"))
    if not found:
        return None
    return found[-1], pathlib.Path("/lib/modules") / os.path.basename(found[-1])[len("vmlinuz-"):]


def with_dependencies(folder, names):
    """Files of these modules in the order in which they must be loaded."""
    table = {}
    for line in (folder / "modules.dep").read_text().splitlines():
        path, needs = line.split(":")
        table[pathlib.Path(path).stem] = (path, needs.split())
    ordered = []
    for name in names:
        path, needs = table[name]
        for one in [*reversed(needs), path]:
            if one not in ordered:
                ordered.append(one)
    return [folder / one for one in ordered]


def initramfs(directory, script, modules=()):
    """Writes an initramfs into directory whose /init loads the modules and runs the script; its path."""
    directory = pathlib.Path(directory)
    files = with_dependencies(kernel()[1], modules) if modules else []
    init = directory / "init"
    init.write_text(PRELUDE + "".join(f"insmod /lib/{file.name}\n" for file in files) + script)
    manifest = directory / "manifest"
    lines = ["dir bin 755", "dir dev 755", "dir lib 755", f"file bin/busybox 755 {BUSYBOX}", f"file init 755 {init}",
             "node dev/console 600 c 5 1"]
    lines += [f"file lib/{file.name} 644 {file}" for file in files]
    manifest.write_text("\n".join(lines) + "\n")
    archive = directory / "initramfs.cpio"
    subprocess.run([sys.executable, MKINITRAMFS, manifest, archive], check=True)
    return str(archive)


def ext4(directory, files):
    """An ext4 file system of 16 MiB with these files ({name: text}); its path."""
    directory = pathlib.Path(directory)
    tree = directory / "tree"
    tree.mkdir()
    for name, text in files.items():
        (tree / name).write_text(text)
    disk = directory / "disk.img"
    with open(disk, "wb") as image:
        image.truncate(16 << 20)
    subprocess.run(["/sbin/mkfs.ext4", "-q", "-F", "-d", tree, disk], check=True)
    return str(disk)
