// The x86 state of a running engine, in place. Reads and writes here are plain memory accesses; they
// are safe outside generated code and inside hooks, which is where they are used.
#pragma once

#include <cstdint>
#include <cstring>

#include "emu/cpu/engine_layout.hpp"

namespace forkscope::cpu {

// hflags bits of the engine.
inline constexpr uint32_t kHfCplMask = 3;
inline constexpr uint32_t kHfInhibitIrq = 1u << 3;  // the instruction after STI or MOV SS
inline constexpr uint32_t kHfCs32 = 1u << 4;
inline constexpr uint32_t kHfSs32 = 1u << 5;
inline constexpr uint32_t kHfAddSeg = 1u << 6;
inline constexpr uint32_t kHfPe = 1u << 7;
inline constexpr uint32_t kHfLma = 1u << 14;
inline constexpr uint32_t kHfCs64 = 1u << 15;
inline constexpr uint32_t kHfVm = 1u << 17;
inline constexpr uint32_t kHfSvme = 1u << 20;
inline constexpr uint32_t kHfSmap = 1u << 23;
inline constexpr uint32_t kHfGuest = 1u << 21;  // its SVM intercepts are on
// Bits of interrupt_request().
inline constexpr uint32_t kRequestHard = 1u << 1;
inline constexpr uint32_t kRequestNmi = 1u << 9;

inline constexpr uint32_t kHf2Gif = 1u << 0;
inline constexpr uint32_t kHf2NmiBlocked = 1u << 2;

// RFLAGS and control register bits (Intel SDM vol. 1, 3.4.3 and vol. 3, 2.5).
inline constexpr uint64_t kFlagTf = 1u << 8;
inline constexpr uint64_t kFlagIf = 1u << 9;
inline constexpr uint64_t kFlagIopl = 3u << 12;
inline constexpr uint64_t kFlagNt = 1u << 14;
inline constexpr uint64_t kFlagRf = 1u << 16;
inline constexpr uint64_t kFlagVm = 1u << 17;
inline constexpr uint64_t kFlagAc = 1u << 18;
inline constexpr uint64_t kCr0Pe = 1u << 0;
inline constexpr uint64_t kCr0Ts = 1u << 3;
inline constexpr uint64_t kCr0Pg = 1u << 31;
inline constexpr uint64_t kCr4Pae = 1u << 5;
inline constexpr uint64_t kCr4Pge = 1u << 7;
inline constexpr uint64_t kEferSce = 1u << 0;
inline constexpr uint64_t kEferLme = 1u << 8;
inline constexpr uint64_t kEferLma = 1u << 10;
inline constexpr uint64_t kEferNxe = 1u << 11;

enum Gpr : unsigned {
    kRax,
    kRcx,
    kRdx,
    kRbx,
    kRsp,
    kRbp,
    kRsi,
    kRdi,
    kR8,
    kR9,
    kR10,
    kR11,
    kR12,
    kR13,
    kR14,
    kR15
};
enum SegmentIndex : unsigned { kEs, kCs, kSs, kDs, kFs, kGs };

// A segment cache as the engine keeps it: flags are the second word of the descriptor.
// Four bytes of a segment cache that the engine leaves alone. We keep counters there (block_calls.hpp), so
// loading the segment leaves them alone too.
struct SegmentHole {
    uint32_t word;

    constexpr SegmentHole(uint32_t value = 0) : word(value) {}
    constexpr SegmentHole(const SegmentHole&) = default;
    constexpr SegmentHole& operator=(const SegmentHole&) { return *this; }
    ~SegmentHole() = default;
};

struct SegmentCache {
    uint32_t selector;
    SegmentHole hole;
    uint64_t base;
    uint32_t limit;
    uint32_t flags;
};
static_assert(sizeof(SegmentCache) == kSegmentBytes);

class LiveState {
public:
    LiveState() = default;
    // engine: the uc_engine handle whose CPU object exists already.
    LiveState(void* engine, const EngineLayout& layout)
        : layout_(&layout),
          engine_(static_cast<uint8_t*>(engine)),
          cpu_(*reinterpret_cast<uint8_t**>(engine_ + layout.uc_cpu)),
          env_(cpu_ + layout.cpu_env) {}

    [[nodiscard]] void* cpu_object() const { return cpu_; }
    [[nodiscard]] void* env() const { return env_; }
    [[nodiscard]] uint8_t* env_bytes() const { return env_; }
    [[nodiscard]] const EngineLayout& layout() const { return *layout_; }

    uint64_t& gpr(unsigned n) const { return at<uint64_t>(layout_->env_regs + size_t{8} * n); }
    uint64_t& rip() const { return at<uint64_t>(layout_->env_rip); }
    uint64_t& eflags() const { return at<uint64_t>(layout_->env_eflags); }
    uint32_t& hflags() const { return at<uint32_t>(layout_->env_hflags); }
    // 1, or -1 while RFLAGS.DF is set.
    int32_t& direction() const { return at<int32_t>(layout_->env_direction); }
    uint32_t& hflags2() const { return at<uint32_t>(layout_->env_hflags2); }
    SegmentCache& segment(unsigned n) const { return at<SegmentCache>(layout_->env_seg + kSegmentBytes * n); }
    SegmentCache& ldt() const { return at<SegmentCache>(layout_->env_ldt); }
    SegmentCache& tr() const { return at<SegmentCache>(layout_->env_tr); }
    SegmentCache& gdt() const { return at<SegmentCache>(layout_->env_gdt); }
    SegmentCache& idt() const { return at<SegmentCache>(layout_->env_idt); }
    uint64_t& cr(unsigned n) const { return at<uint64_t>(layout_->env_cr + size_t{8} * n); }
    uint64_t& dr(unsigned n) const { return at<uint64_t>(layout_->env_dr + size_t{8} * n); }
    uint64_t& efer() const { return at<uint64_t>(layout_->env_efer); }
    uint64_t& star() const { return at<uint64_t>(layout_->env_star); }
    uint64_t& lstar() const { return at<uint64_t>(layout_->env_lstar); }
    uint64_t& cstar() const { return at<uint64_t>(layout_->env_cstar); }
    uint64_t& fmask() const { return at<uint64_t>(layout_->env_fmask); }
    uint64_t& tsc_aux() const { return at<uint64_t>(layout_->env_tsc_aux); }
    uint32_t& sysenter_cs() const { return at<uint32_t>(layout_->env_sysenter_cs); }
    uint64_t& sysenter_esp() const { return at<uint64_t>(layout_->env_sysenter_esp); }
    uint64_t& sysenter_eip() const { return at<uint64_t>(layout_->env_sysenter_eip); }
    uint32_t& pkru() const { return at<uint32_t>(layout_->env_pkru); }
    uint32_t& error_code() const { return at<uint32_t>(layout_->env_error_code); }
    uint32_t& exception_is_int() const { return at<uint32_t>(layout_->env_exception_is_int); }
    uint32_t& old_exception() const { return at<uint32_t>(layout_->env_old_exception); }
    uint64_t& vm_vmcb() const { return at<uint64_t>(layout_->env_vm_vmcb); }
    uint64_t& intercept() const { return at<uint64_t>(layout_->env_intercept); }
    uint16_t& intercept_cr_read() const { return at<uint16_t>(layout_->env_intercept_cr_read); }
    uint16_t& intercept_dr_read() const { return at<uint16_t>(layout_->env_intercept_dr_read); }
    uint16_t& intercept_dr_write() const { return at<uint16_t>(layout_->env_intercept_dr_write); }
    uint16_t& intercept_cr_write() const { return at<uint16_t>(layout_->env_intercept_cr_write); }
    // CPUID feature words: 0 1.EDX, 1 1.ECX, 2 7.EBX, 3 7.ECX, 6 80000001.EDX, 7 80000001.ECX, ...
    uint64_t& feature(unsigned n) const { return at<uint64_t>(layout_->env_features + size_t{8} * n); }
    [[nodiscard]] uint8_t* tlb() const { return env_ - layout_->tlb_before_env; }

    // Interrupts that the engine looks for between blocks. Other threads may set bits.
    uint32_t& interrupt_request() const {
        return *reinterpret_cast<uint32_t*>(cpu_ + layout_->cpu_interrupt_request);
    }
    // Negative: the next block returns to the engine's main loop, which looks for interrupts.
    int32_t& exit_request() const {
        return *reinterpret_cast<int32_t*>(env_ - layout_->exit_request_before_env);
    }

    [[nodiscard]] uint64_t invalid_addr() const {
        return *reinterpret_cast<uint64_t*>(engine_ + layout_->uc_invalid_addr);
    }
    void set_no_exit_request(uint8_t on) const { engine_[layout_->uc_no_exit_request] = on; }

    [[nodiscard]] unsigned cpl() const { return hflags() & kHfCplMask; }
    [[nodiscard]] bool long_mode() const { return (hflags() & kHfLma) != 0; }
    [[nodiscard]] bool code64() const { return (hflags() & kHfCs64) != 0; }
    // How code is decoded now: 16, 32 or 64.
    [[nodiscard]] unsigned code_bits() const { return code64() ? 64 : (hflags() & kHfCs32) != 0 ? 32 : 16; }
    [[nodiscard]] bool protected_mode() const { return (hflags() & kHfPe) != 0; }

private:
    template <typename T>
    T& at(size_t offset) const {
        return *reinterpret_cast<T*>(env_ + offset);
    }

    const EngineLayout* layout_ = nullptr;
    uint8_t* engine_ = nullptr;
    uint8_t* cpu_ = nullptr;
    uint8_t* env_ = nullptr;
};

}  // namespace forkscope::cpu
