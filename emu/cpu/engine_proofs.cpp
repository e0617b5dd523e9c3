// Proofs that a probed layout is right: guest code on a scratch engine that behaves as expected only if
// the field that each proof uses is where the layout says.
#include <unicorn/unicorn.h>

#include <initializer_list>
#include <memory>
#include <vector>

#include "emu/cpu/engine_internals.hpp"
#include "emu/cpu/engine_layout.hpp"
#include "emu/cpu/live_state.hpp"
#include "emu/cpu/svm_intercepts.hpp"

namespace forkscope::cpu {

namespace {

constexpr uint64_t kCode = 0x1000, kData = 0x5000, kStack = 0x8000, kRefused = 0x9000, kVmcb = 0xa000,
                   kMsrMap = 0xc000;
constexpr uint64_t kRamBytes = 0x10000;
constexpr int kNoInterrupt = -1;

class ProofEngine {
public:
    ProofEngine(const EngineLayout& layout, int cpu_model) {
        uc_open(UC_ARCH_X86, UC_MODE_64, &uc_);
        uc_ctl_set_cpu_model(uc_, cpu_model);
        uc_ctl_tlb_mode(uc_, UC_TLB_VIRTUAL);
        uc_ctl_exits_enable(uc_);
        uc_mem_map(uc_, 0, kRamBytes, UC_PROT_ALL);
        state_ = LiveState(uc_, layout);
        state_.gpr(kRsp) = kStack;
        uc_hook hook = 0;
        uc_hook_add(uc_, &hook, UC_HOOK_TLB_FILL, reinterpret_cast<void*>(on_fill), this, 1, 0);
        uc_hook_add(uc_, &hook, UC_HOOK_INTR, reinterpret_cast<void*>(on_interrupt), this, 1, 0);
    }
    ProofEngine(const ProofEngine&) = delete;
    ProofEngine& operator=(const ProofEngine&) = delete;
    ~ProofEngine() { uc_close(uc_); }

    LiveState& state() { return state_; }
    [[nodiscard]] int interrupt() const { return interrupt_; }
    void write(uint64_t pa, const void* bytes, size_t length) { uc_mem_write(uc_, pa, bytes, length); }

    // Runs code to its HLT, its first exception or a refused access; true if it got to the HLT.
    bool run(std::initializer_list<uint8_t> code) {
        std::vector<uint8_t> bytes(code);
        bytes.push_back(0xf4);
        const uint64_t at = kCode + uint64_t{64} * runs_++;
        uc_mem_write(uc_, at, bytes.data(), bytes.size());
        interrupt_ = kNoInterrupt;
        const uc_err e = uc_emu_start(uc_, at, 0, 0, 0);
        return e == UC_ERR_OK && interrupt_ == kNoInterrupt && state_.rip() == at + bytes.size();
    }

private:
    static bool on_fill(uc_engine*, uint64_t va, uc_mem_type type, uc_tlb_entry* entry, void*) {
        if (va == kRefused) return false;
        entry->paddr = va;
        entry->perms = static_cast<uc_prot>(type == UC_MEM_FETCH   ? UC_PROT_READ | UC_PROT_EXEC
                                            : type == UC_MEM_WRITE ? UC_PROT_READ | UC_PROT_WRITE
                                                                   : UC_PROT_READ);
        return true;
    }
    static void on_interrupt(uc_engine* uc, uint32_t number, void* self) {
        auto* engine = static_cast<ProofEngine*>(self);
        engine->interrupt_ = static_cast<int>(number);
        engine->state_.interrupt_request() = 0;
        uc_emu_stop(uc);
    }

    uc_engine* uc_ = nullptr;
    LiveState state_;
    int interrupt_ = kNoInterrupt;
    unsigned runs_ = 0;
};

void set_cpl(LiveState& s, unsigned cpl) { s.hflags() = (s.hflags() & ~kHfCplMask) | cpl; }

// CLI is refused in ring 3 and runs in ring 0; LGDT-less GDT loads fault with the selector.
const char* prove_privilege_and_errors(ProofEngine& e) {
    LiveState& s = e.state();
    set_cpl(s, 3);
    s.error_code() = 0x5a5a;
    if (e.run({0xfa}) || e.interrupt() != 13 || s.error_code() != 0) return "CLI in ring 3 is not a #GP(0)";
    s.old_exception() = ~0u;
    set_cpl(s, 0);
    if (!e.run({0xfa})) return "CLI does not run in ring 0";
    s.eflags() |= kFlagIf;
    if (!e.run({0x9c, 0x58}) || (s.gpr(kRax) & kFlagIf) == 0) return "EFLAGS.IF does not reach PUSHF";
    // mov eax, 0x1238; mov ds, eax
    if (e.run({0xb8, 0x38, 0x12, 0, 0, 0x8e, 0xd8}) || e.interrupt() != 13 || s.error_code() != 0x1238)
        return "a bad selector does not give its own number as the error code";
    // A second contributory fault would be a double fault.
    s.old_exception() = ~0u;
    if (e.run({0xb8, 0x38, 0x12, 0, 0, 0x8e, 0xd8}) || e.interrupt() != 13)
        return "old_exception does not clear the double-fault state";
    if (e.run({0xb8, 0x38, 0x12, 0, 0, 0x8e, 0xd8}) || e.interrupt() != 8)
        return "two contributory faults are not a double fault";
    s.old_exception() = ~0u;
    s.exception_is_int() = 0;
    if (e.run({0xcd, 0x80}) || e.interrupt() != 0x80 || s.exception_is_int() != 1)
        return "INT 0x80 is not marked as a software interrupt";
    s.exception_is_int() = 0;
    return nullptr;
}

const char* prove_registers(ProofEngine& e) {
    LiveState& s = e.state();
    s.gpr(kR13) = 0x1111'2222'3333'4444;
    if (!e.run({0x4c, 0x89, 0xeb}) || s.gpr(kRbx) != 0x1111'2222'3333'4444)
        return "R13 and RBX";  // mov rbx, r13
    s.segment(kGs).base = kData;
    const uint64_t word = 0x0badc0dedeadbeef;
    e.write(kData + 8, &word, sizeof word);
    // mov rax, gs:[8]
    if (!e.run({0x65, 0x48, 0x8b, 0x04, 0x25, 8, 0, 0, 0}) || s.gpr(kRax) != word) return "the base of GS";
    for (unsigned n = kEs; n <= kGs; ++n) s.segment(n).hole.word = 0x0a11'0ade + n;
    s.gpr(kRax) = 0;
    // mov es, eax; mov ss, eax; mov ds, eax; mov fs, eax; mov gs, eax
    const bool loaded = e.run({0x8e, 0xc0, 0x8e, 0xd0, 0x8e, 0xd8, 0x8e, 0xe0, 0x8e, 0xe8});
    for (unsigned n = kEs; n <= kGs; ++n)
        if (!loaded || s.segment(n).hole.word != 0x0a11'0ade + n)
            return "the bytes behind a segment's selector";
    s.segment(kCs).selector = 0x1230;
    if (!e.run({0x8c, 0xc8}) || (s.gpr(kRax) & 0xffff) != 0x1230) return "the selector of CS";  // mov eax, cs
    s.cr(4) |= 1u << 22;                                                                        // PKE
    s.feature(3) |= 1u << 3;                                                                    // PKU
    s.gpr(kRcx) = s.gpr(kRdx) = 0;
    s.gpr(kRax) = 0x55aa;
    if (!e.run({0x0f, 0x01, 0xef}) || s.pkru() != 0x55aa) return "PKRU after WRPKRU";
    s.cr(4) &= ~uint64_t{1u << 22};
    if (s.direction() != 1 || !e.run({0xfd}) || s.direction() != -1 || !e.run({0xfc}) || s.direction() != 1)
        return "the direction of strings";  // std; cld
    s.gpr(kRcx) = 0xc0000080;               // EFER
    if (!e.run({0x0f, 0x32}) || static_cast<uint32_t>(s.gpr(kRax)) != s.efer()) return "EFER in RDMSR";
    if (static_cast<uint32_t>(*reinterpret_cast<int32_t*>(s.env_bytes() + s.layout().env_a20_mask)) !=
        0xffffffff)
        return "the A20 mask";
    return nullptr;
}

const char* prove_faults_and_tlb(ProofEngine& e) {
    LiveState& s = e.state();
    s.gpr(kRbx) = kRefused + 0x123;
    if (e.run({0x8a, 0x03}) || s.invalid_addr() != kRefused + 0x123)  // mov al, [rbx]
        return "the exact address of a refused access";
    s.gpr(kRbx) = kData;
    if (!e.run({0x8a, 0x03})) return "a granted access";
    const EngineTlb tlb(s);
    bool found = false;
    tlb.for_each(
        [&](const EngineTlbEntry& entry) { found |= entry.read && entry.va == kData && entry.pa == kData; });
    if (!found) return "an entry of the engine's TLB";
    internal::tlb_flush_page(s.cpu_object(), kData);
    found = false;
    tlb.for_each([&](const EngineTlbEntry& entry) { found |= entry.va == kData; });
    if (found) return "tlb_flush_page";
    return nullptr;
}

const char* prove_intercepts(ProofEngine& e) {
    LiveState& s = e.state();
    const std::vector<uint8_t> msr_map = msr_permission_map();
    const uint64_t map_address = kMsrMap;
    e.write(kMsrMap, msr_map.data(), msr_map.size());
    e.write(kVmcb + kVmcbMsrMap, &map_address, sizeof map_address);
    arm_intercepts(s, kVmcb);
    const struct {
        const char* name;
        std::initializer_list<uint8_t> code;
        int number;
    } rows[] = {
        {"INVLPG", {0x0f, 0x01, 0x3b}, kInterceptInvlpg},
        {"MOV CR0", {0x0f, 0x22, 0xc0}, kInterceptCr0},
        {"MOV CR3", {0x0f, 0x22, 0xd8}, kInterceptCr3},
        {"MOV CR4", {0x0f, 0x22, 0xe0}, kInterceptCr4},
        {"HLT", {0xf4}, kInterceptHlt},
        {"CLTS", {0x0f, 0x06}, kInterceptCr0},
        {"LMSW", {0x0f, 0x01, 0xf0}, kInterceptCr0},
        {"MOV from CR8", {0x44, 0x0f, 0x20, 0xc0}, kInterceptReadCr8},
        {"MOV CR8", {0x44, 0x0f, 0x22, 0xc0}, kInterceptWriteCr8},
        {"MOV from DR6", {0x0f, 0x21, 0xf0}, kInterceptReadDr + 6},
        {"MOV DR7", {0x0f, 0x23, 0xf8}, kInterceptWriteDr + 7},
        {"LGDT", {0x0f, 0x01, 0x13}, kInterceptLgdt},
        {"LIDT", {0x0f, 0x01, 0x1b}, kInterceptLidt},
        {"LLDT", {0x0f, 0x00, 0xd0}, kInterceptLldt},
        {"LTR", {0x0f, 0x00, 0xd8}, kInterceptLtr},
        {"RDPMC", {0x0f, 0x33}, kInterceptRdpmc},
    };
    for (const auto& row : rows)
        if (e.run(row.code) || e.interrupt() != row.number) return row.name;
    // A request waits for IF (STI; NOP; JMP to itself), an NMI request does not (JMP to itself).
    s.eflags() &= ~kFlagIf;
    s.interrupt_request() |= kRequestHard;
    if (e.run({0xfb, 0x90, 0xeb, 0xfe}) || e.interrupt() != kInterceptIntr || (s.eflags() & kFlagIf) == 0)
        return "an interrupt request";
    s.interrupt_request() = kRequestNmi;
    s.eflags() &= ~kFlagIf;
    if (e.run({0xeb, 0xfe}) || e.interrupt() != kInterceptNmi) return "an NMI request";
    s.interrupt_request() = 0;
    s.gpr(kRcx) = 0xc0000080;
    if (e.run({0x0f, 0x30}) || e.interrupt() != kInterceptMsr) return "WRMSR EFER";
    s.gpr(kRcx) = 0xc0000084;  // FMASK
    s.gpr(kRax) = s.gpr(kRdx) = 0;
    if (e.run({0x0f, 0x30}) || e.interrupt() != kInterceptHlt) return "WRMSR FMASK, which is not intercepted";
    return nullptr;
}

}  // namespace

Result<void> prove_engine_layout(const EngineLayout& layout, int cpu_model) {
    const struct {
        const char* topic;
        const char* (*proof)(ProofEngine&);
    } proofs[] = {
        {"privilege and error codes", prove_privilege_and_errors},
        {"registers", prove_registers},
        {"faults and TLB", prove_faults_and_tlb},
        {"intercepts", prove_intercepts},
    };
    for (const auto& [topic, proof] : proofs) {
        ProofEngine engine(layout, cpu_model);
        if (const char* failed = proof(engine); failed != nullptr)
            return fail("engine: this build of Unicorn {} is unknown: the proof of {} failed at: {}",
                        static_cast<unsigned>(uc_version(nullptr, nullptr)), topic, failed);
    }
    return {};
}

}  // namespace forkscope::cpu
