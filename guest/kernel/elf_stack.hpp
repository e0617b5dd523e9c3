// What a program finds on its stack when it starts (System V ABI for x86-64, 3.4.1 "Initial Stack and
// Register State").
#pragma once

#include "guest/lib/address.hpp"
#include "guest/lib/result.hpp"

namespace guest {

struct linux_binprm;

struct ElfAuxiliary {
    VirtAddr phdr;
    uint64_t phnum = 0;
    VirtAddr base;  // of the interpreter
    VirtAddr entry;
};

// Writes argc, argv, envp and the auxiliary vector below the strings: the initial stack pointer. current runs
// on the new address space.
Result<VirtAddr> create_elf_tables(linux_binprm& bprm, const ElfAuxiliary& aux);

}  // namespace guest
