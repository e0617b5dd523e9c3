// A view of a log of the pretend machine.
#pragma once

#include "tests/tools/log/verbs_fixture.hpp"
#include "tools/panels/model/log_view.hpp"

namespace forkscope::panels {

class ViewOfLog : public tools::Verbs {
protected:
    void SetUp() override {
        tools::Verbs::SetUp();
        open();
    }
    void open() {
        auto reader = log::Reader::open(path_);
        ASSERT_TRUE(reader);
        reader_ = std::move(*reader);
        view_.emplace(*reader_);
        while (!view_->read_on(1000)) {
        }
    }
    // Number of the first event that fits.
    template <typename Fits>
    [[nodiscard]] uint64_t number_where(Fits&& fits) const {
        const auto& events = guest_.events();
        const auto found = std::ranges::find_if(events, fits);
        EXPECT_NE(found, events.end());
        return static_cast<uint64_t>(found - events.begin());
    }
    [[nodiscard]] uint64_t fork_end() const {
        return number_where([](const log::Event& e) {
            return e.kind == log::EventKind::Announce &&
                   e.aux == static_cast<uint16_t>(abi::Announcement::ForkEnd);
        });
    }

    std::unique_ptr<log::Reader> reader_;
    std::optional<LogView> view_;
};

}  // namespace forkscope::panels
