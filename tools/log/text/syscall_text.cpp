// Calls by their signatures.
#include "tools/log/text/syscall_text.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "tools/log/text/decode.hpp"

namespace forkscope::tools {

namespace {

struct Signature {
    uint64_t number;
    std::string_view text;  // "fd,out,size=size"
};
#define SYSCALL(number, name, signature) {number, signature},
#define MISSING_SYSCALL SYSCALL
constexpr Signature kSignatures[] = {
#include "guest/abi/syscalls.def"
};
#undef SYSCALL

[[nodiscard]] std::string_view signature_of(uint64_t number) {
    for (const Signature& signature : kSignatures)
        if (signature.number == number) return signature.text;
    return "hex,hex,hex,hex,hex,hex=int";
}

// Linux's x86-64 values: man 2 open, mmap, mprotect.
struct NamedBits {
    uint64_t bits;
    const char* name;
};
constexpr NamedBits kProt[] = {{1, "PROT_READ"}, {2, "PROT_WRITE"}, {4, "PROT_EXEC"}};
constexpr NamedBits kMap[] = {{0x1, "MAP_SHARED"},       {0x2, "MAP_PRIVATE"},
                              {0x10, "MAP_FIXED"},       {0x20, "MAP_ANONYMOUS"},
                              {0x100, "MAP_GROWSDOWN"},  {0x2000, "MAP_LOCKED"},
                              {0x4000, "MAP_NORESERVE"}, {0x8000, "MAP_POPULATE"},
                              {0x20000, "MAP_STACK"},    {0x100000, "MAP_FIXED_NOREPLACE"}};
constexpr NamedBits kOpen[] = {{1, "O_WRONLY"},         {2, "O_RDWR"},           {0100, "O_CREAT"},
                               {0200, "O_EXCL"},        {0400, "O_NOCTTY"},      {01000, "O_TRUNC"},
                               {02000, "O_APPEND"},     {04000, "O_NONBLOCK"},   {0200000, "O_DIRECTORY"},
                               {0400000, "O_NOFOLLOW"}, {02000000, "O_CLOEXEC"}, {010000000, "O_PATH"}};

template <size_t N>
[[nodiscard]] std::string bits_text(const NamedBits (&names)[N], uint64_t value, std::string_view none) {
    std::string text(none);
    uint64_t rest = value & 0xffff'ffff;
    for (const NamedBits& named : names) {
        if ((rest & named.bits) != named.bits) continue;
        rest &= ~named.bits;
        text += fmt::format("{}{}", text.empty() ? "" : "|", named.name);
    }
    if (rest != 0) text += fmt::format("{}{:#x}", text.empty() ? "" : "|", rest);
    return text.empty() ? "0" : text;
}

[[nodiscard]] std::string open_flags_text(uint64_t value) {
    return bits_text(kOpen, value, (value & 3) == 0 ? "O_RDONLY" : "");
}

[[nodiscard]] std::string pointer_text(uint64_t value) {
    return value == 0 ? "NULL" : fmt::format("{:#x}", value);
}

}  // namespace

std::string value_text(std::string_view kind, uint64_t value) {
    constexpr uint64_t kAtFdCwd = 0xffff'ff9c;
    const auto low = static_cast<int32_t>(value);
    if (kind == "dirfd" && (value & 0xffff'ffff) == kAtFdCwd) return "AT_FDCWD";
    if (kind == "int" || kind == "fd" || kind == "dirfd" || kind == "pid") return fmt::format("{}", low);
    if (kind == "uint") return fmt::format("{}", value & 0xffff'ffff);
    if (kind == "size") return fmt::format("{}", static_cast<int64_t>(value));
    if (kind == "off") return fmt::format("{}", static_cast<int64_t>(value));
    if (kind == "sig") return value == 0 ? "0" : signal_text(value & 0xffff'ffff);
    if (kind == "mode") return fmt::format("{:#o}", value & 0xffff'ffff);
    if (kind == "prot") return value == 0 ? "PROT_NONE" : bits_text(kProt, value, "");
    if (kind == "mapflags") return bits_text(kMap, value, "");
    if (kind == "openflags") return open_flags_text(value);
    if (kind == "cloneflags") return clone_flags_text(value);
    if (kind == "flags" || kind == "hex") return fmt::format("{:#x}", value);
    return pointer_text(value);  // addr, path, str, buf, in, out
}

std::string call_text(const analysis::SystemCall& call) {
    std::string_view kinds = signature_of(call.number);
    kinds = kinds.substr(0, kinds.find('='));
    std::string text;
    for (size_t i = 0; !kinds.empty() && i < call.arguments.size(); ++i) {
        const size_t comma = std::min(kinds.find(','), kinds.size());
        text += i == 0 ? "" : ", ";
        // A log of an earlier version has three.
        text += i < call.argument_count ? value_text(kinds.substr(0, comma), call.arguments[i]) : "?";
        kinds.remove_prefix(std::min(comma + 1, kinds.size()));
    }
    return fmt::format("{}({})", syscall_name(call.number), text);
}

std::string result_text(const analysis::SystemCall& call) {
    if (!call.returned || call.elsewhere) return "?";
    const auto value = static_cast<int64_t>(call.result);
    if (value < 0 && value > -4096)
        return fmt::format("-1 {} ({})", errno_text(value), std::strerror(static_cast<int>(-value)));
    const std::string_view signature = signature_of(call.number);
    return value_text(signature.substr(signature.find('=') + 1), call.result);
}

}  // namespace forkscope::tools
