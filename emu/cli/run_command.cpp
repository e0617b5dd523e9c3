#include "emu/cli/run_command.hpp"

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "emu/base/result.hpp"
#include "emu/base/say.hpp"
#include "emu/cli/arguments.hpp"
#include "emu/cli/display_option.hpp"
#include "emu/cli/run_session.hpp"

namespace forkscope::cli {

namespace {

constexpr const char* kFooter = R"(Examples:
  forkscope run
      boots the bundled kernel: in a window (Ctrl-Alt-H lists its keys), or without a display on this
      terminal (Ctrl-A x leaves, Ctrl-A h lists the keys)
  forkscope run -append "init=/bin/cowstorm -- 64 4" --record fork.mmu --audit
      records every page-table write, and proves the record complete
  forkscope run -append "bug=no-flush-at-fork init=/bin/forkdemo" --check all
      looks for missing flushes and other mistakes; this one finds one, and says where it was made
  forkscope run -kernel my.elf -m 64M -d int,mmu -D trace.txt
      boots a PVH or multiboot kernel and writes its faults and table writes as text
  forkscope run -kernel /boot/vmlinuz -initrd my.cpio -append console=ttyS0 --record linux.mmu
      boots Linux and records it
  forkscope run -kernel /boot/vmlinuz -initrd my.cpio --keys "ls\n" --exit-after 30 --screenshot ls.png
      the same on its screen and keyboard, and a picture of the end
  forkscope run -display sdl --record fork.mmu
      boots the bundled kernel in a window; Ctrl-Alt-H lists its keys

The exit status is the guest's: what init returned, (v << 1) | 1 for a write to isa-debug-exit, 0 for a
power-off; 2 for bad input, 3 for a triple fault, 4 for a failed check or audit.)";

struct RunArguments {
    RunOptions options;
    std::string memory = "256M";
    DisplayWords display;
    std::vector<std::string> devices;
};

}  // namespace

void register_run_command(CLI::App& app) {
    // CLI11 writes into these while it parses; the callback keeps them alive as long as the parser.
    auto arguments = std::make_shared<RunArguments>();
    RunOptions* options = &arguments->options;
    CLI::App* run = app.add_subcommand("run", "boot a guest image and record what happens to its memory");
    run->footer(kFooter);
    run->add_option("--kernel", options->kernel,
                    "kernel: Linux bzImage or vmlinux, multiboot, PVH ELF; the bundled one if none is given")
        ->type_name("FILE");
    run->add_option("--initrd", options->initrd,
                    "initial RAM disk; the bundled one with the bundled kernel. For a multiboot kernel: "
                    "modules, each with "
                    "its command line, with commas between them")
        ->type_name("FILE");
    run->add_option("--bios", options->bios,
                    "firmware, which starts at the reset vector and boots from a -drive, e.g. SeaBIOS's\n"
                    "bios-microvm.bin; vgabios-isavga.bin beside it is its screen. Without a window its\n"
                    "screen is on the serial port too")
        ->type_name("FILE");
    run->add_option("--append", options->append, "kernel command line")->type_name("TEXT");
    run->add_option("-m", arguments->memory, "RAM: a number with K, M or G; M if none")
        ->type_name("SIZE")
        ->capture_default_str();
    run->add_option("--cpu", options->cpu_model, "CPU model: amd, intel, plain")
        ->type_name("MODEL")
        ->capture_default_str();
    run->add_option("--serial", options->serial,
                    "first serial port: stdio, stdout (output alone), file:NAME, null. If not given: stdio,\n"
                    "or stdout with a window")
        ->type_name("WHERE");
    run->add_option(
           "--debugcon", options->debug_console,
           "debug console (port 0xe9, and 0x402 for firmware): stdio, stdout, file:NAME, null; port\n"
           "0xe9 writes to the serial port if not given")
        ->type_name("WHERE");
    run->add_option("--display", arguments->display.display,
                    "sdl: a window with the guest's screen and keyboard; none. If not given: sdl on a\n"
                    "terminal of a graphical session, unless -serial or console=ttyS asks for the terminal")
        ->type_name("KIND");
    run->add_flag("--nographic", arguments->display.nographic, "no window; the serial port is this terminal");
    run->add_flag("--no-shutdown", arguments->display.no_shutdown,
                  "the window stays open when the run has ended, also in a script");
    run->add_flag("--no-reboot", options->no_reboot, "accepted: a reset or triple fault always ends the run");
    run->add_option("--device", arguments->devices,
                    "loader,file=FILE,addr=ADDRESS[,mode=16|32|64]: a flat image, started there; "
                    "isa-debug-exit: accepted, it is always there at port 0xf4; VGA[,romfile=FILE]: always\n"
                    "there too, with this option ROM for the firmware; ramfb[,xres=WIDTH][,yres=HEIGHT]: a\n"
                    "linear framebuffer for Linux instead of it")
        ->type_name("NAME")
        ->expected(1)
        ->take_all();
    run->add_option("--drive", options->drives,
                    "file=FILE[,readonly=on|off][,snapshot=on|off]: a disk, behind virtio")
        ->type_name("SPEC")
        ->expected(1)
        ->take_all();
    run->add_option("--record", options->record, "write the event log to this file")->type_name("FILE.mmu");
    run->add_option("--events", options->events,
                    "kinds of events to record, comma-separated; all if not given")
        ->type_name("LIST");
    run->add_flag("--audit", options->audit,
                  "prove the record: compare page tables in RAM with what was seen");
    run->add_option("--audit-every", options->audit_every_ms, "also compare every MS virtual milliseconds")
        ->check(CLI::Range(uint64_t{0}, uint64_t{1'000'000'000}))
        ->type_name("MS")
        ->capture_default_str();
    run->add_flag("--audit-tlb", options->audit_tlb, "also compare the engine's TLB with the ledger (slow)");
    run->add_option("--save-ram", options->save_ram,
                    "write the guest's RAM at the end to this file, by physical address: what\n"
                    "`forkscope log verify` compares the log with")
        ->type_name("FILE");
    run->add_option("--screenshot", options->screenshot,
                    "write what the guest's screen shows at the end: a PNG, or text if the name ends in .txt")
        ->type_name("FILE");
    run->add_option("--keys", options->keys,
                    "type this on the guest's keyboard, key by key, whenever it waits for input: text with\n"
                    "\\n (Enter) \\t \\b \\e; keys by QEMU's names, as <up> <f1> <ctrl-c>; <wait SECONDS>")
        ->type_name("TEXT");
    run->add_flag("--retrace", options->retrace,
                  "run twice: first to learn which frames become page tables, then with an eye on them from\n"
                  "the start, so that the log says who filled each table. For guests that do not announce\n"
                  "their tables; the second run takes longer");
    run->add_option(
           "--check", options->check,
           "look for mistakes of the guest while it runs: all, or a list of stale-tlb,\n"
           "writable-twice, freed-while-mapped, unannounced-table, lost-dirty, refcount;\n"
           "by name only: stale-kernel, redundant-flush; every: those too. Status 4 if there is a finding")
        ->type_name("LIST");
    run->add_option("-d", options->trace, "write events as text: int, mmu, cpu, task")->type_name("ITEMS");
    run->add_option("-D", options->trace_file, "file for -d instead of standard error")->type_name("FILE");
    run->add_flag(
        "--fast", options->fast,
        "the host's clock instead of counted instructions: faster, not repeatable; returns to user mode\n"
        "are not seen, so no stale TLB entry is found and system calls have no results");
    run->add_option("--exit-after", options->exit_after_seconds,
                    "stop after so many virtual seconds; 0: never")
        ->type_name("S");

    run->callback([arguments, options, run] {
        const auto bad = [](const Error& error) {
            say("forkscope: {}", error.message);
            throw CLI::RuntimeError(static_cast<int>(error.status));
        };
        options->ram_bytes = parse_size(arguments->memory);
        if (options->ram_bytes == 0)
            bad(Error{fmt::format("-m {}: expected a number above 0 with K, M or G, such as 256M",
                                  arguments->memory)});
        const Result<Devices> devices = parse_devices(arguments->devices);
        if (!devices) bad(devices.error());
        options->devices = *devices;
        if (run->count("--record") != 0 && (options->record.empty() || options->record == "-"))
            bad(Error{fmt::format("--record '{}': expected the name of a file", options->record)});
        const Result<int> status = run_on_display(arguments->display, *options);
        if (!status) bad(status.error());
        if (*status != 0) throw CLI::RuntimeError(*status);
    });
}

}  // namespace forkscope::cli
