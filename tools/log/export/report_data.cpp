// Gathering: tasks, then forks and faults with the frames that are used, then frames sampled through time,
// then the tables around one fork. Each is bounded; what does not fit is counted.
#include "tools/log/export/report_data.hpp"

#include "tools/log/analysis/fork_tracker.hpp"
#include "tools/log/export/event_row.hpp"
#include "tools/log/export/frame_heat.hpp"
#include "tools/log/export/lanes.hpp"
#include "tools/log/export/progress.hpp"
#include "tools/log/export/report_tables.hpp"
#include "tools/log/text/decode.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/verbs/fork_filter.hpp"
#include "tools/log/verbs/past.hpp"

namespace forkscope::tools {

using analysis::Fork;
using analysis::ForkTracker;

namespace {

constexpr size_t kMostForks = 2000;

class Report {
public:
    explicit Report(const ExportJob& job) : job_(job), reader_(job.reader) {}

    [[nodiscard]] Result<ReportData> gather() {
        TRY_VOID(require_kinds(reader_, job_.query, ForkTracker::kKinds));
        read_tasks();
        find_range();
        lanes_.emplace(begin_, end_);
        lanes_->add_tasks(tasks_.all());
        tasks_ = {};
        read_events();
        sample_frames();
        const uint64_t number = TRY(fork_number());
        data_.json["meta"] = meta_json();
        data_.json["lanes"] = lanes_json();
        data_.json["forks"] = forks_json();
        data_.json["heat"] = heat_json();
        data_.json["trees"] = number == 0 ? Json(nullptr) : trees_json(reader_, tracker_.forks()[number - 1]);
        data_.json["costs"] = TRY(costs_json(job_, tracker_.forks(), data_.counts.left_out));
        left_out();
        data_.json["left_out"] = data_.counts.left_out;
        return std::move(data_);
    }

private:
    void read_tasks();
    void find_range();
    void read_events();
    void sample_frames();
    [[nodiscard]] Result<uint64_t> fork_number() const;
    [[nodiscard]] Json meta_json();
    [[nodiscard]] Json lanes_json() const;
    [[nodiscard]] Json forks_json();
    [[nodiscard]] Json heat_json() const;
    void left_out();
    [[nodiscard]] bool in_range(const log::Event& e) const { return e.icount >= begin_ && e.icount <= end_; }

    const ExportJob& job_;
    log::Reader& reader_;
    analysis::TaskTable tasks_;  // at the end of the log; until the range and the lanes are known
    ForkTracker tracker_;
    std::optional<Lanes> lanes_;
    FrameHeat heat_;
    uint64_t begin_ = 0;  // instruction counts
    uint64_t end_ = 0;
    uint64_t shown_forks_ = 0;
    uint64_t hidden_forks_ = 0;
    uint64_t faults_ = 0;
    ReportData data_;
};

void Report::read_tasks() {
    auto cursor = reader_.events({.kinds = analysis::TaskTable::kKinds});
    while (cursor.next()) tasks_.apply(cursor.event(), cursor.number());
}

// As filtered; without a filter the boot of the kernel, before there are tasks, is left out.
void Report::find_range() {
    const log::EventFilter& filter = job_.filter;
    end_ = std::min(filter.to_icount, reader_.census().last_icount);
    auto last = reader_.events({.from_event = filter.to_event});
    if (filter.to_event < reader_.event_count() && last.next()) end_ = std::min(end_, last.event().icount);
    auto first = reader_.events({.from_icount = filter.from_icount, .from_event = filter.from_event});
    if (first.next()) begin_ = first.event().icount;
    if (job_.query.from.empty()) {
        uint64_t first_task = end_;
        for (const analysis::Task& task : tasks_.all())
            if (task.tid != 0 && task.created) first_task = std::min(first_task, task.created->icount);
        if (first_task < end_) begin_ = first_task - std::min(first_task, (end_ - first_task) / 100);
    }
    end_ = std::max(begin_, end_);
}

void Report::read_events() {
    analysis::FaultBook book({}, {});
    Progress progress("reading", reader_.event_count());
    const auto take_faults = [&](bool at_end) {
        while (const auto fault = book.take_any(at_end)) {
            if (!in_range(fault->event)) continue;
            ++faults_;
            lanes_->add_fault(*fault, tracker_.tasks().find(fault->event.task));
        }
    };
    auto cursor = reader_.events({.kinds = ForkTracker::kKinds});
    while (cursor.next()) {
        const log::Event& e = cursor.event();
        progress.at(cursor.number());
        tracker_.apply(e, cursor.number());
        if ((log::mask_of(e.kind) & FrameHeat::kKinds) != 0) heat_.saw(e);
        if ((log::mask_of(e.kind) & analysis::FaultBook::kKinds) == 0) continue;
        book.apply(e, cursor.number());
        take_faults(false);
    }
    take_faults(true);
    tracker_.finish();
}

void Report::sample_frames() {
    log::Replay replay;
    analysis::TaskTable tasks;
    Progress progress("sampling", reader_.event_count());
    const auto moment = [this](size_t column) {
        return begin_ + static_cast<uint64_t>(static_cast<unsigned __int128>(end_ - begin_) * (column + 1) /
                                              FrameHeat::kColumns);
    };
    size_t column = 0;
    auto cursor = reader_.events({.kinds = log::Replay::kKinds | analysis::TaskTable::kKinds});
    while (cursor.next() && column < FrameHeat::kColumns) {
        const log::Event& e = cursor.event();
        progress.at(cursor.number());
        for (; column < FrameHeat::kColumns && e.icount > moment(column); ++column)
            heat_.sample(moment(column), replay, tasks);
        if (e.kind != log::EventKind::Audit) replay.apply(e, cursor.number());
        tasks.apply(e, cursor.number());
    }
    for (; column < FrameHeat::kColumns; ++column) heat_.sample(moment(column), replay, tasks);
    heat_.finish();
}

// 0: there is none.
Result<uint64_t> Report::fork_number() const {
    const auto& forks = tracker_.forks();
    if (!job_.query.fork.empty()) {
        const uint64_t number = TRY(parse_number(job_.query.fork));
        if (number == 0 || number > forks.size())
            return fail("there is no fork {} in '{}', which has {}", job_.query.fork, job_.query.file,
                        counted(forks.size(), "fork"));
        return number;
    }
    // The one that shows most: with the most write faults afterwards.
    uint64_t best = 0;
    uint64_t most = 0;
    for (const Fork& fork : forks) {
        const uint64_t faults = fork.parent.faults + fork.child.faults;
        if (!fork_fits(fork, job_.filter) || !fork.end || fork.failed()) continue;
        if (best != 0 && faults <= most) continue;
        best = fork.number;
        most = faults;
    }
    return best;
}

Json Report::meta_json() {
    const log::Meta& meta = reader_.meta();
    return {{"file", std::filesystem::path(job_.query.file).filename().string()},
            {"kernel", meta.kernel.empty() ? "bundled kernel" : meta.kernel},
            {"command_line", meta.command_line},
            {"cpu", meta.cpu_model},
            {"ram", bytes_text(meta.ram_bytes)},
            {"per_second", meta.instructions_per_second},
            {"events", reader_.event_count()},
            {"begin", begin_},
            {"end", end_},
            {"first", reader_.census().first_icount},
            {"forks", tracker_.forks().size()},
            {"tasks", tracker_.tasks().all().size()},
            {"faults", faults_},
            {"damage", reader_.damage().describe()},
            {"unknown", reader_.unknown().describe()}};
}

Json Report::lanes_json() const {
    Json lanes = Json::array();
    for (const Lanes::Lane& lane : lanes_->all()) {
        Json execs = Json::array();
        for (const auto& [icount, name] : lane.execs)
            if (icount >= begin_ && icount <= end_) execs.push_back({icount, name});
        Json faults = Json::array();
        for (const auto& [column, counts] : lane.faults) {
            faults.push_back(column);
            for (const uint32_t count : counts) faults.push_back(count);
        }
        lanes.push_back({{"label", lane.label},
                         {"begin", lane.begin},
                         {"end", lane.end},
                         {"depth", lane.depth},
                         {"execs", std::move(execs)},
                         {"ending", lane.ending},
                         {"faults", std::move(faults)}});
    }
    return {{"columns", Lanes::kColumns}, {"all", std::move(lanes)}};
}

Json Report::forks_json() {
    Json list = Json::array();
    for (const Fork& fork : tracker_.forks()) {
        if (!fork_fits(fork, job_.filter) || fork.begin.icount > end_) continue;
        if (list.size() == kMostForks) {
            ++hidden_forks_;
            continue;
        }
        list.push_back({{"number", fork.number},
                        {"call", analysis::kind_of(fork)},
                        {"flags", clone_flags_text(fork.flags)},
                        {"begin", fork.begin.icount},
                        {"end", fork.end ? Json(fork.end->icount) : Json(nullptr)},
                        {"result", fork.failed() ? errno_text(fork.result) : fork.child.label()},
                        {"caller", fork.parent.label()},
                        {"parent", lanes_->lane_of(fork.parent)},
                        {"child", lanes_->lane_of(fork.child)},
                        {"tables", fork.tables_allocated_in_all()},
                        {"entries", fork.entries_copied},
                        {"protected", fork.write_protected},
                        {"copies", fork.parent.copies + fork.child.copies},
                        {"reuses", fork.parent.reuses + fork.child.reuses}});
    }
    shown_forks_ = list.size();
    return list;
}

// A character a cell: what most of its frames are, whose, and how full the row is.
Json Report::heat_json() const {
    constexpr std::string_view kUseLetters = ".123t";
    Json columns = Json::array();
    for (const FrameHeat::Column& column : heat_.columns()) {
        std::string use;
        std::string owner;
        std::string fill;
        for (const FrameHeat::Cell& cell : column.cells) {
            use += kUseLetters[static_cast<size_t>(cell.use)];
            owner += static_cast<char>('0' + cell.owner);
            const uint64_t tenths =
                (cell.used * uint64_t{9} + heat_.frames_a_row() - 1) / heat_.frames_a_row();
            fill += static_cast<char>('0' + std::min<uint64_t>(tenths, 9));
        }
        columns.push_back({{"at", column.icount},
                           {"use", use},
                           {"owner", owner},
                           {"fill", fill},
                           {"frames", column.frames}});
    }
    Json rows = Json::array();
    for (const uint64_t frame : heat_.rows()) rows.push_back(hex(frame));
    return {{"frames", heat_.frames()},
            {"frames_a_row", heat_.frames_a_row()},
            {"owners", heat_.owners()},
            {"rows", std::move(rows)},
            {"columns", std::move(columns)}};
}

void Report::left_out() {
    const auto add = [this](uint64_t count, const char* one, const char* many, const char* why) {
        if (count != 0) data_.counts.left_out.push_back(fmt::format("{} {}", counted(count, one, many), why));
    };
    add(lanes_->left_out(), "task", "tasks", "beyond the first 200 of the timeline left out");
    add(hidden_forks_, "fork", "forks", "beyond the first 2,000 of the timeline left out");
    add(heat_.samples_left_out(), "moment", "moments",
        "of the frames' map left out: there are too many pages");
    data_.counts.written = {{"task", "tasks", lanes_->all().size()},
                            {"fork", "forks", shown_forks_},
                            {"fault", "faults", faults_}};
}

}  // namespace

Result<ReportData> gather_report(const ExportJob& job) { return Report(job).gather(); }

}  // namespace forkscope::tools
