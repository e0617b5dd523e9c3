// What Unicorn itself costs, without Forkscope: functions of the guest's own `bench` program run on a bare
// engine, with no hook, or with an empty block hook, which is the least that a call at each block takes.
// Prints the same lines as the guest's program, so that tools/bench times both alike:
//   build/release/tests/cpu/engine_floor [--hook] build/release/guest/user/bench NAME COUNT
#include <fmt/format.h>
#include <unicorn/unicorn.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "emu/loader/elf.hpp"
#include "emu/loader/symbols.hpp"

namespace {

using namespace forkscope;

constexpr uint64_t kPage = 0x1000;
constexpr uint64_t kStack = 0x7fff'0000'0000, kStackBytes = 0x100000;
constexpr uint64_t kReturn = 0x10000;  // a page with nothing in it: where a called function returns to
constexpr uint64_t kCopyBytes = 1 << 20;
constexpr uint64_t kFrom = 0x7000'0000'0000, kTo = kFrom + kCopyBytes + 53 * kPage;  // as in bench.c

[[noreturn]] void fail(std::string_view what) {
    fmt::print(stderr, "engine_floor: {}\n", what);
    std::exit(2);
}

void must(uc_err error) {
    if (error != UC_ERR_OK) fail(uc_strerror(error));
}

// Addresses lead to themselves. Each access gets what it asks for, and no page is writable and executable at
// once: to such a page, and without this mode of the engine, stores are slow.
bool fill(uc_engine*, uint64_t va, uc_mem_type type, uc_tlb_entry* entry, void*) {
    entry->paddr = va;
    entry->perms = type == UC_MEM_WRITE   ? static_cast<uc_prot>(UC_PROT_READ | UC_PROT_WRITE)
                   : type == UC_MEM_FETCH ? static_cast<uc_prot>(UC_PROT_READ | UC_PROT_EXEC)
                                          : UC_PROT_READ;
    return true;
}

void empty_hook(uc_engine*, uint64_t, uint32_t, void*) {}

// A static program in an engine, of which single functions are called.
class Program {
public:
    explicit Program(const std::string& file) {
        std::ifstream in(file, std::ios::binary);
        bytes_.assign(std::istreambuf_iterator<char>(in), {});
        must(uc_open(UC_ARCH_X86, UC_MODE_64, &engine_));
        must(uc_ctl_tlb_mode(engine_, UC_TLB_VIRTUAL));
        uc_hook hook = 0;
        must(uc_hook_add(engine_, &hook, UC_HOOK_TLB_FILL, reinterpret_cast<void*>(fill), nullptr, 1, 0));
        map(kReturn, kPage, UC_PROT_READ | UC_PROT_EXEC);
        map(kStack, kStackBytes);
        load(file);
    }

    void hook_blocks() {
        uc_hook hook = 0;
        must(uc_hook_add(engine_, &hook, UC_HOOK_BLOCK, reinterpret_cast<void*>(empty_hook), nullptr, 1, 0));
    }

    void map(uint64_t from, uint64_t bytes, uint32_t protection = UC_PROT_READ | UC_PROT_WRITE) {
        must(uc_mem_map(engine_, from, bytes, protection));
    }
    void write(uint64_t to, const std::vector<uint8_t>& data) {
        must(uc_mem_write(engine_, to, data.data(), data.size()));
    }
    [[nodiscard]] std::vector<uint8_t> read(uint64_t from, uint64_t bytes) const {
        std::vector<uint8_t> data(bytes);
        must(uc_mem_read(engine_, from, data.data(), data.size()));
        return data;
    }

    // What the function returns in RAX (System V ABI: integer arguments in RDI, RSI, RDX).
    uint64_t call(std::string_view function, std::array<uint64_t, 3> arguments) {
        constexpr std::array<int, 3> kRegisters = {UC_X86_REG_RDI, UC_X86_REG_RSI, UC_X86_REG_RDX};
        for (size_t i = 0; i < arguments.size(); ++i)
            must(uc_reg_write(engine_, kRegisters[i], &arguments[i]));
        const uint64_t stack = kStack + kStackBytes - 8;
        must(uc_mem_write(engine_, stack, &kReturn, sizeof kReturn));
        must(uc_reg_write(engine_, UC_X86_REG_RSP, &stack));
        must(uc_emu_start(engine_, address_of(function), kReturn, 0, 0));
        uint64_t result = 0;
        must(uc_reg_read(engine_, UC_X86_REG_RAX, &result));
        return result;
    }

private:
    void load(const std::string& file) {
        constexpr size_t kFlagsInHeader = 4;  // p_flags of a 64-bit program header
        constexpr uint8_t kSegmentExecutes = 1;
        const auto elf = loader::ElfImage::parse(file, bytes_);
        if (!elf) fail(elf.error().message);
        const auto segments = elf->segments();
        const auto symbols = loader::read_symbols(file, bytes_);
        if (!segments || !symbols) fail(file + ": no program with symbols");
        symbols_ = *symbols;
        uint64_t mapped_to = 0;
        for (const loader::ElfSegment& segment : *segments) {
            if (segment.type != loader::kSegmentLoad) continue;
            const uint64_t from = std::max(segment.vaddr & ~(kPage - 1), mapped_to);
            mapped_to = (segment.vaddr + segment.memsz + kPage - 1) & ~(kPage - 1);
            const uint8_t flags = bytes_[segment.header_offset + kFlagsInHeader];
            const uint32_t protection =
                (flags & kSegmentExecutes) != 0 ? UC_PROT_READ | UC_PROT_EXEC : UC_PROT_READ | UC_PROT_WRITE;
            if (mapped_to > from) map(from, mapped_to - from, protection);
            must(uc_mem_write(engine_, segment.vaddr, bytes_.data() + segment.offset, segment.filesz));
        }
    }

    [[nodiscard]] uint64_t address_of(std::string_view function) const {
        for (const loader::Symbol& symbol : symbols_.symbols())
            if (symbol.name == function) return symbol.address.raw();
        fail(fmt::format("no function {}", function));
    }

    uc_engine* engine_ = nullptr;
    std::vector<uint8_t> bytes_;
    loader::SymbolTable symbols_;
};

// As memcopy() in bench.c, whose buffers come from mmap.
uint64_t copy(Program& program, uint64_t count) {
    std::vector<uint8_t> from(kCopyBytes);
    for (size_t i = 0; i < from.size(); ++i) from[i] = static_cast<uint8_t>(i * 31);
    program.map(kFrom, kCopyBytes);
    program.map(kTo, kCopyBytes);
    program.write(kFrom, from);
    for (uint64_t i = 0; i < count; ++i) {
        uint8_t& byte = from[i % kCopyBytes];
        byte = static_cast<uint8_t>(byte ^ i);
        program.write(kFrom + i % kCopyBytes, {byte});
        program.call("memcpy", {kTo, kFrom, kCopyBytes});
    }
    uint64_t sum = 0;
    for (const uint8_t byte : program.read(kTo, kCopyBytes)) sum = sum * 31 + byte;
    return sum;
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    const bool hooked = !arguments.empty() && arguments.front() == "--hook";
    if (hooked) arguments.erase(arguments.begin());
    uint64_t count = 0;
    if (arguments.size() == 3)
        std::from_chars(arguments[2].data(), arguments[2].data() + arguments[2].size(), count);
    if (count == 0) fail("usage: engine_floor [--hook] PROGRAM NAME COUNT");
    const std::string& name = arguments[1];

    Program program(arguments[0]);
    if (hooked) program.hook_blocks();
    fmt::print("BENCH begin {}\n", name);
    std::fflush(stdout);
    const uint64_t result = name == "memcopy" ? copy(program, count) : program.call(name, {count, 0, 0});
    fmt::print("BENCH end {} {}\n", name, result);
}
