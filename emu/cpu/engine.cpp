#include "emu/cpu/engine.hpp"

#include <sys/mman.h>
#include <unicorn/unicorn.h>

#include "emu/cpu/engine_internals.hpp"
#include "emu/cpu/ram_views.hpp"
#include "emu/cpu/svm_intercepts.hpp"

namespace forkscope::cpu {

namespace {

// The control block's page, then the MSR map's two.
constexpr uint64_t kMsrMapOffset = kPageSize;
constexpr uint64_t kOnesOffset = kMsrMapOffset + kMsrMapBytes;
constexpr uint64_t kPrivateBytes = kOnesOffset + kPageSize;

}  // namespace

Result<std::unique_ptr<Engine>> Engine::open(const CpuModel& model, mem::GuestRam& ram, const mem::Rom* rom) {
    const EngineLayout layout = TRY(probe_engine_layout(model.engine_model));
    TRY_VOID(prove_engine_layout(layout, model.engine_model));

    auto engine = TRY(open_aligned(model, layout));
    TRY_VOID(engine->map_ram(ram));
    if (rom != nullptr) TRY_VOID(engine->map_rom(*rom));
    // Stops happen between blocks only, never inside an instruction.
    engine->state_.set_no_exit_request(1);
    apply_cpu_model(model, engine->state_);
    engine->arm_intercepts();
    return engine;
}

// Where malloc puts the CPU state decides which of its fields share cache lines, and with that up to a third
// of the time of a short loop. So: again, behind a spacer of another size, until it lies well.
Result<std::unique_ptr<Engine>> Engine::open_aligned(const CpuModel& model, const EngineLayout& layout) {
    constexpr uint64_t kLine = 64, kGoodPlace = 0;
    constexpr size_t kMallocStep = 16, kSpacer = 65536;
    constexpr unsigned kAttempts = 16;
    for (unsigned attempt = 0;; ++attempt) {
        const std::unique_ptr<char[]> spacer(attempt == 0 ? nullptr
                                                          : new char[kSpacer + kMallocStep * attempt]);
        auto engine = TRY(open_anywhere(model, layout));
        const auto place = reinterpret_cast<uint64_t>(engine->state_.env()) % kLine;
        if (place == kGoodPlace || attempt + 1 == kAttempts) return engine;
    }
}

Result<std::unique_ptr<Engine>> Engine::open_anywhere(const CpuModel& model, const EngineLayout& layout) {
    uc_engine* uc = nullptr;
    if (const uc_err e = uc_open(UC_ARCH_X86, UC_MODE_64, &uc); e != UC_ERR_OK)
        return fail("engine: cannot open Unicorn in 64-bit mode: {}", uc_strerror(e));
    uc_ctl_set_cpu_model(uc, model.engine_model);
    uc_ctl_tlb_mode(uc, UC_TLB_VIRTUAL);
    // Addresses at which emulation ends by itself: none.
    uc_ctl_exits_enable(uc);
    auto engine = std::unique_ptr<Engine>(new Engine(uc, layout));
    // The first mapping creates the CPU object.
    TRY_VOID(engine->map_private());
    engine->state_ = LiveState(uc, engine->layout_);
    return engine;
}

Engine::Engine(uc_struct* uc, const EngineLayout& layout) : uc_(uc), layout_(layout) {}

Engine::~Engine() {
    uc_close(uc_);
    if (private_memory_ != nullptr) munmap(private_memory_, kPrivateBytes);
}

Result<void> Engine::map_ram(mem::GuestRam& ram) {
    uint8_t* const plain = ram.at(PhysAddr(0), 1);
    uint8_t* const tables = TRY(ram.map_view());
    uint8_t* const code = TRY(ram.map_view());
    for (const mem::RamRegion& region : ram.regions()) {
        const uint64_t base = region.base.raw();
        const struct {
            uint64_t address;
            uint8_t* bytes;
            uint32_t protection;
        } views[] = {
            {base, plain, UC_PROT_READ | UC_PROT_WRITE},
            {kTableView + base, tables, UC_PROT_READ | UC_PROT_EXEC},
            {kCodeView + base, code, UC_PROT_ALL},
        };
        for (const auto& view : views) {
            uc_err e =
                uc_mem_map_ptr(uc_, view.address, region.size, UC_PROT_ALL, view.bytes + region.offset);
            if (e == UC_ERR_OK) e = uc_mem_protect(uc_, view.address, region.size, view.protection);
            if (e != UC_ERR_OK)
                return fail("engine: cannot map guest RAM at {:#x}: {}", view.address, uc_strerror(e));
        }
    }
    return {};
}

// The engine takes memory without const; the protection keeps it from writing.
Result<void> Engine::map_rom(const mem::Rom& rom) {
    auto* bytes = const_cast<uint8_t*>(rom.at(rom.base(), rom.size()));
    if (const uc_err e =
            uc_mem_map_ptr(uc_, kRomView + rom.base().raw(), rom.size(), UC_PROT_READ | UC_PROT_EXEC, bytes);
        e != UC_ERR_OK)
        return fail("engine: cannot map the ROM: {}", uc_strerror(e));
    return {};
}

Result<void> Engine::map_private() {
    void* p = mmap(nullptr, kPrivateBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return fail("engine: cannot allocate {} bytes: {}", kPrivateBytes, strerror(errno));
    private_memory_ = static_cast<uint8_t*>(p);
    const std::vector<uint8_t> map = msr_permission_map();
    const uint64_t map_address = kPrivateMemory + kMsrMapOffset;
    std::memcpy(private_memory_ + kMsrMapOffset, map.data(), map.size());
    std::memcpy(private_memory_ + kVmcbMsrMap, &map_address, sizeof map_address);
    if (const uc_err e = uc_mem_map_ptr(uc_, kPrivateMemory, kOnesOffset, UC_PROT_READ, private_memory_);
        e != UC_ERR_OK)
        return fail("engine: cannot map the control block: {}", uc_strerror(e));
    uint8_t* const ones = private_memory_ + kOnesOffset;
    std::memset(ones, 0xff, kPageSize);
    if (const uc_err e = uc_mem_map_ptr(uc_, kAbsentCode, kPageSize, UC_PROT_READ | UC_PROT_EXEC, ones);
        e != UC_ERR_OK)
        return fail("engine: cannot map the page of ones: {}", uc_strerror(e));
    return {};
}

uint64_t Engine::rflags() const {
    uint64_t value = 0;
    uc_reg_read(uc_, UC_X86_REG_RFLAGS, &value);
    return value;
}

void Engine::set_rflags(uint64_t value) { uc_reg_write(uc_, UC_X86_REG_RFLAGS, &value); }

// As the guest's WRMSR would, without what stands in its way for us.
void Engine::write_msr(uint32_t msr, uint64_t value) {
    const uint32_t intercepted = state_.hflags() & kHfGuest;
    state_.hflags() &= ~kHfGuest;
    uc_x86_msr request{msr, value};
    uc_reg_write(uc_, UC_X86_REG_MSR, &request);
    state_.hflags() |= intercepted;
}

void Engine::flush_tlb() { internal::tlb_flush(state_.cpu_object()); }
void Engine::flush_page(uint64_t va) { internal::tlb_flush_page(state_.cpu_object(), va); }
void Engine::arm_intercepts() { cpu::arm_intercepts(state_, kPrivateMemory); }

}  // namespace forkscope::cpu
