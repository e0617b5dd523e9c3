// The files of /proc that are about the whole system.
#pragma once

#include "guest/fs/proc/proc.hpp"

namespace guest {

// Each writes one file; see man 5 proc under its name.
Result<> meminfo_show(proc_text& m);
Result<> vmstat_show(proc_text& m);
Result<> slabinfo_show(proc_text& m);
Result<> stat_show(proc_text& m);
Result<> uptime_show(proc_text& m);
Result<> loadavg_show(proc_text& m);
Result<> interrupts_show(proc_text& m);
Result<> version_show(proc_text& m);
Result<> cpuinfo_show(proc_text& m);
Result<> kernel_cmdline_show(proc_text& m);
Result<> filesystems_show(proc_text& m);
Result<> devices_show(proc_text& m);
Result<> locks_show(proc_text& m);
Result<> swaps_show(proc_text& m);
Result<> partitions_show(proc_text& m);
// Ours: check.cpp.
Result<> check_show(proc_text& m);

// What stands in sys/ (sysctl.cpp).
inline constexpr size_t kNrSysEntries = 3;
extern const proc_entry kSysEntries[kNrSysEntries];

// What stands in sysvipc/ (sysvipc.cpp).
inline constexpr size_t kNrSysvipcEntries = 3;
extern const proc_entry kSysvipcEntries[kNrSysvipcEntries];

}  // namespace guest
