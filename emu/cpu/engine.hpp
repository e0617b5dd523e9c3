// One Unicorn engine with guest RAM mapped the way ram_views.hpp says, its live state found, and our own
// MMU in place of the engine's.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "emu/base/result.hpp"
#include "emu/cpu/cpu_model.hpp"
#include "emu/cpu/engine_layout.hpp"
#include "emu/cpu/live_state.hpp"
#include "emu/mem/guest_ram.hpp"
#include "emu/mem/rom.hpp"

struct uc_struct;

namespace forkscope::cpu {

class Engine {
public:
    // rom: null if there is none.
    static Result<std::unique_ptr<Engine>> open(const CpuModel& model, mem::GuestRam& ram,
                                                const mem::Rom* rom);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    [[nodiscard]] uc_struct* handle() const { return uc_; }
    [[nodiscard]] LiveState& state() { return state_; }
    [[nodiscard]] const LiveState& state() const { return state_; }

    // All of RFLAGS: the engine keeps the arithmetic flags apart until asked.
    [[nodiscard]] uint64_t rflags() const;
    void set_rflags(uint64_t value);

    void write_msr(uint32_t msr, uint64_t value);

    void flush_tlb();
    void flush_page(uint64_t va);

    // Turns the flush intercepts on again after hflags were written.
    void arm_intercepts();

private:
    Engine(uc_struct* uc, const EngineLayout& layout);
    static Result<std::unique_ptr<Engine>> open_aligned(const CpuModel& model, const EngineLayout& layout);
    static Result<std::unique_ptr<Engine>> open_anywhere(const CpuModel& model, const EngineLayout& layout);
    Result<void> map_ram(mem::GuestRam& ram);
    Result<void> map_rom(const mem::Rom& rom);
    Result<void> map_private();

    uc_struct* uc_;
    EngineLayout layout_;
    LiveState state_;
    uint8_t* private_memory_ = nullptr;
};

}  // namespace forkscope::cpu
