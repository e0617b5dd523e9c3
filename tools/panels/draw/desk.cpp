// Choices, and what follows from them.
#include "tools/panels/draw/desk.hpp"

#include <algorithm>

#include "tools/log/analysis/last_writes.hpp"

namespace forkscope::panels {

namespace {

// Events that are read in one frame: a few milliseconds.
constexpr uint64_t kEventsAFrame = 10'000;

}  // namespace

bool Desk::work() {
    bool done = log_.read_on(kEventsAFrame);
    if (!range_chosen_ && range_of_ != log_.read_events()) show_usual_time();
    if (story_reader_ && !story_) {
        if (story_reader_->read_on(kEventsAFrame)) {
            story_ = story_reader_->story(log_.symbols(), log_.reader().meta());
        } else {
            done = false;
        }
    }
    if (biography_ && !biography_->read_on(kEventsAFrame)) done = false;
    return done;
}

void Desk::finish_work() {
    while (!work()) {
    }
}

void Desk::chosen() { choices_ = choices_ + 1; }

const analysis::FrameUsers& Desk::users() {
    return users_.get({log_.revision()}, [this] { return analysis::FrameUsers(log_.now().tables()); });
}

const TreeModel& Desk::tree() {
    return tree_.get(key(), [this] { return tree_of(log_.now(), log_.symbols(), users(), tree_choice_); });
}

const FrameMap& Desk::frames() {
    const uint64_t seen = log_.overview().seen_frames().size();
    return frames_.get({log_.revision(), choices_, seen},
                       [this] { return frames_at(log_.now(), log_.overview(), tree_choice_.glow_window); });
}

const Tail& Desk::tail() {
    return tail_.get(key(), [this] {
        tail_moved = true;
        return tail_of(log_.now(), tail_filter_, log_.symbols(), &log_.reader());
    });
}

const TlbList& Desk::tlb() {
    return tlb_.get({log_.revision()}, [this] { return tlb_at(log_.now()); });
}

const EventCard& Desk::card() {
    return card_.get({log_.revision()}, [this] { return card_of(log_.now(), log_.symbols()); });
}

const LaneMap& Desk::lanes() {
    const Overview& overview = log_.overview();
    const uint64_t read = log_.all_read() ? 1 : 0;
    return lanes_.get({first_, last_, overview.tasks().all().size(), read},
                      [&] { return lanes_of(overview, first_, last_); });
}

const std::vector<Activity::Bin>& Desk::rates(size_t columns) {
    return rates_.get({first_, last_, columns, log_.read_events()},
                      [&] { return log_.overview().activity().columns(first_, last_, columns); });
}

const Story* Desk::story() { return story_ ? &*story_ : nullptr; }

void Desk::choose_space(uint64_t root) {
    tree_choice_.root = root;
    chosen();
}

void Desk::choose_next_space(int step) {
    const TreeModel& model = tree();
    if (model.spaces.empty()) return;
    const auto at = std::ranges::find(model.spaces, model.root, &TreeSpace::root) - model.spaces.begin();
    const auto count = static_cast<int64_t>(model.spaces.size());
    choose_space(model.spaces[static_cast<size_t>((at + step + count) % count)].root);
}

void Desk::choose_kernel_half(bool shown) {
    tree_choice_.kernel = shown;
    chosen();
}

void Desk::choose_glow(uint64_t events) {
    tree_choice_.glow_window = events;
    chosen();
}

void Desk::choose_tail(const TailFilter& filter) {
    tail_filter_ = filter;
    chosen();
}

void Desk::choose_frame(uint64_t frame) {
    if (biography_ && biography_->frame() == frame) return;
    biography_ = std::make_unique<Biography>(log_.reader(), frame);
}

void Desk::open_story(uint64_t fork) {
    story_wanted = true;
    if (fork_ == fork) return;
    fork_ = fork;
    story_.reset();
    story_reader_ = std::make_unique<StoryReader>(log_.reader(), fork);
}

void Desk::show_range(uint64_t first, uint64_t last) {
    constexpr uint64_t kLeast = 50;  // instructions
    if (last < first + kLeast) last = first + kLeast;
    first_ = first;
    last_ = last;
    range_chosen_ = true;
}

void Desk::zoom_range(double factor, uint64_t centre) {
    const auto before = static_cast<double>(centre - std::min(first_, centre)) * factor;
    const auto after = static_cast<double>(last_ - std::min(last_, centre)) * factor;
    const auto end = static_cast<double>(log_.overview().last_icount());
    show_range(centre - std::min(centre, static_cast<uint64_t>(before)),
               static_cast<uint64_t>(std::min(end * 1.02, static_cast<double>(centre) + after)));
}

// Without the kernel's boot, before there are tasks.
void Desk::show_all_time() {
    const Overview& overview = log_.overview();
    const uint64_t end = overview.last_icount();
    const uint64_t start = std::min(overview.first_task_icount(), end);
    const uint64_t margin = (end - start) / 50;
    first_ = start - std::min(start, margin);
    last_ = std::max(end + margin, first_ + 50);
    range_chosen_ = true;
}

void Desk::show_usual_time() {
    constexpr size_t kManyForks = 60;
    constexpr size_t kAround = 20;  // forks before and after the present moment
    const auto& forks = log_.overview().forks();
    range_of_ = log_.read_events();
    show_all_time();
    if (forks.size() > kManyForks) {
        const auto next = std::ranges::upper_bound(
            forks, log_.at(), {}, [](const analysis::Fork& fork) { return fork.begin.event; });
        const auto place = static_cast<size_t>(next - forks.begin());
        const size_t first = place - std::min(place, kAround);
        const size_t last = std::min(first + 2 * kAround, forks.size() - 1);
        first_ = forks[first].begin.icount;
        last_ = std::max(forks[last].begin.icount, first_ + 50);
    }
    range_chosen_ = false;
}

void Desk::follow() {
    if (followed_ == log_.revision()) return;
    followed_ = log_.revision();
    const uint64_t now = log_.now().icount();
    if (now >= first_ && now <= last_) return;
    if (!range_chosen_) return show_usual_time();
    const uint64_t half = (last_ - first_) / 2;
    show_range(now - std::min(now, half), now + half);
}

void Desk::step(int events) {
    const auto count = static_cast<uint64_t>(std::abs(events));
    events > 0 ? log_.step_forward(tail_filter_.kinds, count) : log_.step_back(tail_filter_.kinds, count);
}

void Desk::go_to_fork(bool next) {
    const auto& forks = log_.overview().forks();
    const auto begins = [](const analysis::Fork& fork) { return fork.begin.event + 1; };
    const auto go = [&](const analysis::Fork& fork) {
        go_to_event(fork.begin.event);
        open_story(fork.number);
    };
    if (next) {
        const auto found = std::ranges::upper_bound(forks, log_.at(), {}, begins);
        if (found != forks.end()) go(*found);
    } else {
        const auto found = std::ranges::lower_bound(forks, log_.at(), {}, begins);
        if (found != forks.begin()) go(*std::prev(found));
    }
}

void Desk::go_to_mistake(bool next) {
    const auto& all = log_.overview().mistakes();
    const auto number = [](const FoundMistake& mistake) { return mistake.number + 1; };
    if (next) {
        const auto found = std::ranges::upper_bound(all, log_.at(), {}, number);
        if (found != all.end()) go_to_event(found->number);
    } else {
        const auto found = std::ranges::lower_bound(all, log_.at(), {}, number);
        if (found != all.begin()) go_to_event(std::prev(found)->number);
    }
}

void Desk::go_to_write_of(uint64_t entry) {
    analysis::LastWrites writes;
    const size_t question = writes.ask(entry, log_.at());
    writes.find(log_.reader());
    if (const auto& answer = writes.answers()[question]) go_to_event(answer->number);
}

}  // namespace forkscope::panels
