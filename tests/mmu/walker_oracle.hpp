// The manual's rules of paging once more, slowly and apart from the walker: entry formats as lists of
// rows and conditions, access rights as a list of reasons to refuse. Shares no code with emu/mmu but the
// register and fault types.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "emu/mmu/paging.hpp"

namespace forkscope::mmu {

struct OracleAnswer {
    bool allowed = false;
    uint64_t frame = 0;       // of the 4 KiB page
    uint32_t error_code = 0;  // if not allowed
    unsigned refused_at = 0;  // level that is not present or has a reserved bit; 0: access rights
};

// read(address, bytes): an entry in memory.
using ReadEntry = std::function<uint64_t(uint64_t, unsigned)>;

OracleAnswer ask_oracle(const PagingRegisters& regs, const PagingModel& model, uint64_t va, Access access,
                        Privilege privilege, const ReadEntry& read);

}  // namespace forkscope::mmu
