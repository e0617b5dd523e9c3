// What Unicorn's shared library exports beside its public API, and the table behind its softmmu TLB.
// One of the few files that know; the layout is proved at start-up (engine_proofs.cpp).
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>

#include "emu/cpu/live_state.hpp"

extern "C" {
void tlb_flush_x86_64(void* cpu);
void tlb_flush_page_x86_64(void* cpu, uint64_t va);
void cpu_x86_update_cr0_x86_64(void* env, uint32_t value);
void cpu_x86_update_cr3_x86_64(void* env, uint64_t value);
void cpu_x86_update_cr4_x86_64(void* env, uint32_t value);
// DR0 to DR3, with the engine's own breakpoints of execution.
void helper_set_dr_x86_64(void* env, int number, uint64_t value);
void cpu_x86_update_dr7_x86_64(void* env, uint32_t value);
// What generated code calls at the start of each block; never called from here.
void helper_check_exit_request_x86_64(void* engine, uint32_t);
// Leaves generated code by longjmp: no destructor of a frame below runs.
[[noreturn]] void raise_exception_err_ra_x86_64(void* env, int vector, int error_code,
                                                uintptr_t return_address);
}

namespace forkscope::cpu {

namespace internal {

inline void tlb_flush(void* cpu) { tlb_flush_x86_64(cpu); }
inline void tlb_flush_page(void* cpu, uint64_t va) { tlb_flush_page_x86_64(cpu, va); }

}  // namespace internal

// The engine's MMU indexes.
inline constexpr unsigned kModeSupervisor = 0, kModeUser = 1, kModeSupervisorWithoutSmap = 2;

// The one that accesses of data by the current instruction have.
inline unsigned data_mode(const LiveState& s) {
    if (s.cpl() == 3) return kModeUser;
    const bool smap = (s.hflags() & kHfSmap) != 0 && (s.eflags() & kFlagAc) == 0;
    return smap ? kModeSupervisor : kModeSupervisorWithoutSmap;
}

// One valid entry, of one page and one MMU index.
struct EngineTlbEntry {
    uint64_t va;
    uint64_t pa;  // as the fill callback gave it
    unsigned mode;
    bool read, write, fetch;
};

// The engine's own TLB: for each MMU index a table of (addr_read, addr_write, addr_code, paddr, addend), and
// a few entries that were displaced from it.
class EngineTlb {
public:
    explicit EngineTlb(const LiveState& state) : tlb_(state.tlb()) {}

    template <typename F>
    void for_each(F&& f) const {
        for (unsigned mode = 0; mode < EngineTlbLayout::kModes; ++mode) {
            const Table table = table_of(mode);
            for (const uint8_t* p = table.entries; p <= table.entries + table.mask; p += kEntryBytes)
                visit(p, mode, f);
            for (size_t i = 0; i < EngineTlbLayout::kVictimCount; ++i) visit(victim(mode, i), mode, f);
        }
    }

    // The frame, as the fill callback gave it, that code at a virtual address is fetched from, if the table
    // still has it.
    [[nodiscard]] std::optional<uint64_t> code_page(unsigned mode, uint64_t va) const {
        const Table table = table_of(mode);
        auto page = code_page_of(table.entries + (va / kPageBytes * kEntryBytes & table.mask), va);
        for (size_t i = 0; !page && i < EngineTlbLayout::kVictimCount; ++i)
            page = code_page_of(victim(mode, i), va);
        return page;
    }

    // Where plain accesses of data go: the start of a page in host memory, and its address as the fill
    // callback gave it.
    struct DataPage {
        uint8_t* host;
        uint64_t pa;
    };
    enum class Use : uint8_t { Read, Write };
    // Nothing unless the table has it, and the engine's own code would go there without asking anybody.
    [[nodiscard]] std::optional<DataPage> data_page(unsigned mode, uint64_t va, Use use) const {
        const Table table = table_of(mode);
        uint64_t word[5];
        std::memcpy(word, table.entries + (va / kPageBytes * kEntryBytes & table.mask), sizeof word);
        const uint64_t page = va & ~(kPageBytes - 1);
        // The low bits of the comparator are flags; with any of them the access is a slow one.
        if (word[use == Use::Read ? 0 : 1] != page) return std::nullopt;
        return DataPage{reinterpret_cast<uint8_t*>(page + word[4]), word[3] & ~(kPageBytes - 1)};
    }

    // Start of the resize window of one MMU index, host nanoseconds.
    int64_t& window_begin(unsigned mode) const {
        return *reinterpret_cast<int64_t*>(tlb_ + EngineTlbLayout::kHeader +
                                           EngineTlbLayout::kDescriptorBytes * mode +
                                           EngineTlbLayout::kWindowBegin);
    }

private:
    static constexpr size_t kEntryBytes = 64;
    static constexpr uint64_t kPageBytes = 4096;

    struct Table {
        uint64_t mask = 0;  // of offsets of entries
        const uint8_t* entries = nullptr;
    };
    [[nodiscard]] static std::optional<uint64_t> code_page_of(const uint8_t* p, uint64_t va) {
        uint64_t word[4];
        std::memcpy(word, p, sizeof word);
        if ((word[2] & kInvalid) != 0 || word[2] / kPageBytes != va / kPageBytes) return std::nullopt;
        return word[3];
    }
    [[nodiscard]] const uint8_t* victim(unsigned mode, size_t number) const {
        return tlb_ + EngineTlbLayout::kHeader + EngineTlbLayout::kDescriptorBytes * mode +
               EngineTlbLayout::kVictims + kEntryBytes * number;
    }
    [[nodiscard]] Table table_of(unsigned mode) const {
        Table table;
        const uint8_t* fast = tlb_ + EngineTlbLayout::kFastTables + size_t{16} * mode;
        std::memcpy(&table.mask, fast, 8);
        std::memcpy(&table.entries, fast + 8, 8);
        return table;
    }

    static constexpr uint64_t kInvalid = 1u << 11;  // the entry's comparator can never match

    template <typename F>
    static void visit(const uint8_t* p, unsigned mode, F& f) {
        uint64_t word[4];
        std::memcpy(word, p, sizeof word);
        const auto valid = [](uint64_t comparator) { return (comparator & kInvalid) == 0; };
        EngineTlbEntry entry{0, word[3], mode, valid(word[0]), valid(word[1]), valid(word[2])};
        if (!entry.read && !entry.write && !entry.fetch) return;
        entry.va = (entry.read ? word[0] : entry.write ? word[1] : word[2]) & ~uint64_t{0xfff};
        f(entry);
    }

    uint8_t* tlb_;
};

}  // namespace forkscope::cpu
