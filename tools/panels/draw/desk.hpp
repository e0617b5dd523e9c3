// What all panels share: the log, what the user has chosen, and the models of the present moment, each made
// when it is first wanted.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "tools/panels/draw/theme.hpp"
#include "tools/panels/model/biography.hpp"
#include "tools/panels/model/event_card.hpp"
#include "tools/panels/model/lanes.hpp"
#include "tools/panels/model/log_view.hpp"
#include "tools/panels/model/story.hpp"
#include "tools/panels/model/tail.hpp"
#include "tools/panels/model/tlb_list.hpp"
#include "tools/panels/model/tree.hpp"

namespace forkscope::panels {

// A value that is made again when what it depends on has changed.
template <typename T>
class Kept {
public:
    using Key = std::array<uint64_t, 4>;
    template <typename Make>
    const T& get(const Key& key, Make&& make) {
        if (!value_ || key_ != key) {
            value_.emplace(make());
            key_ = key;
        }
        return *value_;
    }

private:
    std::optional<T> value_;
    Key key_{};
};

class Desk {
public:
    Desk(LogView& log, std::string title) : log_(log), title_(std::move(title)) {}

    // Reads on in the background, for about as long as a frame may take. True: there is nothing left to read.
    bool work();
    // The same until nothing is left.
    void finish_work();

    [[nodiscard]] LogView& log() { return log_; }
    [[nodiscard]] const std::string& title() const { return title_; }

    // Models of the moment.
    [[nodiscard]] const TreeModel& tree();
    [[nodiscard]] const FrameMap& frames();
    [[nodiscard]] const Tail& tail();
    [[nodiscard]] const TlbList& tlb();
    [[nodiscard]] const EventCard& card();
    [[nodiscard]] const LaneMap& lanes();
    [[nodiscard]] const std::vector<Activity::Bin>& rates(size_t columns);
    // The fork's story, and null while it is read.
    [[nodiscard]] const Story* story();
    [[nodiscard]] double story_progress() const { return story_reader_ ? story_reader_->progress() : 1; }
    // Of the frame that is pointed at or chosen; null: of none.
    [[nodiscard]] const Biography* biography() const { return biography_.get(); }

    // What the user chooses.
    void choose_space(uint64_t root);
    void choose_next_space(int step);
    void choose_kernel_half(bool shown);
    void choose_glow(uint64_t events);
    void choose_tail(const TailFilter& filter);
    void choose_frame(uint64_t frame);
    void open_story(uint64_t fork);
    void show_range(uint64_t first, uint64_t last);
    // Times as large; `centre` stays where it is.
    void zoom_range(double factor, uint64_t centre);
    void show_all_time();
    // All, or where there are too many tasks for that, a part around the present moment.
    void show_usual_time();
    // So that the present moment stays in the range.
    void follow();
    [[nodiscard]] const TreeChoice& tree_choice() const { return tree_choice_; }
    [[nodiscard]] const TailFilter& tail_filter() const { return tail_filter_; }
    [[nodiscard]] uint64_t chosen_fork() const { return fork_; }
    [[nodiscard]] uint64_t first_icount() const { return first_; }
    [[nodiscard]] uint64_t last_icount() const { return last_; }

    // Going through time.
    void go_to_event(uint64_t number) { log_.go_to(number + 1); }
    void step(int events);
    void go_to_fork(bool next);
    void go_to_mistake(bool next);
    // To the last write of the entry at this address, if there is one.
    void go_to_write_of(uint64_t entry);

    Palette colours = palette_of(Theme::Dark);
    Fonts fonts;
    float scale = 1;
    Finish finish = Finish::Smooth;
    bool playing = false;        // time goes on by itself
    bool story_wanted = false;   // it was opened just now, and should come to the front
    bool frame_is_kept = false;  // its biography stays when another frame is pointed at
    uint64_t lanes_shown = 0;    // revision of the moment to whose task the lanes were scrolled
    uint64_t story_shown = 0;    // the same for the steps of the story
    float tail_height = 0;       // of the list of events, as it was last drawn
    bool tail_moved = true;      // the list of events should show its end

private:
    // What most models depend on.
    [[nodiscard]] std::array<uint64_t, 4> key() const { return {log_.revision(), choices_}; }
    [[nodiscard]] const analysis::FrameUsers& users();
    void chosen();

    LogView& log_;
    std::string title_;
    TreeChoice tree_choice_;
    TailFilter tail_filter_;
    uint64_t choices_ = 0;  // counts choices that change models
    uint64_t fork_ = 0;
    uint64_t first_ = 0;
    uint64_t last_ = 0;
    bool range_chosen_ = false;
    uint64_t range_of_ = 0;  // events that were read when the usual range was made
    uint64_t followed_ = 0;  // revision
    std::unique_ptr<StoryReader> story_reader_;
    std::optional<Story> story_;
    std::unique_ptr<Biography> biography_;

    Kept<analysis::FrameUsers> users_;
    Kept<TreeModel> tree_;
    Kept<FrameMap> frames_;
    Kept<Tail> tail_;
    Kept<TlbList> tlb_;
    Kept<EventCard> card_;
    Kept<LaneMap> lanes_;
    Kept<std::vector<Activity::Bin>> rates_;
};

}  // namespace forkscope::panels
