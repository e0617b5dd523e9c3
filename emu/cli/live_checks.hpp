// run --check: the checks stand between the machine's recorder and that of the log, so that each finding
// follows the event that shows it. What they find is said on standard error as it happens.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "emu/check/engine.hpp"
#include "emu/log/recorder.hpp"
#include "emu/log/symbols.hpp"
#include "tools/log/analysis/event_names.hpp"

namespace forkscope::cli {

class LiveChecks final : public log::EventSink, private check::FindingListener {
public:
    // Looks for a kernel's symbols when they are needed first, if `modules` has none.
    using FindKernel = std::function<std::optional<log::SymbolModule>()>;

    // `next` gets all events and the findings; it outlives this.
    LiveChecks(check::CheckSet wanted, check::EventNumbers numbers, std::vector<log::SymbolModule> modules,
               FindKernel find_kernel, log::Recorder& next);

    void consume(std::span<const log::Event> events) override;
    void write_out() override { next_.write_out(); }

    // Says what was found in all; false if that is not nothing.
    bool report() const;

private:
    void found(check::Finding&& finding) override;
    void name_kernel();

    static constexpr uint64_t kSaid = 20;  // of each check one by one

    static constexpr unsigned kSearches = 3;  // early in a boot there may be nothing yet

    check::CheckSet wanted_;
    check::EventNumbers numbers_;
    std::vector<log::SymbolModule> modules_;
    analysis::EventNames names_;
    FindKernel find_kernel_;
    unsigned searches_left_ = kSearches;
    log::Recorder& next_;
    check::Engine engine_;
    std::array<uint64_t, log::kFindingCount> counts_{};
};

}  // namespace forkscope::cli
