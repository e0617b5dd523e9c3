#include "emu/loader/firmware.hpp"

#include <algorithm>
#include <cstring>

#include "emu/loader/memory_map.hpp"

namespace forkscope::loader {

namespace {

constexpr uint64_t kGranule = 64 * kKiB, kMost = 16 * kMiB;
constexpr uint64_t kLowCopy = 128 * kKiB;
constexpr uint64_t kTop = 4 * kGiB;
constexpr uint64_t kResetVector = 0xffff'fff0;
constexpr uint16_t kResetSegment = 0xf000;
constexpr uint64_t kResetBase = 0xffff'0000;

}  // namespace

Result<> check_firmware(const Image& firmware) {
    const uint64_t size = firmware.bytes.size();
    if (size == 0 || size > kMost || size % kGranule != 0)
        return fail("{}: {:#x} bytes; expected firmware of a multiple of 64 KiB, at most 16 MiB",
                    firmware.name, size);
    return {};
}

Result<BootPlan> load_firmware(const Image& firmware, mem::GuestRam& ram) {
    TRY_VOID(check_firmware(firmware));
    const uint64_t size = firmware.bytes.size();
    const uint64_t low = std::min(size, kLowCopy);
    const PhysAddr low_base = kHighMemory - low;
    std::memcpy(ram.at(low_base, low), firmware.bytes.data() + (size - low), low);

    BootPlan plan;
    plan.kind = ImageKind::Firmware;
    plan.mode = EntryMode::Real16;
    plan.entry = PhysAddr(kResetVector);
    plan.registers.rip = kResetVector - kResetBase;
    plan.registers.code_segment = kResetSegment;
    plan.registers.code_base = kResetBase;
    plan.placed = {{"firmware, its end", low_base, low}, {"firmware", PhysAddr(kTop - size), size}};
    return plan;
}

}  // namespace forkscope::loader
