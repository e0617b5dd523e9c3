#include "emu/cpu/cpu.hpp"

#include <unicorn/unicorn.h>

#include <algorithm>
#include <utility>

#include "emu/cpu/disassembler.hpp"
#include "emu/cpu/engine_internals.hpp"

namespace forkscope::cpu {

namespace {

constexpr uint8_t kPushfOpcode = 0x9c;
constexpr uint32_t kStepsAtOnce = 1u << 20;

}  // namespace

Result<std::unique_ptr<Cpu>> Cpu::create(CpuId id, const CpuModel& model, TimeMode time_mode,
                                         const Wiring& wiring) {
    auto engine = TRY(Engine::open(model, wiring.ram, wiring.rom));
    auto cpu = std::unique_ptr<Cpu>(new Cpu(id, model, time_mode, std::move(engine), wiring));
    TRY_VOID(cpu->install_hooks());
    return cpu;
}

Cpu::Cpu(CpuId id, const CpuModel& model, TimeMode time_mode, std::unique_ptr<Engine> engine,
         const Wiring& wiring)
    : core_(id, model, time_mode, std::move(engine), &Cpu::look, this, wiring.ram, wiring.rom, wiring.mirror,
            wiring.recorder),
      wiring_(wiring),
      delivery_(core_),
      flush_intercepts_(core_, wiring.interrupts) {
    if (host_clock()) doorbell_.start(core_.state());
}

Cpu::~Cpu() = default;

void Cpu::reset(const ResetState& reset_state) {
    apply_reset_state(reset_state, core_);
    core_.clock().cancel();
    core_.clock().see_privilege(0);
    stop_requested_ = halted_ = shut_down_ = stepping_ = watch_refused_ = watch_stepping_ = false;
    watch_.update(core_.state());
    engine_error_.clear();
}

VirtualNs Cpu::next_deadline() const { return std::min(limit_, wiring_.timers.next_deadline()); }

void Cpu::refresh_attention() {
    if (host_clock()) {
        const VirtualNs deadline = next_deadline();
        if (deadline != rung_deadline_) {
            rung_deadline_ = deadline;
            doorbell_.ring_at(deadline == bus::kNever ? INT64_MAX : core_.steady_time_of(deadline));
        }
        if (wiring_.interrupts.pending()) Doorbell::ring(core_.state(), kRequestHard);
        if (wiring_.interrupts.nmi_pending()) Doorbell::ring(core_.state(), kRequestNmi);
        return;
    }
    const bool now = stop_requested_ || wiring_.interrupts.pending() || wiring_.interrupts.nmi_pending();
    core_.clock().look_at(now ? 0 : core_.icount_at(next_deadline()));
}

void Cpu::request_stop() {
    stop_requested_ = true;
    core_.clock().look_at(0);
    if (host_clock()) Doorbell::ring(core_.state(), kRequestNmi);
}

void Cpu::request_stop_from_signal() {
    stop_from_signal_.store(true);
    if (host_clock()) Doorbell::ring(core_.state(), kRequestNmi);
}

void Cpu::set_line_20(bool open) {
    if (core_.mmu().line_20_open() == open) return;
    core_.mmu().set_line_20(open);
    core_.flush_engine();
}

bool Cpu::can_take_nmi() const {
    if (!wiring_.interrupts.nmi_pending()) return false;
    const LiveState& s = core_.state();
    return (s.hflags2() & kHf2NmiBlocked) == 0 && (s.hflags() & kHfInhibitIrq) == 0;
}

bool Cpu::can_take_interrupt() {
    const LiveState& s = core_.state();
    if (can_take_nmi()) return true;
    return wiring_.interrupts.pending() && (s.eflags() & kFlagIf) != 0 && (s.hflags() & kHfInhibitIrq) == 0;
}

void Cpu::take_interrupt() {
    halted_ = false;
    ++counters_.interrupts;
    if (can_take_nmi()) {
        wiring_.interrupts.take_nmi();
        core_.state().hflags2() |= kHf2NmiBlocked;
        deliver({.vector = kNmi, .origination = Origination::External});
        return;
    }
    const uint8_t vector = wiring_.interrupts.acknowledge();
    deliver({.vector = vector, .origination = Origination::External});
}

RunStop Cpu::run(VirtualNs deadline) {
    limit_ = deadline;
    for (;;) {
        if (stop_requested_ || stop_from_signal_.load()) {
            stop_requested_ = false;
            stop_from_signal_.store(false);
            return RunStop::Requested;
        }
        if (shut_down_) return RunStop::Shutdown;
        if (!engine_error_.empty()) return RunStop::EngineError;
        if (can_take_interrupt()) {
            take_interrupt();
            continue;
        }
        if (core_.now() >= next_deadline()) return RunStop::Deadline;
        if (halted_) return RunStop::Halted;
        refresh_attention();
        run_engine();
    }
}

void Cpu::run_engine() {
    LiveState& s = core_.state();
    stopped_in_hook_ = false;
    // The first block is translated without the engine telling.
    core_.clock().code_changed(core_.linear_rip());
    const uc_err e = uc_emu_start(core_.engine().handle(), s.rip(), 0, 0, 0);
    if (e == UC_ERR_EXCEPTION) {
        handle_refused_fill();
        return;
    }
    if (e != UC_ERR_OK) {
        engine_error_ =
            fmt::format("the engine stopped at {:#x} ({}): {}", core_.linear_rip(), uc_strerror(e), dump());
        return;
    }
    if (stopped_in_hook_) return;
    engine_error_ = fmt::format("the engine stopped at {:#x} for no reason", core_.linear_rip());
}

void Cpu::stop_engine() {
    stopped_in_hook_ = true;
    // Blocks that count themselves do not ask whether to stop.
    core_.clock().look_soon();
    uc_emu_stop(core_.engine().handle());
}

void Cpu::look(void* cpu) {
    Cpu& c = *static_cast<Cpu*>(cpu);
    if (!c.attend()) return;
    c.core_.clock().cancel();
    c.stop_engine();
}

void Cpu::spare_calls(const BlockCall& call, const void* hook) {
    if (!block_calls_tried_) {
        block_calls_tried_ = true;
        block_calls_located_ =
            block_calls_.locate(call.return_address, core_.state().env(), {}, hook, &Cpu::look, this);
    }
    if (!block_calls_located_) return;
    // One that is called again for each of its steps.
    uint64_t& last_string = string_blocks_[call.pc % kStringBlocks];
    if (last_string == call.pc && RepeatedString::has_few_steps(core_.state())) return;
    if (const RepeatedString string = core_.repeated_string({call.pc, call.bytes}); string.valid()) {
        last_string = call.pc;
        string.run(core_.state(), kStepsAtOnce);
        return;
    }
    static_cast<void>(block_calls_.rewrite_asking(call, core_.state().exit_request()));
}

bool Cpu::attend() {
    const unsigned cpl = core_.state().cpl();
    if (cpl != core_.clock().seen_privilege()) {
        core_.clock().see_privilege(cpl);
        if (cpl == 3) {
            entered_user_mode();
            // The engine's SYSRET loads VM from R11 (SDM vol. 2, "SYSRET": it is cleared). Its code is
            // translated anew.
            if (core_.state().long_mode() && (core_.state().eflags() & kFlagVm) != 0) {
                core_.state().eflags() &= ~kFlagVm;
                return true;
            }
        }
    }
    if (stop_requested_ || stop_from_signal_.load() || can_take_interrupt()) return true;
    if (core_.time_at(core_.clock().at_block_start()) >= next_deadline()) return true;
    refresh_attention();
    return false;
}

bool Cpu::write_for_device(PhysAddr to, std::span<const uint8_t> bytes) {
    return SystemMemory(core_).write_for_device(to, bytes);
}

uint64_t Cpu::call_key() { return core_.task() != 0 ? core_.task() : core_.state().cr(3) & ~kPageOffsetMask; }

void Cpu::entered_user_mode() {
    const log::Origin origin = core_.origin_at(core_.clock().at_block_start());
    if (core_.mmu().user_check_pending())
        core_.mmu().check_on_return_to_user(core_.paging_registers(), origin);
    if (!core_.recorder().wants(log::EventKind::SyscallReturn)) return;
    const uint64_t key = call_key();
    OpenCall& call = open_call(key);
    if (call.key != key) return;
    call.key = 0;
    log::Event e = log::make_event(log::EventKind::SyscallReturn, origin);
    e.a = call.number;
    e.b = core_.state().gpr(kRax);
    core_.recorder().append(e);
}

void Cpu::log_system_call() {
    ++counters_.system_calls;
    if (!core_.recorder().wants(log::EventKind::Syscall)) return;
    LiveState& s = core_.state();
    log::Event e = log::make_event(log::EventKind::Syscall, core_.origin());
    e.a = s.gpr(kRax);
    e.b = s.gpr(kRdi);
    e.va = s.gpr(kRsi);
    e.pa = s.gpr(kRdx);
    core_.recorder().append(e);
    log::Event rest = log::make_event(log::EventKind::SyscallArguments, core_.origin());
    rest.a = s.gpr(kR10);
    rest.b = s.gpr(kR8);
    rest.va = s.gpr(kR9);
    core_.recorder().append(rest);
    const uint64_t key = call_key();
    open_call(key) = {key, e.a};
}

void Cpu::deliver(const Exception& exception) {
    end_page_end_step();
    end_watched_step();
    const log::Origin origin = core_.origin();
    if (exception.vector == kPageFault) {
        ++counters_.page_faults;
        if (core_.recorder().wants(log::EventKind::FaultResolved))
            fault_watch_.faulted(origin.root, exception.address, origin.icount, origin.rip);
    }
    shut_down_ = !delivery_.deliver(exception, origin);
    core_.clock().see_privilege(core_.state().cpl());
}

void Cpu::handle_refused_fill() {
    LiveState& s = core_.state();
    const bool fetch = refused_access_ == mmu::Access::Fetch;
    // The callback's address is that of a page; the engine knows the byte.
    const VirtAddr exact(s.invalid_addr());
    if (exact.page_base() == refused_.va.page_base()) refused_.va = exact;
    const uint64_t rip = core_.linear_rip();
    if (fetch && take_branch_back()) return;
    if (fetch)
        core_.clock().leave();
    else
        core_.clock().leave_at(rip);
    const bool single = stepping_ || (s.eflags() & kFlagTf) != 0;
    if (fetch && !single && VirtAddr(rip).page_base() != refused_.va.page_base()) {
        begin_page_end_step();
        return;
    }
    if (std::exchange(watch_refused_, false)) {
        begin_watched_step();
        return;
    }
    deliver(exception_of_refusal());
}

// A block that runs over the end of its page and cannot be fetched on is refused whole, with RIP at its
// start. The instructions before the end have to run first: one at a time, by the trap flag, until the
// fetch faults where it should or the path leads elsewhere.
void Cpu::begin_page_end_step() {
    ++counters_.page_end_steps;
    stepping_ = true;
    stepped_rip_ = core_.linear_rip();
    core_.state().eflags() |= kFlagTf;
}

void Cpu::end_page_end_step() {
    if (!stepping_) return;
    stepping_ = false;
    core_.state().eflags() &= ~kFlagTf;
}

// The #DB of our own stepping. The guest must not see the trap flag in what PUSHF stored.
bool Cpu::swallow_step_trap() {
    if (!stepping_) return false;
    LiveState& s = core_.state();
    constexpr uint64_t kDr6SingleStep = 1u << 14;
    s.dr(6) &= ~kDr6SingleStep;
    core_.clock().leave_at(core_.linear_rip());
    uint8_t code[15];
    const size_t available = core_.peek_code(stepped_rip_, code);
    size_t opcode = 0;
    while (opcode < available && (code[opcode] == 0x66 || (s.code64() && (code[opcode] & 0xf0) == 0x40)))
        ++opcode;
    if (opcode < available && code[opcode] == kPushfOpcode) {
        SystemMemory memory(core_);
        const auto privilege = s.cpl() == 3 ? mmu::Privilege::User : mmu::Privilege::Supervisor;
        const uint64_t at = s.gpr(kRsp) + (s.code64() ? 0 : s.segment(kSs).base) + 1;
        if (const auto byte = memory.read(at, 1, privilege)) {
            const auto without_tf = static_cast<uint8_t>(*byte & ~1u);
            static_cast<void>(memory.write(at, {&without_tf, 1}, privilege));
        }
    }
    // A branch ends the block that was refused; a repeated string instruction stays where it is.
    const uint64_t rip = core_.linear_rip();
    const uint64_t next = stepped_rip_ + instruction_length({code, available}, s.code_bits());
    if (rip != next && rip != stepped_rip_)
        end_page_end_step();
    else
        stepped_rip_ = rip;
    return true;
}

}  // namespace forkscope::cpu
