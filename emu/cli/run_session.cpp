#include "emu/cli/run_session.hpp"

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <optional>

#include "emu/base/say.hpp"
#include "emu/cli/images.hpp"
#include "emu/cli/live_checks.hpp"
#include "emu/cli/log_symbols.hpp"
#include "emu/cli/retrace.hpp"
#include "emu/cli/save_ram.hpp"
#include "emu/cli/stop_signals.hpp"
#include "emu/cli/trace_text.hpp"
#include "emu/cpu/cpu_core.hpp"
#include "emu/loader/load_kernel.hpp"
#include "emu/log/event_names.hpp"
#include "emu/log/replay.hpp"
#include "emu/log/writer.hpp"
#include "emu/machine/drive.hpp"
#include "emu/machine/machine.hpp"
#include "tools/log/analysis/task_table.hpp"

namespace forkscope::cli {

namespace {

constexpr const char* kVersion = "0.1.0";
constexpr VirtualNs kNsPerMs = 1'000'000;

Result<log::KindMask> parse_events(const std::string& list) {
    if (list.empty()) return log::kKnownKinds;
    log::KindMask kinds = 0;
    for (size_t from = 0; from <= list.size();) {
        const size_t to = std::min(list.find(',', from), list.size());
        const std::string word = list.substr(from, to - from);
        const auto kind = log::kind_named(word);
        if (!kind) {
            std::string known;
            for (size_t n = 1; n < log::kKindNames.size(); ++n)
                known += fmt::format("{}{}", known.empty() ? "" : ", ", log::kKindNames[n]);
            return fail("--events {}: '{}' is unknown; there are: {}", list, word, known);
        }
        kinds |= log::mask_of(*kind);
        from = to + 1;
    }
    return kinds;
}

Result<check::CheckSet> parse_check_option(const std::string& list) {
    if (list.empty()) return check::CheckSet{0};
    const auto set = check::parse_checks(list);
    if (!set) return fail("--check {}: {}", list, set.error().message);
    return *set;
}

log::Meta describe(const RunOptions& options, log::KindMask kinds, machine::Machine& machine,
                   const loader::BootPlan& plan) {
    log::Meta meta;
    meta.program_version = kVersion;
    meta.cpu_model = options.cpu_model;
    meta.ram_bytes = machine.ram().size();
    for (const mem::RamRegion& r : machine.ram().regions()) meta.ram.push_back({r.base.raw(), r.size});
    meta.kernel = options.kernel;
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

// One file for two purposes would be spoilt.
Result<void> check_files_differ(const RunOptions& options) {
    constexpr std::string_view kSerialFile = "file:";
    const bool serial_file = options.serial.starts_with(kSerialFile);
    const struct {
        const char* option;
        std::string path;
        bool written;
    } files[] = {
        {"-kernel", options.kernel, false},
        {"-initrd", options.initrd, false},
        {"--record", options.record, true},
        {"--save-ram", options.save_ram, true},
        {"-D", options.trace_file, true},
        {"-serial", serial_file ? options.serial.substr(kSerialFile.size()) : "", true},
    };
    const auto same = [](const std::string& a, const std::string& b) {
        std::error_code error;
        // Devices, such as /dev/null, take any number of users.
        if (std::filesystem::exists(a, error) && !std::filesystem::is_regular_file(a, error)) return false;
        return std::filesystem::weakly_canonical(a, error) == std::filesystem::weakly_canonical(b, error) ||
               std::filesystem::equivalent(a, b, error);
    };
    for (const auto& a : files) {
        for (const auto& b : files) {
            if (&a >= &b || a.path.empty() || b.path.empty() || !(a.written || b.written)) continue;
            if (same(a.path, b.path))
                return fail("{} {}: the same file as {}; expected another", b.option, b.path, a.option);
        }
    }
    return {};
}

Result<void> check_options(const RunOptions& options) {
    constexpr uint64_t kMostRam = 32 * kGiB;
    constexpr double kLongestRun = 1e9;  // virtual seconds
    if (options.ram_bytes > kMostRam)
        return fail("-m {}M: expected at most {}G", options.ram_bytes / kMiB, kMostRam / kGiB);
    if (options.record.empty() && !options.events.empty())
        return fail("--events: expected --record FILE too");
    if (options.trace.empty() && !options.trace_file.empty()) return fail("-D: expected -d ITEMS too");
    if (!(options.exit_after_seconds >= 0 && options.exit_after_seconds <= kLongestRun))
        return fail("--exit-after: expected a number of seconds from 0 (never) to {:.0f}", kLongestRun);
    return check_files_differ(options);
}

}  // namespace

VirtualNs RunOptions::time_limit() const {
    return exit_after_seconds > 0
               ? static_cast<VirtualNs>(exit_after_seconds * static_cast<double>(kNsPerSecond))
               : bus::kNever;
}

Result<int> run_session(const RunOptions& options) {
    TRY_VOID(check_options(options));
    const log::KindMask kinds = TRY(parse_events(options.events));
    const check::CheckSet checks = TRY(parse_check_option(options.check));
    const Images images = TRY(read_images(options));
    TRY_VOID(check_room_for_initramfs(options, images));
    log::Recorder recorder;     // of the machine
    log::Recorder past_checks;  // what comes through the checks, with their findings
    log::Recorder& recorded = checks != 0 ? past_checks : recorder;
    const auto serial = TRY(machine::open_serial(options.serial));

    machine::MachineConfig config;
    config.ram_bytes = options.ram_bytes;
    config.cpu_model = options.cpu_model;
    config.time_mode = options.fast ? cpu::TimeMode::Host : cpu::TimeMode::Instructions;
    config.serial = serial.get();
    config.audit_interval = options.audit_every_ms * kNsPerMs;
    config.audit_engine_tlb = options.audit_tlb;
    std::vector<std::unique_ptr<bus::BlockStore>> drives;
    for (const std::string& spec : options.drives) {
        const machine::DriveSpec drive = TRY(machine::parse_drive(spec));
        drives.push_back(TRY(machine::open_drive(drive)));
        config.drives.push_back(drives.back().get());
    }
    TRY_VOID(check_can_retrace(options, *serial));
    mmu::Mirror::LinkCounts tables;
    if (options.retrace) tables = TRY(learn_tables(options, images, config));
    const auto machine = TRY(machine::Machine::create(config, recorder));
    const loader::BootPlan plan =
        TRY(loader::load_kernel(images.kernel, machine->ram(), load_options(options, images)));
    if (options.retrace) machine->expect_tables(tables);

    std::unique_ptr<TraceText> trace;
    if (!options.trace.empty()) {
        const log::KindMask traced = TRY(parse_trace_items(options.trace));
        trace = TRY(TraceText::open(options.trace_file, traced));
        recorded.attach(*trace, traced);
        machine->ports().on_unclaimed([&trace](uint16_t port, bus::Width width, bus::Direction direction) {
            trace->note(fmt::format("port {:#x}: first {} of {} bytes, and nobody there", port,
                                    direction == bus::Direction::Read ? "read" : "write",
                                    bus::bytes_of(width)));
        });
        machine->mmio().on_unclaimed([&trace](PhysAddr pa, bus::Width width, bus::Direction direction) {
            trace->note(fmt::format("address {:#x}: first {} of {} bytes in its page, and nobody there",
                                    pa.raw(), direction == bus::Direction::Read ? "read" : "write",
                                    bus::bytes_of(width)));
        });
        machine->cpu().on_unknown_msr([&trace](uint32_t msr, bus::Direction direction) {
            trace->note(fmt::format("MSR {:#x}: first {}, and it is not there", msr,
                                    direction == bus::Direction::Read ? "read" : "write"));
        });
    }
    std::vector<log::SymbolModule> modules;
    if (!options.record.empty() || checks != 0) modules = read_symbol_modules(options, images);
    std::unique_ptr<log::Writer> writer;
    if (!options.record.empty()) {
        writer = TRY(log::Writer::open(options.record, describe(options, kinds, *machine, plan),
                                       {.keeper = std::make_unique<analysis::TaskKeeper>()}));
        for (const log::SymbolModule& module : modules) TRY_VOID(writer->add_symbols(module));
        recorded.attach(*writer, kinds);
    }
    std::optional<LiveChecks> live;
    if (checks != 0) {
        const bool all_recorded = writer && kinds == log::kKnownKinds;
        live.emplace(checks, all_recorded ? check::EventNumbers::Yes : check::EventNumbers::No,
                     std::move(modules), past_checks);
        recorder.attach(*live, check::Engine::kinds_for(checks) | past_checks.kinds());
    }

    machine->boot(plan);
    const machine::MachineExit end = [&] {
        const StopSignals signals(*machine);
        return machine->run(options.time_limit());
    }();
    int status = end.status;
    if (!end.message.empty()) say("forkscope: {}", end.message);
    if (options.audit) {
        const int verdict = report_audit(machine->audit());
        if (verdict != 0) status = verdict;
        if (writer && !log::can_replay_kinds(kinds))
            say("audit: of the machine alone: with --events {} the log cannot give the page tables",
                options.events);
    }
    recorder.flush();
    past_checks.flush();
    if (!options.save_ram.empty()) TRY_VOID(save_ram(machine->ram(), options.save_ram));
    if (live && !live->report()) status = static_cast<int>(ExitStatus::CheckFailed);
    if (trace) trace->note("at the end:\n" + machine->cpu().dump());
    if (writer) TRY_VOID(writer->finish());
    if (trace) TRY_VOID(trace->status());
    TRY_VOID(serial->status());
    return status;
}

}  // namespace forkscope::cli
