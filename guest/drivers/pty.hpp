// Pseudo-terminals: a terminal whose line ends in another descriptor, the master (man 7 pty).
//
//   program <── slave: line discipline ──> ring ──> master <──> terminal emulator, script, expect
//           ──>                        <─────────────
//
// Opening /dev/ptmx makes a pair and a name for the slave in the devpts that belongs to that ptmx. The pair
// lives until both ends are closed and nobody has the slave for a controlling terminal.
#pragma once

#include "guest/fs/file.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// The device number of the slaves, which are open by name.
void pty_init();
// f is being opened as ptmx: makes it a master. NoDev: there is no devpts; NoSpc: no more numbers; NoMem.
Result<> ptmx_open(file& f);

}  // namespace guest
