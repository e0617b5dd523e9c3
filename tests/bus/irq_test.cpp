// Interrupt lines.
#include "emu/bus/irq.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace forkscope::bus {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Listener final : public IrqListener {
public:
    void set_input(unsigned input, bool level) override { changes.emplace_back(input, level); }
    std::vector<std::pair<unsigned, bool>> changes;
};

TEST(IrqLine, TellsEachListenerOfChangesOnly) {
    IrqLine line;
    Listener pic, ioapic;
    line.connect(pic, 4);
    line.connect(ioapic, 20);
    line.lower();
    line.raise();
    line.set(true);
    line.lower();
    EXPECT_THAT(pic.changes, ElementsAre(std::pair(4u, true), std::pair(4u, false)));
    EXPECT_THAT(ioapic.changes, ElementsAre(std::pair(20u, true), std::pair(20u, false)));
    EXPECT_FALSE(line.level());
}

TEST(IrqLine, LateListenerLearnsAHighLevel) {
    IrqLine line;
    Listener early, late;
    line.connect(early, 0);
    EXPECT_THAT(early.changes, IsEmpty());
    line.raise();
    line.connect(late, 1);
    EXPECT_THAT(late.changes, ElementsAre(std::pair(1u, true)));
}

TEST(IrqLine, WithoutAListenerKeepsItsLevel) {
    IrqLine line;
    line.raise();
    EXPECT_TRUE(line.level());
}

}  // namespace
}  // namespace forkscope::bus
