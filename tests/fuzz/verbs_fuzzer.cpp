// Asks arbitrary files everything that `forkscope log` can be asked, exports too. What reads the bytes is
// log_fuzzer's; here it is what is made of the events. So half of the inputs are events as they come, in a
// file that is sound; the others are a good file with bytes changed.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "emu/log/writer.hpp"
#include "tests/fuzz/good_events.hpp"
#include "tests/fuzz/patched.hpp"
#include "tests/log/log_file.hpp"
#include "tests/tools/log/every_verb.hpp"

using namespace forkscope;

namespace {

// Good events of which bytes are changed: three bytes of input each, for event, place and value.
std::vector<log::Event> changed_events(std::span<const uint8_t> input) {
    std::vector<log::Event> events = test::good_events();
    for (; input.size() >= 3; input = input.subspan(3)) {
        log::Event& event = events[input[0] % events.size()];
        auto* const bytes = reinterpret_cast<uint8_t*>(&event);
        bytes[input[1] % sizeof(event)] = input[2];
    }
    return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const test::TempDir kDirectory;
    static const std::filesystem::path kPath = kDirectory / "a.mmu";
    static const std::vector<uint8_t> kGood = [] {
        test::write_log(kPath, test::good_events(), 40);
        return test::read_bytes(kPath);
    }();
    if (size < 2) return 0;
    const std::span<const uint8_t> input(data + 1, size - 1);
    if (data[0] % 2 == 0) {
        test::write_log(kPath, changed_events(input), 40);
    } else {
        test::write_bytes(kPath, fuzz::patched(input, {kGood}));
    }
    test::ask_every_verb(kPath, kDirectory / "", [](const test::Answer& answer) {
        const std::string fault = test::fault_of(answer);
        if (fault.empty()) return;
        std::fprintf(stderr, "%s\n", fault.c_str());
        std::abort();
    });
    return 0;
}
