// `log check`: the checks over a log.
#include <map>

#include "emu/check/engine.hpp"
#include "tools/log/analysis/event_names.hpp"
#include "tools/log/text/json.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/verbs/verbs.hpp"

namespace forkscope::tools {

namespace {

class Collector final : public check::FindingListener {
public:
    Collector(const check::Namer& names, const log::EventFilter& filter, uint64_t limit)
        : names_(names), filter_(filter), limit_(limit) {}

    void found(check::Finding&& finding) override {
        if (!filter_.passes(finding.event)) return;
        ++counts_[finding.what];
        if (++total_ > limit_) return;
        lines_.push_back(check::describe(finding, names_, check::EventNumbers::Yes));
        json_.push_back(json_of(finding));
    }

    [[nodiscard]] uint64_t total() const { return total_; }
    [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
    [[nodiscard]] const Json& json() const { return json_; }
    [[nodiscard]] const std::map<log::Finding, uint64_t>& counts() const { return counts_; }

private:
    [[nodiscard]] Json json_of(const check::Finding& finding) const {
        const log::Event& e = finding.event;
        Json json = {
            {"check", log::name_of(finding.what)},
            {"va", fmt::format("{:#x}", e.va)},
            {"pa", fmt::format("{:#x}", e.pa)},
            {"level", e.level},
            {"text", finding.expected},
            {"noticed",
             {{"event", finding.number}, {"icount", e.icount}, {"code", names_.code(e.rip, e.cpl, e.task)}}}};
        json["by"] = nullptr;
        if (const auto& by = finding.culprit)
            json["by"] = {{"event", by->number},
                          {"icount", by->icount},
                          {"rip", fmt::format("{:#x}", by->rip)},
                          {"code", by->rip != 0 ? names_.code(by->rip, by->cpl, by->task) : ""},
                          {"task", by->task},
                          {"name", names_.task(by->task, by->root)}};
        return json;
    }

    const check::Namer& names_;
    const log::EventFilter& filter_;
    uint64_t limit_;
    uint64_t total_ = 0;
    std::vector<std::string> lines_;
    Json json_ = Json::array();
    std::map<log::Finding, uint64_t> counts_;
};

void print_text(const Collector& found, log::Reader& reader, const Query& query, Output& out) {
    for (const std::string& line : found.lines()) out.print("{}\n", printable(line));
    if (found.total() > found.lines().size())
        out.print("{} more left out by --limit {}\n", grouped(found.total() - found.lines().size()),
                  query.limit);
    std::string by_check;
    for (const auto& [what, count] : found.counts())
        by_check +=
            fmt::format("{}{} {}", by_check.empty() ? ": " : ", ", grouped(count), log::name_of(what));
    out.print("{}{}\n", found.total() == 0 ? "No finding" : counted(found.total(), "finding"), by_check);
    print_reservations(reader, out);
}

}  // namespace

Result<> log_check(log::Reader& reader, const Query& query, Output& out) {
    const auto wanted = check::parse_checks(query.checks);
    if (!wanted) return fail("--check {}: {}", query.checks, wanted.error().message);
    const log::KindMask kinds = check::Engine::kinds_for(*wanted);
    TRY_VOID(require_kinds(reader, query, kinds));
    const log::EventFilter filter = TRY(filter_of(query, reader));
    analysis::EventNames names(reader.symbols());
    Collector found(names, filter, query.limit == 0 ? ~uint64_t{0} : query.limit);
    check::Engine engine(*wanted, found);
    auto cursor = reader.events({.kinds = kinds});
    while (cursor.next()) {
        names.apply(cursor.event(), cursor.number());
        engine.apply(cursor.event(), cursor.number());
    }
    if (query.json) {
        Json json = {{"findings", found.json()},
                     {"count", found.total()},
                     {"left_out", found.total() - found.lines().size()}};
        json["damage"] = reader.damage().describe();
        json["unknown"] = reader.unknown().describe();
        out.print("{}\n", json_text(json, 1));
    } else {
        print_text(found, reader, query, out);
    }
    if (found.total() == 0) return {};
    return tl::make_unexpected(Error{fmt::format("{} in '{}'", counted(found.total(), "finding"), query.file),
                                     ExitStatus::CheckFailed});
}

}  // namespace forkscope::tools
