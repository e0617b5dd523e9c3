// Bringing up one CPU: GDT, TSS, IDT, control registers, the SYSCALL entry and the per-CPU block.
#include "guest/arch/cpu.hpp"

#include "guest/arch/irqflags.hpp"
#include "guest/arch/percpu.hpp"
#include "guest/arch/segment.hpp"
#include "guest/arch/thread.hpp"

extern "C" {
extern char interrupt_stubs[];
extern char init_stack[];
void entry_SYSCALL_64();
bool cpu_has_smap = false;
}

namespace guest {

bool cpu_has_smep = false;
extern task_struct init_task;
extern mm_struct init_mm;

namespace {

constexpr uint64_t kStubSize = 16;
constexpr uint64_t kIstSize = 4096;

// Intel SDM vol. 3A, 7.7 "Task Management in 64-bit Mode", figure 7-11.
struct [[gnu::packed]] Tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map_base;
};
static_assert(sizeof(Tss) == 104);

// Intel SDM vol. 3A, 6.14.1 "64-Bit Mode IDT".
struct Gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t ist;
    uint8_t type;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};
static_assert(sizeof(Gate) == 16);

struct [[gnu::packed]] TablePointer {
    uint16_t limit;
    const void* base;
};

constexpr uint8_t kInterruptGate = 0x8e;      // present, DPL 0
constexpr uint8_t kInterruptGateUser = 0xee;  // present, DPL 3: INT3 and INTO
constexpr unsigned kVectors = 256;

// What a CPU needs that never moves.
struct CpuTables {
    uint64_t gdt[10] = {
        0,
        0,
        0x00af9b000000ffff,  // 0x10 kernel code, 64-bit
        0x00cf93000000ffff,  // 0x18 kernel data
        0x00cffb000000ffff,  // 0x20 user code, 32-bit
        0x00cff3000000ffff,  // 0x28 user data
        0x00affb000000ffff,  // 0x30 user code, 64-bit
        0,
        0,  // 0x40 TSS, two slots
        0,
    };
    Tss tss{};
    alignas(16) char ist_stacks[3][kIstSize]{};
};

constinit CpuTables cpu_tables;
constinit PerCpu boot_cpu{};
alignas(16) constinit Gate idt[kVectors]{};

void set_gate(unsigned vector, uint8_t type, uint8_t ist) {
    const auto handler = reinterpret_cast<uint64_t>(interrupt_stubs) + vector * kStubSize;
    idt[vector] =
        Gate{static_cast<uint16_t>(handler),       kKernelCs, ist, type, static_cast<uint16_t>(handler >> 16),
             static_cast<uint32_t>(handler >> 32), 0};
}

void load_descriptor_tables(CpuTables& tables) {
    const auto base = reinterpret_cast<uint64_t>(&tables.tss);
    const uint64_t limit = sizeof(Tss) - 1;
    tables.tss.io_map_base = sizeof(Tss);  // beyond the limit: no port is open to programs
    tables.gdt[8] =
        (limit & 0xffff) | ((base & 0xffffff) << 16) | (uint64_t{0x89} << 40) | (((base >> 24) & 0xff) << 56);
    tables.gdt[9] = base >> 32;
    const TablePointer gdt_pointer{sizeof(tables.gdt) - 1, tables.gdt};
    asm volatile("lgdt %0" : : "m"(gdt_pointer));
    asm volatile("ltr %w0" : : "r"(kTssSelector));
    const TablePointer idt_pointer{sizeof(idt) - 1, idt};
    asm volatile("lidt %0" : : "m"(idt_pointer));
}

void enable_features() {
    uint64_t cr0 = read_cr0();
    cr0 &= ~(kCr0Em | kCr0Ts | kCr0Am);
    cr0 |= kCr0Mp | kCr0Ne | kCr0Wp;
    write_cr0(cr0);
    const bool has_leaf_7 = cpuid(0).eax >= 7;
    const uint32_t features = has_leaf_7 ? cpuid(7).ebx : 0;
    cpu_has_smep = (features & (1u << 7)) != 0;
    cpu_has_smap = (features & (1u << 20)) != 0;
    uint64_t cr4 = read_cr4() | kCr4OsFxsr | kCr4OsXmmExcpt | kCr4Pge;
    if (cpu_has_smep) cr4 |= kCr4Smep;
    if (cpu_has_smap) cr4 |= kCr4Smap;
    write_cr4(cr4);
    asm volatile("fninit");
}

void set_up_syscall() {
    wrmsr(kMsrEfer, rdmsr(kMsrEfer) | kEferSce);
    // SYSCALL loads CS from bits 47..32; SYSRET takes CS = bits 63..48 + 16, SS = + 8.
    wrmsr(kMsrStar, (uint64_t{kUser32Cs} << 48) | (uint64_t{kKernelCs} << 32));
    wrmsr(kMsrLstar, reinterpret_cast<uint64_t>(entry_SYSCALL_64));
    wrmsr(kMsrSyscallMask, kFlagsIf | kFlagsTf | kFlagsDf | kFlagsNt | kFlagsAc | kFlagsIopl | kFlagsRf);
}

}  // namespace

void set_kernel_stack(uint64_t top) {
    cpu_tables.tss.rsp[0] = top;
    this_cpu().kernel_stack = top;
}

void cpu_init(uint32_t cpu) {
    boot_cpu.self = &boot_cpu;
    boot_cpu.cpu = cpu;
    boot_cpu.current = &init_task;
    boot_cpu.active_mm = &init_mm;
    wrmsr(kMsrGsBase, reinterpret_cast<uint64_t>(&boot_cpu));
    wrmsr(kMsrKernelGsBase, 0);

    for (unsigned i = 0; i < 3; ++i) {
        cpu_tables.tss.ist[i] = reinterpret_cast<uint64_t>(cpu_tables.ist_stacks[i]) + kIstSize;
    }
    for (unsigned vector = 0; vector < kVectors; ++vector) set_gate(vector, kInterruptGate, 0);
    set_gate(2, kInterruptGate, 1);
    set_gate(3, kInterruptGateUser, 0);
    set_gate(4, kInterruptGateUser, 0);
    set_gate(8, kInterruptGate, 2);
    set_gate(18, kInterruptGate, 3);
    load_descriptor_tables(cpu_tables);
    enable_features();
    set_up_syscall();
    set_kernel_stack(reinterpret_cast<uint64_t>(init_stack) + kThreadSize);
}

}  // namespace guest
