// Everything about a CPU as text: for a triple fault at two in the morning.
#include "emu/cpu/cpu.hpp"
#include "emu/cpu/disassembler.hpp"
#include "emu/cpu/engine_internals.hpp"
#include "emu/cpu/ram_views.hpp"

namespace forkscope::cpu {

namespace {

constexpr const char* kGprNames[] = {"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
                                     "R8 ", "R9 ", "R10", "R11", "R12", "R13", "R14", "R15"};
constexpr const char* kSegmentNames[] = {"ES", "CS", "SS", "DS", "FS", "GS"};

std::string segment_line(const char* name, const SegmentCache& s) {
    return fmt::format("{:<4}={:04x} base={:016x} limit={:08x} flags={:08x} dpl={}\n", name, s.selector,
                       s.base, s.limit, s.flags, (s.flags >> 13) & 3);
}

std::string flag_letters(uint64_t rflags) {
    constexpr struct {
        unsigned bit;
        const char* name;
    } kFlags[] = {{0, "CF"},  {2, "PF"},  {4, "AF"},  {6, "ZF"},  {7, "SF"},  {8, "TF"}, {9, "IF"},
                  {10, "DF"}, {11, "OF"}, {14, "NT"}, {16, "RF"}, {17, "VM"}, {18, "AC"}};
    std::string text;
    for (const auto& flag : kFlags)
        if ((rflags & bit(flag.bit)) != 0) text += fmt::format("{}{}", text.empty() ? "" : " ", flag.name);
    return text;
}

}  // namespace

std::string Cpu::dump() {
    LiveState& s = core_.state();
    const uint64_t rflags = core_.engine().rflags();
    std::string text = fmt::format("CPU {} after {} instructions, task {}, {}-bit code, CPL {}\n", core_.id(),
                                   icount(), core_.task(),
                                   s.code64()                    ? 64
                                   : (s.hflags() & kHfCs32) != 0 ? 32
                                                                 : 16,
                                   s.cpl());
    for (unsigned n = 0; n < 16; ++n)
        text += fmt::format("{}={:016x}{}", kGprNames[n], s.gpr(n), n % 4 == 3 ? "\n" : " ");
    text +=
        fmt::format("RIP={:016x} RFLAGS={:08x} [{}]{}{}\n", s.rip(), rflags, flag_letters(rflags),
                    halted_ ? " halted" : "", (s.hflags() & kHfInhibitIrq) != 0 ? " interrupt shadow" : "");
    for (unsigned n = kEs; n <= kGs; ++n) text += segment_line(kSegmentNames[n], s.segment(n));
    text += segment_line("LDT", s.ldt()) + segment_line("TR", s.tr());
    text += fmt::format("GDT  base={:016x} limit={:04x}\nIDT  base={:016x} limit={:04x}\n", s.gdt().base,
                        s.gdt().limit, s.idt().base, s.idt().limit);
    text += fmt::format("CR0={:08x} CR2={:016x} CR3={:016x} CR4={:08x} EFER={:04x} PKRU={:08x}\n", s.cr(0),
                        s.cr(2), s.cr(3), s.cr(4), s.efer(), s.pkru());
    text += fmt::format("DR0={:x} DR1={:x} DR2={:x} DR3={:x} DR6={:x} DR7={:x}\n", s.dr(0), s.dr(1), s.dr(2),
                        s.dr(3), s.dr(6), s.dr(7));

    uint8_t code[15];
    const uint64_t rip = core_.linear_rip();
    size_t available = core_.peek_code(rip, code);
    std::string_view remark;
    if (available == 0) {
        if (const auto frame = core_.last_code_frame(rip)) {
            const PhysAddr pa = *frame + VirtAddr(rip).page_offset();
            available = std::min<size_t>(sizeof code, kPageSize - pa.page_offset());
            if (const uint8_t* bytes = core_.readable(pa, available))
                std::copy(bytes, bytes + available, code);
            else
                available = 0;
            remark = ", as it last ran (the page tables do not map it)";
        }
    }
    text += fmt::format("code at {:x}{}:", rip, available == 0 ? "" : remark);
    for (size_t i = 0; i < available; ++i) text += fmt::format(" {:02x}", code[i]);
    text += available == 0 ? " not readable\n"
                           : fmt::format("   {}\n", disassemble({code, available}, rip, s.code_bits()));

    const mmu::PagingRegisters regs = core_.paging_registers();
    const uint64_t stack = s.gpr(kRsp) + (s.code64() ? 0 : s.segment(kSs).base);
    text += fmt::format("stack at {:x}:", stack);
    for (uint64_t i = 0; i < 8; ++i) {
        const auto translation = core_.mmu().probe(VirtAddr(stack + 8 * i), regs);
        if (!translation || core_.ram().at(translation->pa, 8) == nullptr) {
            text += " not readable";
            break;
        }
        text += fmt::format(" {:016x}", core_.ram().read<uint64_t>(translation->pa));
    }
    return text + "\n";
}

std::string Cpu::audit_engine_tlb() {
    constexpr unsigned kDescribed = 8, kUserMode = 1;
    std::string text;
    unsigned violations = 0;
    const mmu::PagingRegisters regs = core_.paging_registers();
    EngineTlb(core_.state()).for_each([&](const EngineTlbEntry& entry) {
        const auto permissions = static_cast<mmu::Permissions>((entry.read ? mmu::kMayRead : 0) |
                                                               (entry.write ? mmu::kMayWrite : 0) |
                                                               (entry.fetch ? mmu::kMayExecute : 0));
        // The views of RAM fold back onto their frames.
        const PhysAddr frame(entry.pa & ~uint64_t{kPageOffsetMask} & (bit(kPhysicalBits) - 1));
        const auto wrong = core_.mmu().audit_engine_entry(VirtAddr(entry.va), frame, permissions,
                                                          entry.mode == kUserMode, regs);
        if (wrong && violations++ < kDescribed) text += *wrong + "\n";
    });
    if (violations > kDescribed) text += fmt::format("and {} more\n", violations - kDescribed);
    return text;
}

}  // namespace forkscope::cpu
