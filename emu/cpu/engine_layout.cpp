#include "emu/cpu/engine_layout.hpp"

#include <sys/uio.h>
#include <unicorn/unicorn.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace forkscope::cpu {

namespace {

constexpr uint32_t kMsrSysenterCs = 0x174, kMsrSysenterEsp = 0x175, kMsrSysenterEip = 0x176;
constexpr uint32_t kMsrEfer = 0xc0000080, kMsrStar = 0xc0000081, kMsrLstar = 0xc0000082,
                   kMsrCstar = 0xc0000083, kMsrFmask = 0xc0000084, kMsrTscAux = 0xc0000103;
constexpr size_t kNotFound = ~size_t{0};

// Reads host memory that may not be mapped.
bool peek(const void* from, void* to, size_t length) {
    iovec local{to, length};
    iovec remote{const_cast<void*>(from), length};
    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == static_cast<ssize_t>(length);
}

struct EngineCloser {
    void operator()(uc_engine* uc) const { uc_close(uc); }
};

// A scratch engine and what a context of it saves.
class Scratch {
public:
    static Result<Scratch> open(int cpu_model) {
        uc_engine* uc = nullptr;
        if (const uc_err e = uc_open(UC_ARCH_X86, UC_MODE_64, &uc); e != UC_ERR_OK)
            return fail("engine: cannot open Unicorn in 64-bit mode: {}", uc_strerror(e));
        Scratch scratch(uc);
        uc_ctl_set_cpu_model(uc, cpu_model);
        uc_ctl_tlb_mode(uc, UC_TLB_VIRTUAL);
        // The first mapping creates the CPU object.
        if (const uc_err e = uc_mem_map(uc, 0, 0x1000, UC_PROT_ALL); e != UC_ERR_OK)
            return fail("engine: cannot map memory: {}", uc_strerror(e));
        uc_context_alloc(uc, &scratch.context_);
        if (!scratch.find_header()) return fail("engine: the saved context has an unknown header");
        return scratch;
    }

    Scratch(Scratch&& other) noexcept
        : uc_(std::move(other.uc_)),
          context_(std::exchange(other.context_, nullptr)),
          header_(other.header_) {}
    Scratch& operator=(Scratch&&) = delete;
    ~Scratch() {
        if (context_ != nullptr) uc_context_free(context_);
    }

    [[nodiscard]] uc_engine* uc() const { return uc_.get(); }
    void set(int reg, uint64_t value) { uc_reg_write(uc(), reg, &value); }
    void set_msr(uint32_t number, uint64_t value) {
        uc_x86_msr msr{number, value};
        uc_reg_write(uc(), UC_X86_REG_MSR, &msr);
    }
    void set_table(int reg, uint16_t selector, uint64_t base, uint32_t limit) {
        uc_x86_mmr mmr{selector, base, limit, 0};
        uc_reg_write(uc(), reg, &mmr);
    }

    // The raw x86 state as saved now.
    std::vector<uint8_t> state() {
        uc_context_save(uc(), context_);
        const auto* bytes = reinterpret_cast<const uint8_t*>(context_);
        return {bytes + header_, bytes + uc_context_size(uc())};
    }

    // Offset of the only place where the state holds each of two values after each was written; Width
    // bytes wide.
    template <typename Word>
    size_t locate(const std::function<void(uint64_t)>& write, uint64_t first, uint64_t second) {
        write(first);
        const std::vector<uint8_t> a = state();
        write(second);
        const std::vector<uint8_t> b = state();
        size_t found = kNotFound;
        for (size_t i = 0; i + sizeof(Word) <= a.size(); i += 4) {
            Word x, y;
            std::memcpy(&x, &a[i], sizeof x);
            std::memcpy(&y, &b[i], sizeof y);
            if (x != static_cast<Word>(first) || y != static_cast<Word>(second)) continue;
            if (found != kNotFound) return kNotFound;
            found = i;
        }
        return found;
    }

private:
    explicit Scratch(uc_engine* uc) : uc_(uc) {}

    // The context is a header and then the raw state, which begins with RAX.
    bool find_header() {
        constexpr uint64_t kMark = 0x5a17'c0de'0b5e'55ed;
        set(UC_X86_REG_RAX, kMark);
        uc_context_save(uc(), context_);
        const auto* bytes = reinterpret_cast<const uint8_t*>(context_);
        for (size_t i = 0; i + 8 <= std::min<size_t>(uc_context_size(uc()), 128); i += 8) {
            if (std::memcmp(bytes + i, &kMark, sizeof kMark) != 0) continue;
            header_ = i;
            return true;
        }
        return false;
    }

    std::unique_ptr<uc_engine, EngineCloser> uc_;
    uc_context* context_ = nullptr;
    size_t header_ = 0;
};

// Copies what is readable from address on, up to length bytes.
std::vector<uint8_t> peek_block(const uint8_t* address, size_t length) {
    constexpr size_t kPage = 4096;
    std::vector<uint8_t> block(length);
    size_t readable = 0;
    while (readable < length) {
        const size_t into_page = (reinterpret_cast<uintptr_t>(address) + readable) % kPage;
        const size_t chunk = std::min(kPage - into_page, length - readable);
        if (!peek(address + readable, &block[readable], chunk)) break;
        readable += chunk;
    }
    block.resize(readable);
    return block;
}

uint64_t word_at(const std::vector<uint8_t>& block, size_t offset) {
    uint64_t word = 0;
    if (offset + sizeof word <= block.size()) std::memcpy(&word, &block[offset], sizeof word);
    return word;
}

// Finds the CPU object: the pointer in uc_struct behind which a state moves when a register is written
// (saved contexts on the heap do not), and which knows that state's address itself.
bool find_live_state(Scratch& scratch, EngineLayout& layout) {
    constexpr size_t kUcBytes = 4096, kCpuBytes = size_t{128} * 1024;
    constexpr uint64_t kFirst = 0x1357'9bdf'0246'8ace, kSecond = 0x0fed'cba9'8765'4321;
    const auto* uc = reinterpret_cast<const uint8_t*>(scratch.uc());
    scratch.set(UC_X86_REG_RIP, kFirst + 1);
    for (size_t offset = 0; offset < kUcBytes; offset += 8) {
        const uint8_t* object = nullptr;
        if (!peek(uc + offset, &object, sizeof object)) break;
        if (object == nullptr || object == uc) continue;
        scratch.set(UC_X86_REG_RAX, kFirst);
        const std::vector<uint8_t> before = peek_block(object, kCpuBytes);
        if (before.size() < layout.env_size) continue;
        scratch.set(UC_X86_REG_RAX, kSecond);
        bool knows_state = false;
        for (size_t i = 0; i + layout.env_rip + 8 <= before.size(); i += 8) {
            const uint8_t* state = object + i;
            uint64_t now = 0;
            if (word_at(before, i + layout.env_regs) == kFirst &&
                word_at(before, i + layout.env_rip) == kFirst + 1 &&
                peek(state + layout.env_regs, &now, sizeof now) && now == kSecond) {
                for (size_t k = 0; k < i; k += 8)
                    knows_state |= word_at(before, k) == reinterpret_cast<uint64_t>(state);
                if (knows_state && (layout.cpu_env == 0 || i < layout.cpu_env)) {
                    layout.cpu_env = i;
                    layout.uc_cpu = offset;
                }
                break;
            }
        }
    }
    return layout.cpu_env != 0;
}

// Registers whose place a written value shows.
Result<void> find_registers(Scratch& s, EngineLayout& layout) {
    constexpr uint64_t kA = 0x0123'4567'89ab'cde0, kB = 0x0765'4321'0fed'cba0;
    const auto reg = [&](int number) {
        return s.locate<uint64_t>([&, number](uint64_t v) { s.set(number, v); }, kA, kB);
    };
    const auto table = [&](int number) {
        return s.locate<uint64_t>([&, number](uint64_t v) { s.set_table(number, 0x18, v, 0xffff); }, kA, kB);
    };
    const auto msr = [&](uint32_t number) {
        return s.locate<uint64_t>([&, number](uint64_t v) { s.set_msr(number, v); }, kA, kB);
    };
    struct Row {
        const char* name;
        size_t* field;
        size_t found;
        size_t back;  // distance from the start of the field to what was found
    };
    const size_t sysenter_cs =
        s.locate<uint32_t>([&](uint64_t v) { s.set_msr(kMsrSysenterCs, v & 0xffff); }, 0x5a50, 0x3c38);
    const size_t efer = s.locate<uint64_t>([&](uint64_t v) { s.set_msr(kMsrEfer, v); }, 0xd01, 0x500);
    const Row rows[] = {
        {"RAX", &layout.env_regs, reg(UC_X86_REG_RAX), 0},
        {"RIP", &layout.env_rip, reg(UC_X86_REG_RIP), 0},
        {"FS base", &layout.env_seg, reg(UC_X86_REG_FS_BASE), 4 * kSegmentBytes + 8},
        {"LDTR", &layout.env_ldt, table(UC_X86_REG_LDTR), 8},
        {"TR", &layout.env_tr, table(UC_X86_REG_TR), 8},
        {"GDTR", &layout.env_gdt, table(UC_X86_REG_GDTR), 8},
        {"IDTR", &layout.env_idt, table(UC_X86_REG_IDTR), 8},
        {"CR2", &layout.env_cr, reg(UC_X86_REG_CR2), 16},
        {"DR0", &layout.env_dr, reg(UC_X86_REG_DR0), 0},
        {"STAR", &layout.env_star, msr(kMsrStar), 0},
        {"LSTAR", &layout.env_lstar, msr(kMsrLstar), 0},
        {"CSTAR", &layout.env_cstar, msr(kMsrCstar), 0},
        {"FMASK", &layout.env_fmask, msr(kMsrFmask), 0},
        {"TSC_AUX", &layout.env_tsc_aux, msr(kMsrTscAux), 0},
        {"SYSENTER_CS", &layout.env_sysenter_cs, sysenter_cs, 0},
        {"SYSENTER_ESP", &layout.env_sysenter_esp, msr(kMsrSysenterEsp), 0},
        {"SYSENTER_EIP", &layout.env_sysenter_eip, msr(kMsrSysenterEip), 0},
        {"EFER", &layout.env_efer, efer, 0},
    };
    for (const Row& row : rows) {
        if (row.found == kNotFound || row.found < row.back)
            return fail("engine: {} is not where one written value shows in the saved state", row.name);
        *row.field = row.found - row.back;
    }
    // Neighbours whose distance the proofs confirm.
    layout.env_eflags = layout.env_rip + 8;
    layout.env_direction = layout.env_rip + 44;
    layout.env_hflags = layout.env_rip + 48;
    layout.env_hflags2 = layout.env_rip + 52;
    layout.env_a20_mask = layout.env_cr + 72;
    layout.env_pkru = layout.env_dr - 96;
    layout.env_error_code = layout.env_dr - 16;
    layout.env_exception_is_int = layout.env_dr - 12;
    layout.env_old_exception = layout.env_dr + 96;
    layout.env_vm_vmcb = layout.env_dr + 104;
    layout.env_intercept = layout.env_dr + 120;
    layout.env_intercept_cr_read = layout.env_dr + 128;
    layout.env_intercept_cr_write = layout.env_dr + 130;
    layout.env_intercept_dr_read = layout.env_dr + 132;
    layout.env_intercept_dr_write = layout.env_dr + 134;
    layout.tlb_before_env = EngineTlbLayout::kBytes;
    layout.env_size = s.state().size();
    return {};
}

// The CPU object points to the exit request, which lies between the softmmu TLB and the x86 state.
Result<void> find_exit_request(Scratch& s, EngineLayout& layout) {
    constexpr size_t kInterruptRequest = 28, kNearby = 64;
    const auto* uc = reinterpret_cast<const uint8_t*>(s.uc());
    const uint8_t* object = nullptr;
    peek(uc + layout.uc_cpu, &object, sizeof object);
    const std::vector<uint8_t> block = peek_block(object, layout.cpu_env);
    const auto env = reinterpret_cast<uint64_t>(object + layout.cpu_env);
    layout.cpu_interrupt_request = kInterruptRequest;  // the proofs confirm it
    for (size_t i = 0; i + 8 <= block.size(); i += 8) {
        const uint64_t pointer = word_at(block, i);
        if (pointer >= env || pointer < env - kNearby) continue;
        layout.exit_request_before_env = env - pointer;
        return {};
    }
    return fail("engine: nothing in the CPU object points to the exit request");
}

// The CPUID feature words stand 16 bytes after the start of the 12-byte vendor string; both lie behind the
// part of the live state that contexts save.
Result<void> find_features(Scratch& s, EngineLayout& layout) {
    const auto* uc = reinterpret_cast<const uint8_t*>(s.uc());
    const uint8_t* object = nullptr;
    peek(uc + layout.uc_cpu, &object, sizeof object);
    const std::vector<uint8_t> state = peek_block(object + layout.cpu_env, 16384);
    for (const char* vendor : {"GenuineIntel", "AuthenticAMD"}) {
        const auto it = std::search(state.begin(), state.end(), vendor, vendor + 12);
        if (it == state.end()) continue;
        layout.env_features = static_cast<size_t>(it - state.begin()) + 16;
        return {};
    }
    return fail("engine: no vendor string in the live state");
}

// uc_struct: the word that holds the size of a saved state is followed by {u64 next_pc, bool hook_insert,
// bool first_tb, bool no_exit_request, bool init_done}.
Result<void> find_no_exit_request(Scratch& s, EngineLayout& layout) {
    const std::vector<uint8_t> block = peek_block(reinterpret_cast<const uint8_t*>(s.uc()), 4096);
    for (size_t i = 0; i + 24 <= block.size(); i += 8) {
        uint32_t size = 0;
        std::memcpy(&size, &block[i], sizeof size);
        if (size != layout.env_size || block[i + 16] > 1 || block[i + 17] > 1 || block[i + 18] != 0 ||
            block[i + 19] != 1)
            continue;
        layout.uc_no_exit_request = i + 18;
        return {};
    }
    return fail("engine: no word of the engine holds the size of a saved state");
}

bool refuse_fill(uc_engine*, uint64_t, uc_mem_type, uc_tlb_entry*, void*) { return false; }

// uc_struct keeps the exact address of a refused access: refuse the fetch of the first instruction.
Result<void> find_invalid_addr(Scratch& s, EngineLayout& layout) {
    constexpr uint64_t kAddress = 0x0000'1bad'ca11'0ade;
    uc_hook hook = 0;
    uc_hook_add(s.uc(), &hook, UC_HOOK_TLB_FILL, reinterpret_cast<void*>(refuse_fill), nullptr, 1, 0);
    uc_emu_start(s.uc(), kAddress, 0, 0, 0);
    const std::vector<uint8_t> block = peek_block(reinterpret_cast<const uint8_t*>(s.uc()), 4096);
    for (size_t i = 0; i + 8 <= block.size(); i += 8) {
        if (word_at(block, i) != kAddress || i == layout.uc_no_exit_request - 10) continue;
        layout.uc_invalid_addr = i;
        return {};
    }
    return fail("engine: the address of a refused access shows nowhere in the engine");
}

}  // namespace

Result<EngineLayout> probe_engine_layout(int cpu_model) {
    unsigned major = 0, minor = 0;
    const unsigned version = uc_version(&major, &minor);
    if (version < UC_MAKE_VERSION(2, 1))
        return fail("engine: Unicorn {}.{} found, 2.1.4 or later needed", major, minor);
    Scratch scratch = TRY(Scratch::open(cpu_model));
    EngineLayout layout;
    TRY_VOID(find_registers(scratch, layout));
    if (!find_live_state(scratch, layout))
        return fail("engine: the live CPU state is not behind any pointer of the engine");
    TRY_VOID(find_features(scratch, layout));
    TRY_VOID(find_exit_request(scratch, layout));
    TRY_VOID(find_no_exit_request(scratch, layout));
    TRY_VOID(find_invalid_addr(scratch, layout));
    return layout;
}

}  // namespace forkscope::cpu
