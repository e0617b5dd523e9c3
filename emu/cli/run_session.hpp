// One run from options to exit status: images are loaded, the log opened, the machine run, the audit made.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emu/base/result.hpp"
#include "emu/base/units.hpp"
#include "emu/cli/device_option.hpp"
#include "emu/cpu/cpu_model.hpp"
#include "emu/machine/attendant.hpp"

namespace forkscope::cli {

struct RunOptions {
    std::string kernel;  // empty: the bundled one
    std::string initrd;  // empty: none; the bundled one with the bundled kernel
    std::string append;
    std::string bios;  // empty: the loader starts the kernel
    uint64_t ram_bytes = 256 * kMiB;
    std::string cpu_model{cpu::kDefaultCpuModel};
    std::string serial;
    bool firmware_on_serial = false;
    std::string debug_console;  // empty: on the serial port
    std::string record;         // empty: no log
    std::string events;         // empty: all kinds
    Devices devices;
    std::vector<std::string> drives;  // as after each -drive
    bool audit = false;
    uint64_t audit_every_ms = 0;  // virtual; 0: at the end only
    bool audit_tlb = false;
    std::string save_ram;    // empty: not
    std::string screenshot;  // empty: none
    std::string keys;        // to be typed
    bool retrace = false;
    std::string check;  // names of checks; empty: none
    std::string trace;  // empty: none
    std::string trace_file;
    bool fast = false;
    bool no_reboot = true;          // a reset ends the run either way
    double exit_after_seconds = 0;  // virtual; 0: never

    [[nodiscard]] VirtualNs time_limit() const;
};

// The exit status of the run, or what was wrong with its input. Leaves no half-made file behind on an
// error before the machine starts.
// attendant: see machine::MachineConfig.
Result<int> run_session(const RunOptions& options, machine::Attendant* attendant = nullptr);

}  // namespace forkscope::cli
