// The window of a run: the guest's screen, its keyboard and mouse, and the keys of the window itself.
#pragma once

#include <memory>

#include "emu/base/result.hpp"
#include "emu/ui/guest_link.hpp"

namespace forkscope::ui {

// Its functions belong to the thread that opened it, the program's first.
class GuestWindow {
public:
    enum class AtEnd : uint8_t { Close, StayOpen };

    // The display is there from now on, the window only once the guest runs. The error says what is missing.
    static Result<std::unique_ptr<GuestWindow>> open(AtEnd at_end);
    virtual ~GuestWindow() = default;

    // Until the link has an outcome and, if the window stays open, the person closes it. A person who closes
    // it before is a wish to quit.
    virtual void run(GuestLink& link) = 0;
};

}  // namespace forkscope::ui
