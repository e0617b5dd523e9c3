// What a log says about the run that it records. Nothing of the host and no time of day: two runs of
// the same guest give the same bytes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "emu/base/result.hpp"
#include "emu/log/event_names.hpp"
#include "emu/log/recorder.hpp"

namespace forkscope::log {

struct RamRegion {
    uint64_t base = 0;  // guest-physical address
    uint64_t size = 0;  // bytes
    bool operator==(const RamRegion&) const = default;
};

struct Meta {
    std::string program_version;  // of the program that wrote the log
    std::string cpu_model;
    uint32_t cpus = 1;
    uint64_t ram_bytes = 0;
    std::vector<RamRegion> ram;
    std::string kernel;                          // path as the user gave it; empty: the bundled kernel
    std::string initrd;                          // the same; empty: none, or the bundled one
    std::string command_line;                    // of the kernel
    uint64_t instructions_per_second = 0;        // virtual clock: retired instructions in one virtual second
    KindMask kinds = kKnownKinds;                // which kinds of events were recorded
    std::map<std::string, std::string> options;  // anything else that makes the run what it is
    bool operator==(const Meta&) const = default;
};

// The text of a meta chunk, and back. Unknown members are ignored, missing ones keep their default.
[[nodiscard]] std::string meta_to_json(const Meta& meta);
[[nodiscard]] Result<Meta> meta_from_json(std::string_view text);

}  // namespace forkscope::log
