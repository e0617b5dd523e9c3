// One x86-64 CPU: Unicorn under our MMU, exception delivery and clock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "emu/base/result.hpp"
#include "emu/base/units.hpp"
#include "emu/bus/clock.hpp"
#include "emu/bus/irq.hpp"
#include "emu/bus/mmio_bus.hpp"
#include "emu/bus/port_bus.hpp"
#include "emu/cpu/block_calls.hpp"
#include "emu/cpu/cpu_core.hpp"
#include "emu/cpu/cpu_model.hpp"
#include "emu/cpu/data_watch.hpp"
#include "emu/cpu/delivery.hpp"
#include "emu/cpu/doorbell.hpp"
#include "emu/cpu/engine_layout.hpp"
#include "emu/cpu/fault_watch.hpp"
#include "emu/cpu/flush_intercepts.hpp"
#include "emu/cpu/reset_state.hpp"

namespace forkscope::cpu {

// Why run() came back.
enum class RunStop : uint8_t {
    Deadline,     // it is that late, or a timer is due
    Halted,       // HLT, and no interrupt to wake it
    Shutdown,     // triple fault
    Requested,    // request_stop()
    EngineError,  // the engine gave up; engine_error() says how. A bug of ours or the engine's
};

// What a CPU is wired to. All of it outlives the CPU.
struct Wiring {
    mem::GuestRam& ram;
    mmu::Mirror& mirror;
    bus::PortBus& ports;
    bus::MmioBus& mmio;
    bus::TimerQueue& timers;
    bus::InterruptController& interrupts;
    log::Recorder& recorder;
    const mem::Rom* rom = nullptr;  // null: none
};

// Counted since reset, for reports and tests.
struct CpuCounters {
    uint64_t blocks = 0;
    uint64_t fills = 0;
    uint64_t table_writes = 0;
    uint64_t page_faults = 0;
    uint64_t interrupts = 0;
    uint64_t system_calls = 0;
    uint64_t keyboard_services = 0;  // INT 16h in real mode: the BIOS is asked for keys
    uint64_t page_end_steps = 0;
};

class Cpu;

// A range of physical addresses that is not RAM, as the engine hands it back to its hook.
struct MmioHole {
    Cpu* cpu;
    PhysAddr base;
};

class Cpu {
public:
    static Result<std::unique_ptr<Cpu>> create(CpuId id, const CpuModel& model, TimeMode time_mode,
                                               const Wiring& wiring);
    ~Cpu();
    Cpu(const Cpu&) = delete;
    Cpu& operator=(const Cpu&) = delete;

    // Sets every register; see reset_state.hpp.
    void reset(const ResetState& reset_state);

    // Runs until `deadline`, the next timer, or one of the other reasons.
    [[nodiscard]] RunStop run(VirtualNs deadline);
    // Ends run() before the next block. From hooks and devices: the CPU's own thread.
    void request_stop();
    // The same, from a signal handler in the thread that runs: sets a flag, which is seen soon.
    void request_stop_from_signal();
    // After Halted: virtual time passes in HLT.
    void idle_until(VirtualNs time) { core_.idle_until(time); }
    // Whether an interrupt could end a HLT.
    [[nodiscard]] bool interrupts_enabled() { return (core_.state().eflags() & kFlagIf) != 0; }

    // The task that the guest says runs now.
    void set_task(uint32_t task) { core_.set_task(task); }

    [[nodiscard]] VirtualNs now() { return core_.now(); }
    [[nodiscard]] InstrCount icount() { return core_.clock().at(core_.linear_rip()); }
    [[nodiscard]] log::Origin origin() { return core_.origin(); }
    [[nodiscard]] CpuCore& core() { return core_; }
    [[nodiscard]] const CpuCounters& counters() const { return counters_; }
    [[nodiscard]] const std::string& engine_error() const { return engine_error_; }

    // Accesses to model-specific registers that are not there; see MsrAccess.
    void on_unknown_msr(MsrAccess::UnknownHandler handler) {
        flush_intercepts_.msrs().on_unknown(std::move(handler));
    }

    // Whether address line 20 passes: the A20 gate.
    void set_line_20(bool open);

    // A device writes RAM. False, and nothing done, if not all of it is RAM.
    [[nodiscard]] bool write_for_device(PhysAddr to, std::span<const uint8_t> bytes);

    // All registers, the code at RIP and the top of the stack, as text of several lines.
    [[nodiscard]] std::string dump();

    // Compares every entry of the engine's TLB with the ledger; the first few violations as text.
    [[nodiscard]] std::string audit_engine_tlb();

private:
    friend struct Hooks;  // hooks.cpp: what the engine calls

    Cpu(CpuId id, const CpuModel& model, TimeMode time_mode, std::unique_ptr<Engine> engine,
        const Wiring& wiring);
    Result<void> install_hooks();

    [[nodiscard]] VirtualNs next_deadline() const;
    // After anything that may have changed the next deadline or the interrupt request.
    void refresh_attention();
    [[nodiscard]] bool host_clock() const { return core_.time_mode() == TimeMode::Host; }
    [[nodiscard]] bool can_take_nmi() const;
    [[nodiscard]] bool can_take_interrupt();
    void take_interrupt();
    void run_engine();
    void stop_engine();

    // At a block's start, when something may have to happen before it. True: the block must not run.
    [[nodiscard]] bool attend();
    static void look(void* cpu);
    // With the host's clock: the block that calls its hook asks whether to stop from now on, and no more.
    void spare_calls(const BlockCall& call, const void* hook);
    void entered_user_mode();

    void deliver(const Exception& exception);
    void mend(Exception& exception);
    [[nodiscard]] Exception exception_of_refusal();
    // False: nothing was done.
    [[nodiscard]] bool take_branch_back();
    void handle_refused_fill();
    void begin_page_end_step();
    void end_page_end_step();
    [[nodiscard]] bool swallow_step_trap();
    void watch_changed();
    void begin_watched_step();
    void end_watched_step();
    [[nodiscard]] bool finish_watched_step();

    [[nodiscard]] bool is_implicit_access(uint64_t va, mmu::Access access);
    [[nodiscard]] bool is_inner_stack(uint64_t page);
    void pin_resize_windows();
    [[nodiscard]] bool port_permitted(uint16_t port, unsigned bytes);
    void log_system_call();

    // A system call that has not returned yet, of a task or, without announcements, of a root.
    struct OpenCall {
        uint64_t key = 0;
        uint64_t number = 0;
    };
    static constexpr size_t kOpenCalls = 256;
    [[nodiscard]] uint64_t call_key();
    [[nodiscard]] OpenCall& open_call(uint64_t key) { return open_calls_[(key ^ (key >> 12)) % kOpenCalls]; }

    CpuCore core_;
    Wiring wiring_;
    Delivery delivery_;
    FlushIntercepts flush_intercepts_;
    FaultWatch fault_watch_;
    CpuCounters counters_;

    VirtualNs limit_ = 0;
    bool stop_requested_ = false;
    std::atomic<bool> stop_from_signal_{false};
    bool stopped_in_hook_ = false;
    bool halted_ = false;
    bool shut_down_ = false;

    mmu::Fault refused_;
    mmu::Access refused_access_ = mmu::Access::Read;
    bool stepping_ = false;  // over the instructions before a page end, see begin_page_end_step()
    uint64_t stepped_rip_ = 0;
    DataWatch watch_;
    bool watch_refused_ = false;   // the fill hook withheld a page for it
    bool watch_stepping_ = false;  // over an instruction that asked for such a page
    bool guest_steps_ = false;     // the guest had set TF itself
    uint64_t watch_hits_ = 0;

    int64_t pinned_window_[EngineTlbLayout::kModes] = {};
    InstrCount window_end_[EngineTlbLayout::kModes] = {};
    OpenCall open_calls_[kOpenCalls];
    std::vector<std::unique_ptr<MmioHole>> mmio_holes_;
    // With the host's clock:
    Doorbell doorbell_;
    BlockCalls block_calls_;
    bool block_calls_located_ = false, block_calls_tried_ = false;
    static constexpr size_t kStringBlocks = 64;
    uint64_t string_blocks_[kStringBlocks] = {};  // where a block was a RepeatedString
    VirtualNs rung_deadline_ = bus::kNever;
    std::string engine_error_;
};

}  // namespace forkscope::cpu
