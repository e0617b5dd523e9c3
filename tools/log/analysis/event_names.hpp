// Names for what findings speak of: code by the symbols, tasks by what was announced so far.
#pragma once

#include "emu/check/finding.hpp"
#include "tools/log/analysis/symbolizer.hpp"
#include "tools/log/analysis/task_table.hpp"

namespace forkscope::analysis {

class EventNames final : public check::Namer {
public:
    static constexpr log::KindMask kKinds = TaskTable::kKinds;

    explicit EventNames(std::vector<log::SymbolModule> modules) : symbols_(std::move(modules)) {}

    // Instead of those from before.
    void set_symbols(std::vector<log::SymbolModule> modules) { symbols_ = Symbolizer(std::move(modules)); }

    void apply(const log::Event& event, uint64_t number) { tasks_.apply(event, number); }

    [[nodiscard]] std::string code(uint64_t rip, unsigned cpl, uint32_t task) const override {
        const auto found = tasks_.find(task);
        return symbols_.text(rip, cpl,
                             found ? std::string_view(tasks_.all()[*found].name) : std::string_view());
    }
    // By its address space where the guest announces no tasks.
    [[nodiscard]] std::string task(uint32_t tid, uint64_t root) const override {
        return tid == 0 ? party_label(0, {}, root) : tasks_.label(tid);
    }

private:
    Symbolizer symbols_;
    TaskTable tasks_;
};

}  // namespace forkscope::analysis
