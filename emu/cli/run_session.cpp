#include "emu/cli/run_session.hpp"

#include <memory>
#include <optional>

#include "emu/base/say.hpp"
#include "emu/cli/check_options.hpp"
#include "emu/cli/images.hpp"
#include "emu/cli/live_checks.hpp"
#include "emu/cli/log_symbols.hpp"
#include "emu/cli/retrace.hpp"
#include "emu/cli/save_ram.hpp"
#include "emu/cli/screenshot.hpp"
#include "emu/cli/stop_signals.hpp"
#include "emu/cli/trace_text.hpp"
#include "emu/cli/unanswered.hpp"
#include "emu/cpu/cpu_core.hpp"
#include "emu/log/replay.hpp"
#include "emu/log/writer.hpp"
#include "emu/machine/drive.hpp"
#include "emu/machine/key_text.hpp"
#include "emu/machine/machine.hpp"
#include "tools/log/analysis/task_table.hpp"

namespace forkscope::cli {

namespace {

constexpr const char* kVersion = "0.1.0";
constexpr VirtualNs kNsPerMs = 1'000'000;

log::Meta describe(const RunOptions& options, log::KindMask kinds, machine::Machine& machine,
                   const loader::BootPlan& plan) {
    log::Meta meta;
    meta.program_version = kVersion;
    meta.cpu_model = options.cpu_model;
    meta.ram_bytes = machine.ram().size();
    for (const mem::RamRegion& r : machine.ram().regions()) meta.ram.push_back({r.base.raw(), r.size});
    meta.kernel = options.bios.empty() ? options.kernel : options.bios;
    meta.initrd = options.initrd;
    meta.command_line = options.append;
    meta.instructions_per_second = kNsPerSecond / cpu::kNsPerInstruction;
    meta.kinds = kinds;
    meta.options["clock"] = options.fast ? "host" : "instructions";
    meta.options["boot"] = plan.description();
    for (const loader::PlacedRange& r : plan.placed)
        meta.options["at " + fmt::format("{:#x}", r.base.raw())] =
            fmt::format("{}, {} bytes", r.name, r.size);
    return meta;
}

// Prints the verdict; its exit status is not 0 if there is a difference.
int report_audit(const mmu::AuditReport& report) {
    say("audit: {} entries under {} roots, {} differences", report.entries, report.roots, report.differences);
    if (report.other_paging)
        say("audit: of 4-level paging alone: the guest also used 32-bit or PAE paging, whose tables are not "
            "followed");
    for (const std::string& line : report.described) say("audit: {}", line);
    return report.clean() ? 0 : static_cast<int>(ExitStatus::CheckFailed);
}

// One run. Its parts are opened in the order of the members, and closed in the other.
class Session {
public:
    Session(const RunOptions& options, machine::Attendant* attendant)
        : options_(options), attendant_(attendant) {}

    // What can be wrong with the input comes out here, before the machine starts.
    Result<> prepare();
    Result<int> run();

private:
    [[nodiscard]] log::Recorder& recorded() { return checks_ != 0 ? past_checks_ : recorder_; }
    Result<machine::MachineConfig> machine_config();
    Result<> open_machine();
    Result<> open_trace();
    Result<> open_log();
    // The exit status, which a difference changes.
    int audit(int status);
    Result<> write_out();
    Result<> finish_log();

    const RunOptions& options_;
    machine::Attendant* attendant_;
    log::KindMask kinds_ = 0;
    check::CheckSet checks_ = 0;
    bool kernel_is_named_ = true;
    Images images_;
    log::Recorder recorder_;     // of the machine
    log::Recorder past_checks_;  // what comes through the checks, with their findings
    std::unique_ptr<machine::SerialBackend> serial_;
    std::unique_ptr<machine::SerialBackend> debug_console_;
    std::vector<std::unique_ptr<bus::BlockStore>> drives_;
    std::unique_ptr<machine::Machine> machine_;
    loader::BootPlan plan_;
    std::unique_ptr<TraceText> trace_;
    Unanswered unanswered_;
    std::unique_ptr<log::Writer> writer_;
    std::optional<LiveChecks> live_;
};

Result<> Session::prepare() {
    TRY_VOID(check_options(options_));
    kinds_ = TRY(parse_events(options_.events));
    checks_ = TRY(parse_check_option(options_.check));
    images_ = TRY(read_images(options_));
    TRY_VOID(check_room_for_initramfs(options_, images_));
    serial_ = TRY(machine::open_serial("-serial", options_.serial));
    if (!options_.debug_console.empty() && options_.debug_console != "stdio")
        debug_console_ = TRY(machine::open_serial("-debugcon", options_.debug_console));
    TRY_VOID(open_machine());
    TRY_VOID(open_trace());
    return open_log();
}

Result<machine::MachineConfig> Session::machine_config() {
    machine::MachineConfig config;
    config.ram_bytes = options_.ram_bytes;
    config.cpu_model = options_.cpu_model;
    config.time_mode = options_.fast ? cpu::TimeMode::Host : cpu::TimeMode::Instructions;
    config.serial = serial_.get();
    config.attendant = attendant_;
    config.debug = options_.debug_console == "stdio" ? serial_.get() : debug_console_.get();
    config.firmware = firmware_of(options_, images_);
    config.audit_interval = options_.audit_every_ms * kNsPerMs;
    config.audit_engine_tlb = options_.audit_tlb;
    auto keys = machine::parse_keys(options_.keys);
    if (!keys) return fail("--keys: {}", keys.error().message);
    config.keys = std::move(*keys);
    for (const std::string& spec : options_.drives) {
        const machine::DriveSpec drive = TRY(machine::parse_drive(spec));
        drives_.push_back(TRY(machine::open_drive(drive)));
        config.drives.push_back(drives_.back().get());
    }
    return config;
}

Result<> Session::open_machine() {
    const machine::MachineConfig config = TRY(machine_config());
    TRY_VOID(check_can_retrace(options_, *serial_));
    mmu::Mirror::LinkCounts tables;
    if (options_.retrace) tables = TRY(learn_tables(options_, images_, config));
    machine_ = TRY(machine::Machine::create(config, recorder_));
    plan_ = TRY(load_images(options_, images_, machine_->ram()));
    if (options_.retrace) machine_->expect_tables(tables);
    return {};
}

Result<> Session::open_trace() {
    if (!options_.trace.empty()) {
        const log::KindMask traced = TRY(parse_trace_items(options_.trace));
        trace_ = TRY(TraceText::open(options_.trace_file, traced));
        recorded().attach(*trace_, traced);
    }
    unanswered_.listen(*machine_, trace_.get());
    return {};
}

Result<> Session::open_log() {
    std::vector<log::SymbolModule> modules;
    if (!options_.record.empty() || checks_ != 0) modules = read_symbol_modules(options_, images_);
    kernel_is_named_ = has_kernel(modules);
    if (!options_.record.empty()) {
        writer_ = TRY(log::Writer::open(options_.record, describe(options_, kinds_, *machine_, plan_),
                                        {.keeper = std::make_unique<analysis::TaskKeeper>()}));
        for (const log::SymbolModule& module : modules) TRY_VOID(writer_->add_symbols(module));
        recorded().attach(*writer_, kinds_);
    }
    if (checks_ != 0) {
        const bool all_recorded = writer_ && kinds_ == log::kKnownKinds;
        live_.emplace(
            checks_, all_recorded ? check::EventNumbers::Yes : check::EventNumbers::No, std::move(modules),
            [this] { return kernel_symbols_in(machine_->ram(), options_.kernel); }, past_checks_);
        recorder_.attach(*live_, check::Engine::kinds_for(checks_) | past_checks_.kinds());
    }
    return {};
}

Result<int> Session::run() {
    machine_->boot(plan_);
    const machine::MachineExit end = [&] {
        const StopSignals signals(*machine_);
        return machine_->run(options_.time_limit());
    }();
    if (!end.message.empty()) say("forkscope: {}", end.message);
    for (const std::string& line : unanswered_.summary()) say("forkscope: {}", line);
    int status = options_.audit ? audit(end.status) : end.status;
    recorder_.flush();
    past_checks_.flush();
    if (live_ && !live_->report()) status = static_cast<int>(ExitStatus::CheckFailed);
    TRY_VOID(write_out());
    return status;
}

int Session::audit(int status) {
    const int verdict = report_audit(machine_->audit());
    if (writer_ && !log::can_replay_kinds(kinds_))
        say("audit: of the machine alone: with --events {} the log cannot give the page tables",
            options_.events);
    return verdict != 0 ? verdict : status;
}

// A kernel that came without symbols has unpacked its own by now.
Result<> Session::finish_log() {
    auto kernel = kernel_is_named_ ? std::nullopt : kernel_symbols_in(machine_->ram(), options_.kernel);
    if (kernel) {
        if (const auto added = writer_->add_symbols(std::move(*kernel)); !added)
            say("forkscope: {}; the kernel's functions stay nameless", added.error().message);
    }
    return writer_->finish();
}

// The log first: it is what cannot be had again.
Result<> Session::write_out() {
    if (trace_) trace_->note("at the end:\n" + machine_->cpu().dump());
    if (writer_) TRY_VOID(finish_log());
    if (!options_.save_ram.empty()) TRY_VOID(save_ram(machine_->ram(), options_.save_ram));
    if (!options_.screenshot.empty()) TRY_VOID(take_screenshot(*machine_, options_.screenshot));
    if (trace_) TRY_VOID(trace_->status());
    if (debug_console_) {
        debug_console_->flush();
        TRY_VOID(debug_console_->status());
    }
    return serial_->status();
}

}  // namespace

VirtualNs RunOptions::time_limit() const {
    return exit_after_seconds > 0
               ? static_cast<VirtualNs>(exit_after_seconds * static_cast<double>(kNsPerSecond))
               : bus::kNever;
}

Result<int> run_session(const RunOptions& options, machine::Attendant* attendant) {
    Session session(options, attendant);
    TRY_VOID(session.prepare());
    return session.run();
}

}  // namespace forkscope::cli
