// Flushes that nothing needed: since the last flush that covered what this one covers, no software changed a
// present entry there, in no bit. Only changes that this CPU may have cached count: of the address space in
// its CR3, or of kernel addresses. A load of CR3 with another root is a switch and never judged. A range that
// is flushed page by page may cover pages that had no entry: so this is a statistic, not a mistake.
#pragma once

#include <unordered_set>
#include <vector>

#include "emu/check/check.hpp"

namespace forkscope::check {

class RedundantFlush final : public Check {
public:
    static constexpr log::KindMask kKinds =
        log::mask_of(log::EventKind::Flush) | log::mask_of(log::EventKind::PteWrite);
    using Check::Check;
    void event(const log::Event& event, uint64_t number) override;

private:
    // Changes that no flush covered yet.
    struct Changed {
        std::unordered_set<uint64_t> pages;  // by entries of level 1
        std::vector<CodePoint> spans;        // by others
        [[nodiscard]] bool none() const { return pages.empty() && spans.empty(); }
        [[nodiscard]] bool take(uint64_t va);  // whether one covers va
        void clear();
    };
    struct Cpu {
        Changed user;
        Changed kernel;             // perhaps global pages, which a load of CR3 does not cover
        bool kernel_fresh = false;  // since the last load of CR3
    };

    void flush(const log::Event& event, uint64_t number);
    [[nodiscard]] static bool takes(Cpu& cpu, const log::Event& flush);
    [[nodiscard]] Cpu& cpu(unsigned number);

    std::vector<Cpu> cpus_;
};

}  // namespace forkscope::check
