#include "emu/cli/live_checks.hpp"

#include <fmt/format.h>

#include <numeric>

#include "emu/base/say.hpp"
#include "emu/cli/log_symbols.hpp"

namespace forkscope::cli {

LiveChecks::LiveChecks(check::CheckSet wanted, check::EventNumbers numbers,
                       std::vector<log::SymbolModule> modules, FindKernel find_kernel, log::Recorder& next)
    : wanted_(wanted),
      numbers_(numbers),
      modules_(std::move(modules)),
      names_(modules_),
      find_kernel_(std::move(find_kernel)),
      searches_left_(has_kernel(modules_) ? 0 : kSearches),
      next_(next),
      engine_(wanted, *this) {}

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
    name_kernel();
    say("check: {}", check::describe(finding, names_, numbers_));
}

void LiveChecks::name_kernel() {
    if (searches_left_ == 0) return;
    --searches_left_;
    auto kernel = find_kernel_();
    if (!kernel) return;
    searches_left_ = 0;
    modules_.push_back(std::move(*kernel));
    names_.set_symbols(modules_);
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
