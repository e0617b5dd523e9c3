// /proc/check: looks at the kernel's invariants, and says what it looked at. Faults are told in the kernel's
// log.
#include "guest/kernel/check.hpp"

#include "guest/fs/proc/root_files.hpp"

namespace guest {

Result<> check_show(proc_text& m) {
    const check_report report = check_kernel();
    m.printf("frames %lu\nspaces %lu\nareas %lu\nentries %lu\nobjects %lu\ntasks %lu\nheld %lu\nfaults %lu\n",
             report.frames, report.spaces, report.areas, report.entries, report.objects, report.tasks,
             report.held, report.faults);
    return {};
}

}  // namespace guest
