// The panels drawn with no display at all: what a mouse and keys do to them.
#include "tools/panels/draw/workbench.hpp"

#include "tests/panels/log_view_fixture.hpp"

namespace forkscope::panels {
namespace {

class Bench : public ViewOfLog {
protected:
    void SetUp() override {
        ViewOfLog::SetUp();
        ImGui::CreateContext();
        ImGuiIO& io = ImGui::GetIO();
        io.IniFilename = nullptr;
        io.DisplaySize = {1600, 1000};
        io.DeltaTime = 1.0f / 60;
        desk_.emplace(*view_, "a.mmu");
        desk_->fonts = load_fonts(1);
        unsigned char* pixels = nullptr;
        int width = 0;
        int height = 0;
        io.Fonts->GetTexDataAsRGBA32(&pixels, &width, &height);
        apply_theme(desk_->colours, 1, desk_->finish);
        bench_.emplace(*desk_);
        desk_->finish_work();
    }
    void TearDown() override { ImGui::DestroyContext(); }

    // Returns the number of vertices that were drawn.
    int frame() {
        ImGui::NewFrame();
        bench_->draw();
        ImGui::Render();
        return ImGui::GetDrawData()->TotalVtxCount;
    }
    void frames(unsigned count) {
        for (unsigned i = 0; i < count; ++i) frame();
    }
    void click(float x, float y) {
        ImGuiIO& io = ImGui::GetIO();
        io.MousePos = {x, y};
        frame();
        io.MouseDown[0] = true;
        frame();
        io.MouseDown[0] = false;
        frame();
    }

    std::optional<Desk> desk_;
    std::optional<Workbench> bench_;
};

TEST_F(Bench, EveryPanelDrawsAtEveryMoment) {
    for (size_t panel = 0; panel < kPanels; ++panel) {
        bench_->show(static_cast<Panel>(panel));
        for (uint64_t at = 0; at <= view_->event_count(); at += view_->event_count() / 9) {
            view_->go_to(at);
            frames(2);
            EXPECT_GT(frame(), 100) << kPanelNames[panel].name << " after " << at << " events";
        }
    }
}

TEST_F(Bench, KeysGoThroughTime) {
    view_->go_to(0);
    bench_->obey(Command::Forward);
    EXPECT_EQ(view_->at(), 1u);
    bench_->obey(Command::FarForward);
    EXPECT_EQ(view_->at(), 101u);
    bench_->obey(Command::Back);
    EXPECT_EQ(view_->at(), 100u);
    bench_->obey(Command::Start);
    bench_->obey(Command::NextFork);
    EXPECT_EQ(desk_->chosen_fork(), 1u);
    EXPECT_EQ(view_->at(), view_->overview().forks()[0].begin.event + 1);
    bench_->obey(Command::End);
    EXPECT_EQ(view_->at(), view_->event_count());
    bench_->obey(Command::PreviousFork);
    EXPECT_EQ(view_->at(), view_->overview().forks()[0].begin.event + 1);
}

TEST_F(Bench, ArrowsKeepToTheKindsThatAreListed) {
    view_->go_to(0);
    desk_->choose_tail({.kinds = log::mask_of(log::EventKind::Flush)});
    bench_->obey(Command::Forward);
    EXPECT_EQ(guest_.events()[view_->at() - 1].kind, log::EventKind::Flush);
    frames(2);
    EXPECT_EQ(desk_->tail().lines.size(), 1u);
}

TEST_F(Bench, NumbersChooseAPanel) {
    bench_->obey(Command::Show3);
    EXPECT_EQ(bench_->shown(), Panel::Frames);
    bench_->obey(Command::NextPanel);
    EXPECT_EQ(bench_->shown(), Panel::Events);
    bench_->obey(Command::ShowAll);
    EXPECT_EQ(bench_->shown(), Panel::All);
    bench_->obey(Command::PreviousPanel);
    EXPECT_EQ(bench_->shown(), Panel::Counters);
}

TEST_F(Bench, UpAndDownGoThroughSpaces) {
    view_->go_to(view_->overview().tasks().all()[1].exit->when.event);
    const uint64_t first = desk_->tree().root;
    ASSERT_GE(desk_->tree().spaces.size(), 2u);
    bench_->obey(Command::NextSpace);
    EXPECT_NE(desk_->tree().root, first);
    bench_->obey(Command::PreviousSpace);
    EXPECT_EQ(desk_->tree().root, first);
}

TEST_F(Bench, AForkCanBeClickedAndItsStoryComes) {
    view_->go_to(view_->event_count());
    frames(3);
    // Somewhere among the lanes, which take the upper left of the screen.
    for (float y = 80; y < 420 && desk_->chosen_fork() == 0; y += 8)
        for (float x = 180; x < 900 && desk_->chosen_fork() == 0; x += 4) click(x, y);
    EXPECT_EQ(desk_->chosen_fork(), 1u);
    desk_->finish_work();
    frames(2);
    ASSERT_NE(desk_->story(), nullptr);
    EXPECT_EQ(desk_->story()->number, 1u);
}

TEST_F(Bench, TheTimeBarGoesToWhereItIsClicked) {
    view_->go_to(0);
    frames(3);
    const float bottom = ImGui::GetIO().DisplaySize.y - 22;
    click(1300, bottom);
    const uint64_t late = view_->at();
    EXPECT_GT(late, view_->event_count() / 2);
    click(700, bottom);
    EXPECT_LT(view_->at(), late);
    EXPECT_GT(view_->at(), 0u);
}

TEST_F(Bench, PointingAtFramesTellsTheirLives) {
    view_->go_to(view_->event_count() / 2);
    frames(3);
    for (float x = 1000; x < 1560 && desk_->biography() == nullptr; x += 10) {
        ImGui::GetIO().MousePos = {x, 150};
        frames(2);
    }
    ASSERT_NE(desk_->biography(), nullptr);
    desk_->finish_work();
    frames(2);
    EXPECT_FALSE(desk_->biography()->lines().empty());
}

TEST_F(Bench, ThemesAndSizesChange) {
    bench_->obey(Command::ToggleTheme);
    EXPECT_EQ(desk_->colours.theme, Theme::Light);
    frames(2);
    EXPECT_FALSE(bench_->take_rescale());
    bench_->obey(Command::Larger);
    EXPECT_TRUE(bench_->take_rescale());
    EXPECT_FALSE(bench_->take_rescale());
    bench_->obey(Command::Help);
    frames(2);
    bench_->obey(Command::Quit);
    EXPECT_FALSE(bench_->wants_to_quit());
    bench_->obey(Command::Quit);
    EXPECT_TRUE(bench_->wants_to_quit());
}

TEST_F(Bench, ASmallScreenIsNoTrouble) {
    ImGui::GetIO().DisplaySize = {320, 320};
    for (size_t panel = 0; panel < kPanels; ++panel) {
        bench_->show(static_cast<Panel>(panel));
        frames(3);
    }
}

}  // namespace
}  // namespace forkscope::panels
