#include "emu/cli/unanswered.hpp"

namespace forkscope::cli {

namespace {

const char* word(bus::Direction direction) { return direction == bus::Direction::Read ? "read" : "write"; }

}  // namespace

void Unanswered::listen(machine::Machine& machine, TraceText* trace) {
    machine.ports().on_unclaimed([this, trace](uint16_t port, bus::Width width, bus::Direction direction) {
        ports_.push_back({port, direction});
        if (trace != nullptr)
            trace->note(fmt::format("port {:#x}: first {} of {} bytes, and nobody there", port,
                                    word(direction), bus::bytes_of(width)));
    });
    machine.mmio().on_unclaimed([this, trace](PhysAddr pa, bus::Width width, bus::Direction direction) {
        pages_.push_back({pa.raw(), direction});
        if (trace != nullptr)
            trace->note(fmt::format("address {:#x}: first {} of {} bytes in its page, and nobody there",
                                    pa.raw(), word(direction), bus::bytes_of(width)));
    });
    machine.cpu().on_unknown_msr([this, trace](uint32_t msr, bus::Direction direction) {
        msrs_.push_back({msr, direction});
        if (trace != nullptr)
            trace->note(fmt::format("MSR {:#x}: first {}, and it is not there", msr, word(direction)));
    });
}

std::vector<std::string> Unanswered::summary() const {
    constexpr size_t kTold = 12;
    const struct {
        const char* what;
        const std::vector<Asked>& all;
    } kinds[] = {{"ports that nobody answers", ports_},
                 {"addresses that nobody answers", pages_},
                 {"MSRs that are not modelled", msrs_}};
    std::vector<std::string> lines;
    for (const auto& [what, all] : kinds) {
        if (all.empty()) continue;
        std::string line = fmt::format("{}:", what);
        for (size_t i = 0; i < all.size() && i < kTold; ++i)
            line += fmt::format("{} {:#x} ({})", i == 0 ? "" : ",", all[i].address, word(all[i].direction));
        if (all.size() > kTold) line += fmt::format(" and {} more", all.size() - kTold);
        lines.push_back(std::move(line));
    }
    return lines;
}

}  // namespace forkscope::cli
