// What passes between the window's thread and the machine's.
#include "emu/ui/guest_link.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace forkscope::ui {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(GuestLink, KeepsInputInOrderAndGivesItOnce) {
    GuestLink link;
    EXPECT_FALSE(link.wants_attention());
    link.send(KeyInput{4, true});
    link.send(TextInput{"x"});
    EXPECT_TRUE(link.wants_attention());
    EXPECT_EQ((std::vector<Input>{KeyInput{4, true}, TextInput{"x"}}), link.take_inputs());
    EXPECT_FALSE(link.wants_attention());
    EXPECT_TRUE(link.take_inputs().empty());
}

TEST(GuestLink, GivesEachViewOnceAndOnlyTheLast) {
    GuestLink link;
    GuestView view;
    EXPECT_FALSE(link.take_view(view));
    for (const VirtualNs now : {1u, 2u}) {
        GuestView shown;
        shown.now = now;
        link.publish(shown);
    }
    ASSERT_TRUE(link.take_view(view));
    EXPECT_EQ(2u, view.now);
    EXPECT_FALSE(link.take_view(view));
}

TEST(GuestLink, TheFirstStepPauses) {
    GuestLink link;
    link.wish(Wish::Step);
    EXPECT_TRUE(link.paused());
    EXPECT_FALSE(link.take_step());
    link.wish(Wish::Step);
    EXPECT_TRUE(link.take_step());
    EXPECT_FALSE(link.take_step());
    link.wish(Wish::Step);
    link.wish(Wish::GoOn);
    EXPECT_FALSE(link.paused());
    EXPECT_FALSE(link.take_step());
}

TEST(GuestLink, QuitOutranksReset) {
    GuestLink link;
    link.wish(Wish::Pause);
    link.wish(Wish::Reset);
    EXPECT_FALSE(link.paused());
    EXPECT_TRUE(link.must_end());
    EXPECT_TRUE(link.take_reset());
    EXPECT_FALSE(link.must_end());
    link.wish(Wish::Reset);
    link.wish(Wish::Quit);
    EXPECT_TRUE(link.must_end());
    EXPECT_FALSE(link.take_reset());
}

TEST(GuestLink, WakesWhoeverWaits) {
    GuestLink link;
    std::thread window([&] { link.send(KeyInput{4, true}); });
    // Longer than any test may take.
    link.wait(seconds(100'000));
    EXPECT_EQ(1u, link.take_inputs().size());
    window.join();
    link.wait(nanoseconds(1));
}

}  // namespace
}  // namespace forkscope::ui
