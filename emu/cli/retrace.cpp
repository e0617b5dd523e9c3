#include "emu/cli/retrace.hpp"

#include "emu/cli/stop_signals.hpp"

namespace forkscope::cli {

Result<void> check_can_retrace(const RunOptions& options, machine::SerialBackend& serial) {
    if (!options.retrace) return {};
    if (options.record.empty()) return fail("--retrace: expected --record FILE too");
    if (options.fast) return fail("--retrace: expected a run that repeats, without --fast");
    if (!options.drives.empty())
        return fail("--retrace: expected no -drive: the first run would change what the second one reads");
    if (!serial.read(0).empty() || !serial.at_end())
        return fail("--retrace: expected a run without input: -serial null or file:NAME, or < /dev/null");
    return {};
}

Result<mmu::Mirror::LinkCounts> learn_tables(const RunOptions& options, const Images& images,
                                             machine::MachineConfig config) {
    log::Recorder nobody;
    const auto silence = TRY(machine::open_serial("-serial", "null"));
    config.serial = silence.get();
    const auto machine = TRY(machine::Machine::create(config, nobody));
    machine->boot(TRY(load_images(options, images, machine->ram())));
    const StopSignals signals(*machine);
    const machine::MachineExit end = machine->run(options.time_limit());
    if (end.reason == log::Stop::Host && !end.message.empty())
        return fail("--retrace: the first run did not come to its end: {}", end.message);
    return machine->times_linked();
}

}  // namespace forkscope::cli
