// `log tasks`: who lived in this guest, how they came and went, and what they did to the page tables.
#include <algorithm>
#include <map>

#include "guest/abi/event_port.hpp"
#include "tools/log/analysis/event_stats.hpp"
#include "tools/log/analysis/task_table.hpp"
#include "tools/log/text/decode.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/verbs/omitted.hpp"
#include "tools/log/verbs/verbs.hpp"

namespace forkscope::tools {

namespace {

using analysis::ActorStats;
using analysis::Task;
using analysis::TaskTable;
using log::Event;
using log::EventKind;

constexpr log::KindMask kKinds = TaskTable::kKinds | log::mask_of(EventKind::PteWrite) |
                                 log::mask_of(EventKind::PageFault) | log::mask_of(EventKind::TlbFill) |
                                 log::mask_of(EventKind::Flush) | log::mask_of(EventKind::Syscall);

// What one task did in the range of time that is asked for.
struct Deeds {
    ActorStats stats;
    uint64_t ran = 0;  // instructions while it was the running task
};

// Follows all events, for the tasks; counts those in the range.
class Deedsbook {
public:
    explicit Deedsbook(const log::EventFilter& filter) : filter_(filter) {}

    void apply(const Event& e, uint64_t number) {
        const bool in_range = e.icount >= filter_.from_icount && e.icount <= filter_.to_icount &&
                              number >= filter_.from_event && number <= filter_.to_event;
        if (e.kind == EventKind::Announce) {
            if (e.aux == static_cast<uint16_t>(abi::Announcement::TaskSwitch)) switched(e);
            tasks_.apply(e, number);
        }
        if (!in_range) return;
        if (first_ == 0 || e.icount < first_) first_ = e.icount;
        last_ = std::max(last_, e.icount);
        ActorStats& stats = stats_of(e);
        ++stats.events;
        switch (e.kind) {
            case EventKind::PteWrite:
                stats.pte_writes += e.cause == log::Cause::Software ? 1 : 0;
                return;
            case EventKind::PageFault:
                ++stats.faults;
                return;
            case EventKind::TlbFill:
                ++stats.fills;
                return;
            case EventKind::Flush:
                ++stats.flushes;
                return;
            case EventKind::Syscall:
                ++stats.syscalls;
                return;
            default:
                return;
        }
    }

    // Whoever runs when the log or the range ends ran up to there.
    void finish() {
        for (auto& [cpu, running] : running_) charge(running, last_);
    }

    [[nodiscard]] const TaskTable& tasks() const { return tasks_; }
    [[nodiscard]] Deeds of(size_t place) const {
        const auto found = deeds_.find(place);
        return found == deeds_.end() ? Deeds() : found->second;
    }
    // By root, of events of no task.
    [[nodiscard]] const std::map<uint64_t, ActorStats>& roots() const { return roots_; }

private:
    struct Running {
        std::optional<size_t> task;
        uint64_t since = 0;
    };

    void charge(Running& running, uint64_t until) {
        const uint64_t from = std::max(running.since, filter_.from_icount);
        const uint64_t to = std::min(until, filter_.to_icount);
        if (running.task && to > from) deeds_[*running.task].ran += to - from;
        running.since = until;
    }

    void switched(const Event& e) {
        Running& running = running_[e.cpu];
        if (!running.task) running.task = tasks_.find(static_cast<uint32_t>(e.b));
        charge(running, e.icount);
        running.task = tasks_.find(static_cast<uint32_t>(e.a));
    }

    ActorStats& stats_of(const Event& e) {
        const auto place = e.task == 0 ? std::nullopt : tasks_.find(e.task);
        return place ? deeds_[*place].stats : roots_[e.root];
    }

    const log::EventFilter& filter_;
    TaskTable tasks_;
    std::map<size_t, Deeds> deeds_;
    std::map<uint64_t, ActorStats> roots_;
    std::map<unsigned, Running> running_;
    uint64_t first_ = 0;
    uint64_t last_ = 0;
};

[[nodiscard]] bool fits(const Task& task, const log::EventFilter& filter) {
    if (!filter.tasks.empty() && std::ranges::find(filter.tasks, task.tid) == filter.tasks.end())
        return false;
    if (task.created && (task.created->icount > filter.to_icount || task.created->event > filter.to_event))
        return false;
    if (task.exit &&
        (task.exit->when.icount < filter.from_icount || task.exit->when.event < filter.from_event))
        return false;
    if (!filter.root) return true;
    return task.root == *filter.root ||
           std::ranges::any_of(task.execs, [&](const auto& exec) { return exec.root == *filter.root; });
}

// "sh, then ls".
[[nodiscard]] std::string names_of(const Task& task) {
    std::string text = task.first_name.empty() ? task.name : task.first_name;
    for (const auto& exec : task.execs)
        if (!text.ends_with(exec.name)) text += fmt::format("{}{}", text.empty() ? "" : " > ", exec.name);
    return text.empty() ? "?" : text;
}

[[nodiscard]] std::string end_of(const Task& task) {
    if (!task.exit) return "alive";
    return wait_status_text(task.exit->status) + (task.reap ? "" : ", not reaped");
}

// Children under their parents, as `ps --forest` does it.
class Forest {
public:
    explicit Forest(const TaskTable& tasks) {
        std::map<uint32_t, size_t> latest;
        const auto& all = tasks.all();
        parents_.resize(all.size());
        for (size_t i = 0; i < all.size(); ++i) {
            const auto parent = latest.find(all[i].parent);
            if (all[i].tid != 0 && parent != latest.end() && all[i].parent != all[i].tid)
                parents_[i] = parent->second;
            latest[all[i].tid] = i;
        }
        std::vector<std::vector<size_t>> children(all.size());
        std::vector<size_t> tops;
        for (size_t i = 0; i < all.size(); ++i) (parents_[i] ? children[*parents_[i]] : tops).push_back(i);
        // A parent comes before its children in all(), so this ends.
        std::vector<std::pair<size_t, unsigned>> stack;
        for (size_t i = tops.size(); i > 0; --i) stack.emplace_back(tops[i - 1], 0);
        while (!stack.empty()) {
            const auto [place, depth] = stack.back();
            stack.pop_back();
            order_.emplace_back(place, depth);
            for (size_t i = children[place].size(); i > 0; --i)
                stack.emplace_back(children[place][i - 1], depth + 1);
        }
    }
    // Places in all(), with their depths.
    [[nodiscard]] const std::vector<std::pair<size_t, unsigned>>& order() const { return order_; }

private:
    std::vector<std::optional<size_t>> parents_;
    std::vector<std::pair<size_t, unsigned>> order_;
};

[[nodiscard]] Json task_json(const Task& task, const Deeds& deeds) {
    Json json;
    json["tid"] = task.tid;
    json["tgid"] = task.tgid;
    json["parent"] = task.parent;
    json["name"] = task.name;
    json["first_name"] = task.first_name;
    json["root"] = hex(task.root);
    json["flags"] = clone_flags_text(task.flags);
    json["created"] = task.created ? Json({{"event", task.created->event}, {"icount", task.created->icount}})
                                   : Json(nullptr);
    json["execs"] = Json::array();
    for (const auto& exec : task.execs)
        json["execs"].push_back({{"event", exec.when.event},
                                 {"icount", exec.when.icount},
                                 {"name", exec.name},
                                 {"root", hex(exec.root)}});
    json["exit"] = task.exit ? Json({{"event", task.exit->when.event},
                                     {"icount", task.exit->when.icount},
                                     {"status", task.exit->status},
                                     {"text", wait_status_text(task.exit->status)}})
                             : Json(nullptr);
    json["reap"] = task.reap ? Json({{"event", task.reap->when.event},
                                     {"icount", task.reap->when.icount},
                                     {"by", task.reap->by}})
                             : Json(nullptr);
    json["ran"] = deeds.ran;
    json["pte_writes"] = deeds.stats.pte_writes;
    json["faults"] = deeds.stats.faults;
    json["tlb_fills"] = deeds.stats.fills;
    json["flushes"] = deeds.stats.flushes;
    json["syscalls"] = deeds.stats.syscalls;
    return json;
}

void print_task(const Task& task, unsigned depth, const Deeds& deeds, Output& out) {
    const bool thread = task.tgid != 0 && task.tgid != task.tid;
    const std::string name = std::string(2 * size_t{std::min(depth, 12u)}, ' ') + names_of(task) +
                             (thread ? fmt::format(" (thread of {})", task.tgid) : "");
    out.print("{:>6} {:>13} {:<24} {:>11} {:>9} {:>8} {:>8}  {}\n", task.tid,
              task.created ? grouped(task.created->icount) : "before", name, grouped(deeds.ran),
              grouped(deeds.stats.pte_writes), grouped(deeds.stats.faults), grouped(deeds.stats.syscalls),
              out.paint(task.exit && task.exit->status != 0 ? Style::Yellow : Style::Plain, end_of(task)));
}

void print_roots(const std::map<uint64_t, ActorStats>& roots, Output& out) {
    out.print(
        "The guest announces no tasks; its address spaces, by their top page tables:\n{}\n",
        out.paint(Style::Bold, fmt::format("{:<22} {:>10} {:>8} {:>10} {:>8} {:>8}", "root", "pte writes",
                                           "faults", "TLB fills", "flushes", "syscalls")));
    for (const auto& [root, stats] : roots)
        out.print("{:<22} {:>10} {:>8} {:>10} {:>8} {:>8}\n", hex(root), grouped(stats.pte_writes),
                  grouped(stats.faults), grouped(stats.fills), grouped(stats.flushes),
                  grouped(stats.syscalls));
}

}  // namespace

Result<> log_tasks(log::Reader& reader, const Query& query, Output& out) {
    TRY_VOID(require_kinds(reader, query, kKinds));
    const log::EventFilter filter = TRY(filter_of(query, reader));
    Deedsbook book(filter);
    auto cursor = reader.events({.kinds = kKinds});
    while (cursor.next()) book.apply(cursor.event(), cursor.number());
    book.finish();

    const auto& all = book.tasks().all();
    Omitted omitted;
    Json list = Json::array();
    if (!query.json && !all.empty())
        out.print("{}\n",
                  out.paint(Style::Bold,
                            fmt::format("{:>6} {:>13} {:<24} {:>11} {:>9} {:>8} {:>8}  {}", "tid", "made at",
                                        "name > executes", "ran", "writes", "faults", "syscalls", "end")));
    const Forest forest(book.tasks());
    for (const auto& [place, depth] : forest.order()) {
        if (!fits(all[place], filter)) {
            ++omitted.by_filter;
        } else if (omitted.take(query.limit)) {
            if (query.json) {
                list.push_back(task_json(all[place], book.of(place)));
            } else {
                print_task(all[place], depth, book.of(place), out);
            }
        }
    }
    if (query.json) {
        Json json;
        json["tasks"] = std::move(list);
        json["roots"] = Json::array();
        for (const auto& [root, stats] : book.roots())
            json["roots"].push_back({{"root", hex(root)},
                                     {"pte_writes", stats.pte_writes},
                                     {"faults", stats.faults},
                                     {"tlb_fills", stats.fills},
                                     {"flushes", stats.flushes},
                                     {"syscalls", stats.syscalls}});
        add_omitted(json, omitted, reader);
        out.print("{}\n", json_text(json, 1));
        return {};
    }
    if (all.empty()) {
        print_roots(book.roots(), out);
        print_reservations(reader, out);
        return {};
    }
    print_omitted(omitted, "task", "tasks", query, reader, out);
    if (omitted.shown != 0)
        out.print(
            "{}\n",
            out.paint(
                Style::Dim,
                "ran: instructions while it was the running task; writes: of page-table entries, by it."));
    return {};
}

}  // namespace forkscope::tools
