#include "emu/cli/live_checks.hpp"

#include <fmt/format.h>

#include <numeric>

#include "emu/base/say.hpp"

namespace forkscope::cli {

LiveChecks::LiveChecks(check::CheckSet wanted, check::EventNumbers numbers,
                       std::vector<log::SymbolModule> modules, log::Recorder& next)
    : wanted_(wanted), numbers_(numbers), names_(std::move(modules)), next_(next), engine_(wanted, *this) {}

void LiveChecks::consume(std::span<const log::Event> events) {
    for (const log::Event& event : events) {
        const uint64_t number = next_.count();
        next_.append(event);
        names_.apply(event, number);
        engine_.apply(event, number);
    }
}

void LiveChecks::found(check::Finding&& finding) {
    // The ledger's own are in the stream already.
    const bool of_ledger =
        finding.what == log::Finding::StaleTlbUser || finding.what == log::Finding::StaleTlbKernel;
    if (!of_ledger) next_.append(finding.event);
    if (++counts_[static_cast<size_t>(finding.what)] > kSaid) return;
    say("check: {}", check::describe(finding, names_, numbers_));
}

bool LiveChecks::report() const {
    const uint64_t total = std::accumulate(counts_.begin(), counts_.end(), uint64_t{0});
    std::string by_check;
    for (unsigned n = 1; n < log::kFindingCount; ++n) {
        const auto what = static_cast<log::Finding>(n);
        if ((wanted_ & check::set_of(what)) == 0) continue;
        by_check += by_check.empty() ? "" : ", ";
        by_check += total == 0 ? std::string(log::name_of(what))
                               : fmt::format("{} {}", counts_[n], log::name_of(what));
    }
    say("check: {} finding{}: {}", total, total == 1 ? "" : "s", by_check);
    return total == 0;
}

}  // namespace forkscope::cli
