// What a TLB could hold: every fill since the last flush that covered it, by the manual (Intel SDM vol.
// 3A, 4.10 "Caching Translation Information"). A real TLB forgets at will; this one never does.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "emu/log/entry_bits.hpp"
#include "emu/log/event.hpp"
#include "emu/log/recorder.hpp"

namespace forkscope::analysis {

struct TlbEntry {
    log::Event fill;
    uint64_t number = 0;
};

class TlbView {
public:
    static constexpr log::KindMask kKinds = log::mask_of(log::EventKind::TlbFill) |
                                            log::mask_of(log::EventKind::Flush) |
                                            log::mask_of(log::EventKind::PageFault);

    void apply(const log::Event& event, uint64_t number);

    // By CPU, then address, then level.
    [[nodiscard]] std::vector<TlbEntry> entries() const;
    [[nodiscard]] size_t size() const;
    // Fills in all, and what ended them.
    struct Counts {
        uint64_t fills = 0;
        uint64_t by_page = 0;   // INVLPG, or a page fault at the address
        uint64_t by_space = 0;  // a load of CR3
        uint64_t by_all = 0;    // paging or global pages were switched
    };
    [[nodiscard]] const Counts& counts() const { return counts_; }

private:
    struct Cpu {
        std::map<std::tuple<uint64_t, unsigned>, TlbEntry> local;
        std::map<std::tuple<uint64_t, unsigned>, TlbEntry> global;
    };
    void drop_page(Cpu& cpu, uint64_t va);

    std::map<unsigned, Cpu> cpus_;
    Counts counts_;
};

}  // namespace forkscope::analysis
