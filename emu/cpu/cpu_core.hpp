// What the parts of one CPU share: the engine, the MMU, the clock, the log, and the few questions that
// all of them ask.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "emu/base/units.hpp"
#include "emu/bus/clock.hpp"
#include "emu/cpu/code_pages.hpp"
#include "emu/cpu/engine.hpp"
#include "emu/cpu/instruction_clock.hpp"
#include "emu/log/recorder.hpp"
#include "emu/mem/guest_ram.hpp"
#include "emu/mem/rom.hpp"
#include "emu/mmu/mmu.hpp"

namespace forkscope::cpu {

// Virtual time: one retired instruction takes one nanosecond.
inline constexpr VirtualNs kNsPerInstruction = 1;
// Beyond that, what waits takes as long as on a PC, so that a guest that waits for a time by spinning does
// not spin a hundred times as often: PAUSE (Intel Optimization Manual, 2.5.4 "Pause Latency in Skylake Client
// Microarchitecture"), and a read of a port, which an ISA device answers in about a microsecond.
inline constexpr VirtualNs kPauseNs = 140;
inline constexpr VirtualNs kPortReadNs = 700;
// A call of the BIOS for keys (INT 16h): what polls it from protected mode spends that long on a PC, mode
// switches included.
inline constexpr VirtualNs kKeyboardServiceNs = 20'000;

// What the clock of a CPU is.
enum class TimeMode : uint8_t {
    Instructions,  // retired instructions: exact, and the same in every run
    Host,          // the host's clock: faster, and never the same; events carry it instead of a count
};

class CpuCore final : private InstructionClock::CodeReader, private mmu::EngineTlb {
public:
    CpuCore(CpuId id, const CpuModel& model, TimeMode time_mode, std::unique_ptr<Engine> engine,
            void (*look)(void*), void* owner, mem::GuestRam& ram, const mem::Rom* rom, mmu::Mirror& mirror,
            log::Recorder& recorder);

    [[nodiscard]] Engine& engine() { return *engine_; }
    [[nodiscard]] LiveState& state() { return engine_->state(); }
    [[nodiscard]] const LiveState& state() const { return engine_->state(); }
    [[nodiscard]] mmu::Mmu& mmu() { return mmu_; }
    [[nodiscard]] mem::GuestRam& ram() { return ram_; }
    // Where [pa, pa + length) can be read, RAM or ROM; null if not all of it is either.
    [[nodiscard]] const uint8_t* readable(PhysAddr pa, uint64_t length) const {
        if (const uint8_t* p = std::as_const(ram_).at(pa, length)) return p;
        return rom_ != nullptr ? rom_->at(pa, length) : nullptr;
    }
    [[nodiscard]] bool is_rom_frame(PhysAddr frame) const {
        return rom_ != nullptr && rom_->at(frame, kPageSize) != nullptr;
    }
    [[nodiscard]] log::Recorder& recorder() { return recorder_; }
    [[nodiscard]] InstructionClock& clock() { return clock_; }
    [[nodiscard]] CodePages& code_pages() { return code_pages_; }
    [[nodiscard]] CpuId id() const { return id_; }
    [[nodiscard]] const CpuModel& model() const { return model_; }
    // Counts flushes of the engine's whole TLB.
    [[nodiscard]] uint32_t engine_epoch() const { return engine_epoch_; }

    void set_task(uint32_t task) { task_ = task; }
    [[nodiscard]] uint32_t task() const { return task_; }

    // Linear address of the next instruction.
    [[nodiscard]] uint64_t linear_rip();
    [[nodiscard]] mmu::PagingRegisters paging_registers();

    // Who is acting now: the instruction at RIP. With nobody recording, the time is that of the block.
    [[nodiscard]] log::Origin origin();
    // The same at a given time.
    [[nodiscard]] log::Origin origin_at(InstrCount icount);

    [[nodiscard]] VirtualNs time_at(InstrCount icount) const { return icount * kNsPerInstruction + idle_ns_; }
    // Exact, also in the middle of a block.
    [[nodiscard]] VirtualNs now() {
        return time_mode_ == TimeMode::Host ? host_now() : time_at(clock_.at(linear_rip()));
    }
    // The time-stamp counter: one tick a nanosecond, from where software set it.
    [[nodiscard]] uint64_t tsc() { return now() + tsc_offset_; }
    void set_tsc(uint64_t value) { tsc_offset_ = value - now(); }
    [[nodiscard]] TimeMode time_mode() const { return time_mode_; }
    // Of the host's steady clock, in nanoseconds.
    [[nodiscard]] int64_t steady_time_of(VirtualNs time) const {
        return steady_start_ + static_cast<int64_t>(time);
    }
    // First instruction count at which it is that late.
    [[nodiscard]] InstrCount icount_at(VirtualNs time) const {
        return time <= idle_ns_ ? 0 : (time - idle_ns_) / kNsPerInstruction;
    }
    // The CPU waits in HLT until then. The host's clock does that by itself.
    void idle_until(VirtualNs time);
    // It waits in the middle of a block.
    void wait(VirtualNs ns) {
        if (time_mode_ == TimeMode::Instructions) idle_ns_ += ns;
    }

    // Drops every translation of the engine.
    void flush_engine();
    // The engine dropped every translation by itself.
    void engine_flushed_itself();

    // RAM changed under [pa, pa + length) without the engine's knowledge: code there is thrown away.
    void invalidate_code(PhysAddr pa, uint64_t length);
    // While invalidate_code() runs: where its window of virtual addresses leads.
    [[nodiscard]] bool invalidating() const { return invalidating_; }

    // Up to 15 bytes of code at a linear address, as the CPU fetches them: from where its TLB leads, else
    // from where the page tables do; fewer where the next page is not there. Changes nothing.
    size_t peek_code(uint64_t linear, uint8_t (&bytes)[15]);
    // The frame that code at a linear address was last counted in, if that is still known: for a dump of a
    // CPU whose page tables are gone.
    [[nodiscard]] std::optional<PhysAddr> last_code_frame(uint64_t linear) const;

    // The block, if it is a string instruction that can be carried out many steps at once.
    RepeatedString repeated_string(const Block& block) override;

private:
    [[nodiscard]] std::optional<PhysAddr> code_address(VirtAddr va, const mmu::PagingRegisters& regs) const;
    PhysAddr code_frame(uint64_t pc) override;
    uint32_t count_instructions(const Block& block) override;
    uint32_t count_before(const Block& block, uint64_t rip) override;
    bool may_change_privilege(const Block& block) override;
    [[nodiscard]] bool may_end_in_far_transfer(const Block& block);
    [[nodiscard]] bool ends_in_far_transfer(const Block& block);
    void flush_all() override;
    [[nodiscard]] VirtualNs host_now() const;

    struct FramePage {
        uint64_t page = ~uint64_t{0};
        PhysAddr frame;
        uint32_t epoch = 0;
    };
    static constexpr size_t kFramePages = 256;

    CpuId id_;
    const CpuModel& model_;
    TimeMode time_mode_;
    int64_t steady_start_;
    std::unique_ptr<Engine> engine_;
    mem::GuestRam& ram_;
    const mem::Rom* rom_;
    log::Recorder& recorder_;
    InstructionClock clock_;
    CodePages code_pages_;
    mmu::Mmu mmu_;
    VirtualNs idle_ns_ = 0;
    uint64_t tsc_offset_ = 0;
    uint32_t engine_epoch_ = 1;
    uint32_t task_ = 0;
    bool invalidating_ = false;
    FramePage frame_pages_[kFramePages];
};

}  // namespace forkscope::cpu
