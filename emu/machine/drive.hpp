// A file as a disk: -drive file=F.
#pragma once

#include <memory>
#include <string>

#include "emu/base/result.hpp"
#include "emu/bus/block_store.hpp"

namespace forkscope::machine {

enum class DriveMode : uint8_t {
    ReadWrite,
    ReadOnly,
    Snapshot,  // writes are kept in memory and forgotten at the end
};

struct DriveSpec {
    std::string file;
    DriveMode mode = DriveMode::ReadWrite;
};

// spec: as after -drive, QEMU's words: file=F[,if=virtio][,format=raw][,readonly=on|off][,snapshot=on|off].
Result<DriveSpec> parse_drive(const std::string& spec);

// A regular file of whole sectors.
Result<std::unique_ptr<bus::BlockStore>> open_drive(const DriveSpec& spec);

}  // namespace forkscope::machine
