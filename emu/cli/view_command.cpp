#include "emu/cli/view_command.hpp"

#include <fmt/format.h>

#include <memory>
#include <tuple>

#include "emu/base/say.hpp"
#include "emu/cli/module_loader.hpp"
#include "emu/log/reader.hpp"
#include "tools/log/verbs/query.hpp"
#include "tools/panels/window/entry.hpp"

namespace forkscope::cli {

namespace {

struct Wanted {
    panels::ViewOptions options;
    std::string at;
    std::string fork;
    std::string frame;
    std::string size;
    std::string frames;
};

constexpr const char* kPanels[] = {"all", "tasks", "tables", "frames", "events", "story", "tlb", "counters"};

[[nodiscard]] Result<> check_panel(const std::string& panel) {
    std::string names;
    for (const char* name : kPanels) {
        if (panel == name) return {};
        names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
    }
    return fail("there is no panel '{}'; expected one of {}", panel, names);
}

[[nodiscard]] Result<std::pair<int, int>> parse_size(const std::string& text) {
    const size_t cross = text.find('x');
    constexpr uint64_t kLeast = 320;
    constexpr uint64_t kMost = 8192;
    if (cross != std::string::npos) {
        const auto width = tools::parse_number(text.substr(0, cross));
        const auto height = tools::parse_number(text.substr(cross + 1));
        if (width && height && *width >= kLeast && *width <= kMost && *height >= kLeast && *height <= kMost)
            return std::pair(static_cast<int>(*width), static_cast<int>(*height));
    }
    return fail("--size {}: expected WIDTHxHEIGHT, each from {} to {}, as in 1600x1000", text, kLeast, kMost);
}

// What the options say of the log is looked at before any window is.
[[nodiscard]] Result<> prepare(Wanted& wanted) {
    panels::ViewOptions& options = wanted.options;
    TRY_VOID(check_panel(options.panel));
    if (options.theme != "dark" && options.theme != "light")
        return fail("--theme {}: expected dark or light", options.theme);
    if (!(options.scale >= 0.5 && options.scale <= 4))
        return fail("--scale {}: expected a number from 0.5 to 4", options.scale);
    if (!wanted.size.empty()) std::tie(options.width, options.height) = TRY(parse_size(wanted.size));
    const auto reader = TRY(log::Reader::open(options.file));
    if (reader->event_count() == 0)
        return fail("'{}' holds no event; expected a log with some", options.file);
    if (!wanted.at.empty())
        options.at = tools::events_until(TRY(tools::parse_moment(wanted.at, reader->meta())), *reader);
    if (!wanted.fork.empty()) options.fork = TRY(tools::parse_number(wanted.fork));
    if (!wanted.frame.empty()) options.frame = TRY(tools::parse_number(wanted.frame));
    if (!wanted.frames.empty()) options.frames = TRY(tools::parse_number(wanted.frames));
    return {};
}

[[nodiscard]] Result<> show(Wanted& wanted) {
    TRY_VOID(prepare(wanted));
    const auto* module = TRY(load_module<panels::Module>("libforkscope_panels.so"));
    const panels::ViewReport report = TRY(module->view(wanted.options));
    if (wanted.options.frames != 0)
        fmt::print("frame: {:.2f} ms (median of {}), the longest {:.2f} ms\n", report.median_ms,
                   wanted.options.frames, report.longest_ms);
    return {};
}

constexpr const char* kFooter =
    "Everything moves with one slider of time: page tables, frames, tasks, TLB, events, counters. What has\n"
    "just changed glows; what you point at explains itself; what you click goes to the event.\n"
    "  Left, Right           one event back, or on; with Shift 100\n"
    "  Page Up, Page Down    the fork before, or the next one, with its story\n"
    "  0, 1 to 7             all panels, or one of them alone\n"
    "  F1                    all keys\n"
    "Examples:\n"
    "  forkscope run -nographic --record F.mmu -append \"init=/bin/forkscope-demo\"\n"
    "  forkscope view F.mmu\n"
    "  forkscope view --fork 2 F.mmu                              begin at the second fork, with its story\n"
    "  forkscope view --screenshot F.png --at 17.5ms --panel frames F.mmu    a picture; no display is "
    "needed\n"
    "Without a graphics card the processor draws. The exit status is 2 for bad input, or if no window can "
    "be\n"
    "opened.";

}  // namespace

void register_view_command(CLI::App& app) {
    CLI::App& view = *app.add_subcommand("view", "See a recorded log: panels over a slider of time");
    view.footer(kFooter);
    const auto wanted = std::make_shared<Wanted>();
    view.add_option("file", wanted->options.file, "The log")->required()->type_name("F.mmu");
    view.add_option(
            "--at", wanted->at,
            "Begin at this moment: instructions (1,000,000), their time without waits (1.5ms), an event\n"
            "(e1234), start or end, which it is if nothing is said")
        ->type_name("T");
    view.add_option("--fork", wanted->fork, "Open the story of this fork, and begin at its call")
        ->type_name("N");
    view.add_option("--frame", wanted->frame, "Show the biography of this frame of memory")
        ->type_name("ADDRESS");
    view.add_option("--panel", wanted->options.panel,
                    "Show one panel: tasks, tables, frames, events, story, tlb, counters; or all")
        ->type_name("NAME");
    view.add_option("--screenshot", wanted->options.screenshot,
                    "Write a picture to this file, and show no window; no display is needed")
        ->type_name("F.png");
    view.add_option("--theme", wanted->options.theme, "dark (as it is if nothing is said) or light")
        ->type_name("NAME");
    view.add_option("--scale", wanted->options.scale,
                    "Size of letters and all else: 1 is usual, 2 twice as large")
        ->type_name("S");
    view.add_option("--size", wanted->size, "Size of the window: 1600x1000")->type_name("WxH");
    view.add_option("--frames", wanted->frames,
                    "Draw so many frames, going on by an event with each, and print how long they took")
        ->type_name("N");
    view.callback([wanted] {
        const auto done = show(*wanted);
        if (done) return;
        say("forkscope: {}", done.error().message);
        throw CLI::RuntimeError(static_cast<int>(done.error().status));
    });
}

}  // namespace forkscope::cli
