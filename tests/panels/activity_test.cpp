// Counting over time.
#include "tools/panels/model/activity.hpp"

#include "tests/panels/log_view_fixture.hpp"

namespace forkscope::panels {
namespace {

using Json = nlohmann::json;

[[nodiscard]] log::Event event_at(uint64_t icount, log::EventKind kind = log::EventKind::PageFault) {
    log::Event e;
    e.kind = kind;
    e.icount = icount;
    return e;
}

[[nodiscard]] uint64_t sum(const std::vector<Activity::Bin>& bins, Series series) {
    uint64_t result = 0;
    for (const Activity::Bin& bin : bins) result += bin.counts[static_cast<size_t>(series)];
    return result;
}

TEST(Activity, KeepsItsSumsWhenBinsBecomeWider) {
    Activity activity;
    for (uint64_t i = 0; i < 50'000; ++i) activity.apply(event_at(i * 1000));
    EXPECT_LE(activity.bins().size(), Activity::kMostBins);
    EXPECT_EQ(sum(activity.bins(), Series::Faults), 50'000u);
    EXPECT_EQ(activity.totals()[static_cast<size_t>(Series::Events)], 50'000u);
}

TEST(Activity, ColumnsHoldWhatIsInTheirRange) {
    Activity activity;
    for (uint64_t i = 0; i < 1000; ++i) activity.apply(event_at(i * 256));
    EXPECT_EQ(sum(activity.columns(0, 256'000, 10), Series::Faults), 1000u);
    const auto half = activity.columns(128'000, 256'000, 7);
    EXPECT_EQ(half.size(), 7u);
    EXPECT_EQ(sum(half, Series::Faults), 500u);
    EXPECT_EQ(sum(activity.columns(10, 10, 5), Series::Faults), 0u);
}

TEST(Activity, GaugesGoUpAndDown) {
    Activity activity;
    log::Event link = event_at(1, log::EventKind::TableLink);
    link.flags = log::kFirstLink;
    activity.apply(link);
    link.icount = 10'000;
    activity.apply(link);
    log::Event unlink = event_at(20'000, log::EventKind::TableUnlink);
    unlink.flags = log::kLastLink;
    activity.apply(unlink);
    const auto level = [&](uint64_t first, uint64_t last) {
        return activity.columns(first, last, 4).back().levels[static_cast<size_t>(Gauge::PageTables)];
    };
    EXPECT_EQ(level(0, 9'000), 1u);
    EXPECT_EQ(level(0, 19'000), 2u);
    EXPECT_EQ(level(0, 30'000), 1u);
}

using ActivityOfLog = ViewOfLog;

TEST_F(ActivityOfLog, TotalsAreThoseOfStats) {
    const Json stats = run_json(tools::log_stats);
    const auto& totals = view_->overview().activity().totals();
    const auto total = [&totals](Series series) { return totals[static_cast<size_t>(series)]; };
    EXPECT_EQ(total(Series::Events), view_->event_count());
    const auto count = [this](log::EventKind kind) {
        return static_cast<uint64_t>(std::ranges::count(guest_.events(), kind, &log::Event::kind));
    };
    EXPECT_EQ(total(Series::TableWrites), count(log::EventKind::PteWrite));
    EXPECT_EQ(total(Series::Faults), count(log::EventKind::PageFault));
    EXPECT_EQ(stats["events"], total(Series::Events));
}

}  // namespace
}  // namespace forkscope::panels
