// What Unicorn itself costs, without Forkscope: the same guest loops with no hook and with an empty block
// hook, which is the least that counting instructions takes. Ratios of medians over interleaved rounds; run
// by hand:
//   build/release/tests/cpu/engine_floor
#include <fmt/format.h>
#include <unicorn/unicorn.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

namespace {

constexpr uint64_t kCode = 0x10000, kData = 0x100000, kDataBytes = 0x400000;
constexpr unsigned kRounds = 7;

struct Loop {
    const char* name;
    std::span<const uint8_t> code;
};

// mov ecx, 100000000 / imul rax, rax, 0x5851f42d / add rax, 0x1405 / dec rcx / jnz
constexpr std::array<uint8_t, 23> kTight = {0xb9, 0x00, 0xe1, 0xf5, 0x05, 0x48, 0x69, 0xc0,
                                            0x2d, 0xf4, 0x51, 0x58, 0x48, 0x05, 0x05, 0x14,
                                            0x00, 0x00, 0x48, 0xff, 0xc9, 0x75, 0xee};
// 200 times: rep movsq of 1 MiB from kData to kData + 2 MiB.
constexpr std::array<uint8_t, 29> kCopy = {0xbb, 0xc8, 0x00, 0x00, 0x00,        // mov ebx, 200
                                           0xbe, 0x00, 0x00, 0x10, 0x00,        // mov esi, 0x100000
                                           0xbf, 0x00, 0x50, 0x33, 0x00,        // mov edi, 0x335000
                                           0xb9, 0x00, 0x00, 0x02, 0x00,        // mov ecx, 131072
                                           0xf3, 0x48, 0xa5, 0xff, 0xcb, 0x90,  // rep movsq; dec ebx; nop
                                           0x90, 0x75, 0xe8};                   // nop; jnz
constexpr std::array<Loop, 2> kLoops = {
    {{"loop of four instructions", kTight}, {"rep movsq, 200 MiB", kCopy}}};

void must(uc_err error) {
    if (error == UC_ERR_OK) return;
    fmt::print(stderr, "engine_floor: {}\n", uc_strerror(error));
    std::exit(1);
}

void empty_hook(uc_engine*, uint64_t, uint32_t, void*) {}

double seconds(const Loop& loop, bool hooked) {
    uc_engine* engine = nullptr;
    must(uc_open(UC_ARCH_X86, UC_MODE_64, &engine));
    must(uc_mem_map(engine, kCode, 0x1000, UC_PROT_ALL));
    must(uc_mem_map(engine, kData, kDataBytes, UC_PROT_ALL));
    must(uc_mem_write(engine, kCode, loop.code.data(), loop.code.size()));
    uc_hook hook = 0;
    if (hooked)
        must(uc_hook_add(engine, &hook, UC_HOOK_BLOCK, reinterpret_cast<void*>(empty_hook), nullptr, 1, 0));
    const auto begin = std::chrono::steady_clock::now();
    must(uc_emu_start(engine, kCode, kCode + loop.code.size(), 0, 0));
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    must(uc_close(engine));
    return taken.count();
}

double median(std::vector<double> values) {
    std::ranges::nth_element(values, values.begin() + static_cast<long>(values.size() / 2));
    return values[values.size() / 2];
}

}  // namespace

int main() {
    for (const Loop& loop : kLoops) {
        std::vector<double> ratios;
        for (unsigned round = 0; round < kRounds; ++round) {
            const double alone = seconds(loop, false);
            ratios.push_back(seconds(loop, true) / alone);
        }
        fmt::print("{:<28} with an empty block hook / without a hook: {:.2f} ({:.2f}..{:.2f})\n", loop.name,
                   median(ratios), std::ranges::min(ratios), std::ranges::max(ratios));
    }
}
