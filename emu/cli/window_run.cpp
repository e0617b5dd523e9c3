#include "emu/cli/window_run.hpp"

#include <csignal>
#include <filesystem>
#include <future>
#include <thread>

#include "emu/base/say.hpp"
#include "emu/cli/ui_module.hpp"
#include "emu/cli/window_attendant.hpp"

namespace forkscope::cli {

namespace {

// fork.mmu, fork-2.mmu, fork-3.mmu: an earlier log is never written over.
std::string record_of_run(const std::string& record, unsigned run) {
    if (record.empty() || run == 1) return record;
    const std::filesystem::path path(record);
    const std::string name = fmt::format("{}-{}{}", path.stem().string(), run, path.extension().string());
    return (path.parent_path() / name).string();
}

Result<int> run_until_quit(RunOptions options, ui::GuestLink& link) {
    const std::string record = options.record;
    for (unsigned run = 1;; ++run) {
        options.record = record_of_run(record, run);
        WindowAttendant attendant(link);
        Result<int> status = run_session(options, &attendant);
        if (!status || !link.take_reset()) return status;
        say("forkscope: reset; this is run {}{}{}", run + 1, record.empty() ? "" : ", recorded in ",
            record_of_run(record, run + 1));
    }
}

std::string outcome_of(const Result<int>& status) {
    return status ? fmt::format("The run has ended with status {}.", *status) : status.error().message;
}

// Signals are for the machine's thread: it ends in good order. The first thread, and those that SDL starts
// from it, take none while this lives.
class NoSignals {
public:
    NoSignals() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    NoSignals(const NoSignals&) = delete;
    NoSignals& operator=(const NoSignals&) = delete;

    // A thread that takes what this one would have taken.
    template <typename Body>
    [[nodiscard]] std::thread start_thread(Body body) const {
        return std::thread([before = before_, body] {
            pthread_sigmask(SIG_SETMASK, &before, nullptr);
            body();
        });
    }

private:
    sigset_t before_;
};

}  // namespace

Result<std::unique_ptr<ui::GuestWindow>> open_window(ui::GuestWindow::AtEnd at_end) {
    const NoSignals for_threads_of_sdl;
    return TRY(load_ui_module())->open_guest_window(at_end);
}

Result<int> run_in_window(const RunOptions& options, ui::GuestWindow& window) {
    const NoSignals no_signals;
    ui::GuestLink link;
    Result<int> status = 0;
    std::promise<void> closed;
    std::thread machine = no_signals.start_thread([&] {
        status = run_until_quit(options, link);
        link.finish(outcome_of(status));
        // Somebody has to be there for signals while the window stays open.
        closed.get_future().wait();
    });
    window.run(link);
    closed.set_value();
    machine.join();
    return status;
}

}  // namespace forkscope::cli
