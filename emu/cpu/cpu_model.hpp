// What the CPU tells the guest about itself. Only what works is advertised.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "emu/base/result.hpp"

namespace forkscope::cpu {

class LiveState;

struct CpuModel {
    std::string_view name;    // as in -cpu
    int engine_model;         // uc_cpu_x86
    std::string_view vendor;  // 12 characters
    [[nodiscard]] bool is_amd() const { return vendor == "AuthenticAMD"; }
    uint32_t version;                              // CPUID 1.EAX
    uint32_t highest_leaf, highest_extended_leaf;  // of CPUID
    bool has_1gib_pages;
    std::string_view about;
};

// The model of that name; the error lists the names that exist.
Result<const CpuModel*> find_cpu_model(std::string_view name);
inline constexpr std::string_view kDefaultCpuModel = "amd";

// Writes vendor, version and feature words into a fresh CPU.
void apply_cpu_model(const CpuModel& model, LiveState& state);

}  // namespace forkscope::cpu
