#include "emu/cpu/block_calls.hpp"

#include <sys/mman.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>

#include "emu/cpu/engine_internals.hpp"

namespace forkscope::cpu {

namespace {

constexpr size_t kPage = 4096;

// Registers of the first four arguments, by their numbers in an instruction (System V ABI, AMD64).
enum Register : uint8_t { kArgument4 = 1, kArgument3 = 2, kArgument2 = 6, kArgument1 = 7 };

template <typename T>
T read(const uint8_t* p) {
    T value;
    std::memcpy(&value, p, sizeof value);
    return value;
}

uint64_t address(const void* p) { return reinterpret_cast<uint64_t>(p); }

// The mapping that holds `inside` and may be written and executed; empty if there is none.
std::span<const uint8_t> writable_code_at(const uint8_t* inside) {
    const std::unique_ptr<FILE, int (*)(FILE*)> maps(std::fopen("/proc/self/maps", "r"), std::fclose);
    if (!maps) return {};
    std::array<char, 512> line;
    while (std::fgets(line.data(), line.size(), maps.get()) != nullptr) {
        unsigned long begin = 0, end = 0;
        std::array<char, 5> permissions{};
        if (std::sscanf(line.data(), "%lx-%lx %4s", &begin, &end, permissions.data()) != 3) continue;
        if (address(inside) < begin || address(inside) >= end) continue;
        if (permissions[1] != 'w' || permissions[2] != 'x') return {};
        return {reinterpret_cast<const uint8_t*>(begin), end - begin};
    }
    return {};
}

// A page that every address of `area` reaches by a signed 32-bit offset; null if there is none.
uint8_t* map_near(std::span<const uint8_t> area) {
    constexpr size_t kReach = size_t{1} << 31, kStep = size_t{1} << 20;
    if (area.size() >= kReach / 2) return nullptr;
    for (size_t away = kStep; away < kReach / 4; away += kStep) {
        for (const uint64_t at : {address(area.data()) - away, address(area.data()) + area.size() + away}) {
            void* wanted = reinterpret_cast<void*>(at & ~(kPage - 1));
            void* p = mmap(wanted, kPage, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
            if (p == wanted) return static_cast<uint8_t*>(p);
            if (p != MAP_FAILED) munmap(p, kPage);
        }
    }
    return nullptr;
}

// Machine code, put together at `at` and then copied to its place at once.
class Assembler {
public:
    explicit Assembler(const uint8_t* place) : place_(place) {}

    void bytes(std::initializer_list<uint8_t> code) {
        for (const uint8_t byte : code) code_[size_++] = byte;
    }
    template <typename T>
    void value(T value) {
        std::memcpy(code_.data() + size_, &value, sizeof value);
        size_ += sizeof value;
    }
    void call(const uint8_t* target) {
        bytes({0xe8});
        value(static_cast<int32_t>(address(target) - (address(place_) + size_ + 4)));
    }
    void jump_if_not_less(const uint8_t* target) {
        const uint64_t next = address(place_) + size_ + 2;
        bytes({0x7d, static_cast<uint8_t>(address(target) - next)});
    }
    void pad_to(size_t size) {
        constexpr uint8_t kNop = 0x90;
        while (size_ < size) bytes({kNop});
    }
    [[nodiscard]] size_t size() const { return size_; }
    void copy_to(uint8_t* place) const { std::memcpy(place, code_.data(), size_); }

private:
    const uint8_t* place_;
    std::array<uint8_t, 128> code_{};
    size_t size_ = 0;
};

// The start of the instruction before `end` that loads `value` into a register, in any of the forms that the
// engine's code generator has; null if there is none.
const uint8_t* load_before(const uint8_t* end, Register reg, uint64_t value) {
    constexpr uint8_t kRexW = 0x48;
    const auto code = [&](size_t length, size_t i) {
        return end[static_cast<ptrdiff_t>(i) - static_cast<ptrdiff_t>(length)];
    };
    if (code(10, 0) == kRexW && code(10, 1) == (0xb8 | reg) && read<uint64_t>(end - 8) == value)
        return end - 10;  // mov r64, imm64
    if (code(7, 0) == kRexW && code(7, 1) == 0xc7 && code(7, 2) == (0xc0 | reg) &&
        static_cast<uint64_t>(int64_t{read<int32_t>(end - 4)}) == value)
        return end - 7;  // mov r64, simm32
    if (code(7, 0) == kRexW && code(7, 1) == 0x8d && code(7, 2) == (0x05 | reg << 3) &&
        address(end) + static_cast<uint64_t>(int64_t{read<int32_t>(end - 4)}) == value)
        return end - 7;  // lea r64, [rip + simm32]
    if (code(5, 0) == (0xb8 | reg) && read<uint32_t>(end - 4) == value) return end - 5;  // mov r32, imm32
    if (value == 0 && (code(2, 0) == 0x31 || code(2, 0) == 0x33) && code(2, 1) == (0xc0 | reg | reg << 3))
        return end - 2;  // xor r32, r32
    return nullptr;
}

// Where the call ends that begins at `p` and is of `function`; null if it is another.
const uint8_t* end_of_call(const uint8_t* p, const void* function) {
    const auto target = [&](size_t length) {
        return address(p) + length + static_cast<uint64_t>(int64_t{read<int32_t>(p + length - 4)});
    };
    if (p[0] == 0xe8 && target(5) == address(function)) return p + 5;
    if (p[0] == 0xff && p[1] == 0x15 &&
        read<uint64_t>(reinterpret_cast<const uint8_t*>(target(6))) == address(function))
        return p + 6;
    return nullptr;
}

// Where the code goes on after it has asked whether to stop; null if it does not ask at `p`.
const uint8_t* after_exit_check(const uint8_t* p, const void* engine) {
    for (const size_t first : {10u, 7u, 5u}) {
        if (load_before(p + first, kArgument1, address(engine)) != p) continue;
        if (load_before(p + first + 2, kArgument2, 0) != p + first) continue;
        return end_of_call(p + first + 2, reinterpret_cast<const void*>(helper_check_exit_request_x86_64));
    }
    return nullptr;
}

constexpr size_t kCallBytes = 5;
// Of the counting code that loads and stores apart.
constexpr size_t kLoadAndStore = 6 + 5 + 6 + 10 + 2 + kCallBytes;

}  // namespace

BlockCalls::~BlockCalls() {
    if (call_late_ != nullptr) munmap(call_late_, kPage);
}

bool BlockCalls::locate(const uint8_t* return_address, const void* cpu_state, const BlockCounters& counters,
                        const void* hook, void (*late)(void*), void* argument) {
#ifndef __x86_64__
    return false;
#endif
    code_ = writable_code_at(return_address);
    if (code_.empty()) return false;
    call_late_ = map_near(code_);
    if (call_late_ == nullptr) return false;
    counters_ = counters;
    hook_ = hook;
    cpu_state_ = cpu_state;
    Assembler a(call_late_);
    a.bytes({0x48, 0xbf});  // mov rdi, argument
    a.value(address(argument));
    a.bytes({0x48, 0xb8});  // mov rax, late
    a.value(address(reinterpret_cast<const void*>(late)));
    a.bytes({0xff, 0xe0});  // jmp rax
    a.copy_to(call_late_);
    return mprotect(call_late_, kPage, PROT_READ | PROT_EXEC) == 0;
}

int32_t BlockCalls::from_state(const void* p) const {
    return static_cast<int32_t>(address(p) - address(cpu_state_));
}

std::span<uint8_t> BlockCalls::recognise(const BlockCall& call) const {
    const uint8_t* const end = call.return_address;
    if (end == nullptr || end < code_.data() + 64 || end + 64 > code_.data() + code_.size()) return {};
    const uint8_t* p = nullptr;
    for (const size_t length : {6u, 5u}) {
        if (end_of_call(end - length, hook_) != end) continue;
        p = end - length;
        break;
    }
    if (p != nullptr) p = load_before(p, kArgument4, address(call.user));
    if (p != nullptr) p = load_before(p, kArgument3, call.bytes);
    if (p != nullptr) p = load_before(p, kArgument2, call.pc);
    if (p != nullptr) p = load_before(p, kArgument1, address(call.engine));
    if (p == nullptr) return {};
    return {const_cast<uint8_t*>(p), end};
}

bool BlockCalls::rewrite_counting(const BlockCall& call, uint32_t instructions, uint32_t current) {
    const std::span<uint8_t> room = recognise(call);
    if (room.empty()) return false;
    const uint8_t* const next = after_exit_check(call.return_address, call.engine);
    if (next == nullptr) return false;
    Assembler a(room.data());
    if (room.size() >= kLoadAndStore) {
        a.bytes({0x8b, 0x85});  // mov eax, [rbp + left]
        a.value(from_state(counters_.left));
        a.bytes({0x2d});  // sub eax, imm32
        a.value(instructions);
        a.bytes({0x89, 0x85});  // mov [rbp + left], eax
        a.value(from_state(counters_.left));
    } else {
        a.bytes({0x81, 0xad});  // sub dword [rbp + left], imm32
        a.value(from_state(counters_.left));
        a.value(instructions);
    }
    a.bytes({0xc7, 0x85});  // mov dword [rbp + current], imm32
    a.value(from_state(counters_.current));
    a.value(current);
    a.jump_if_not_less(next);
    if (a.size() + kCallBytes > room.size()) return false;
    a.pad_to(room.size() - kCallBytes);
    a.call(call_late_);
    a.copy_to(room.data());
    return true;
}

bool BlockCalls::rewrite_asking(const BlockCall& call, const int32_t& exit_request) {
    const std::span<uint8_t> room = recognise(call);
    if (room.empty()) return false;
    const uint8_t* const next = after_exit_check(call.return_address, call.engine);
    if (next == nullptr) return false;
    Assembler a(room.data());
    a.bytes({0x83, 0xbd});  // cmp dword [rbp + exit_request], 0
    a.value(from_state(&exit_request));
    a.value(uint8_t{0});
    a.jump_if_not_less(next);
    a.pad_to(room.size());
    a.copy_to(room.data());
    return true;
}

}  // namespace forkscope::cpu
