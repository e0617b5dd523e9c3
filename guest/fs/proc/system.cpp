// /proc/version, cpuinfo, cmdline, filesystems and devices: what the machine and this kernel are.
#include "guest/arch/cpu.hpp"
#include "guest/boot/cmdline.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/proc/root_files.hpp"
#include "guest/fs/special.hpp"
#include "guest/kernel/nsproxy.hpp"
#include "guest/lib/string.hpp"

namespace guest {

Result<> version_show(proc_text& m) {
    const abi::UtsName& name = current()->nsproxy->uts_ns->name;
    m.printf("%s version %s (forkscope) %s\n", name.sysname, name.release, name.version);
    return {};
}

Result<> kernel_cmdline_show(proc_text& m) {
    m.puts(saved_command_line());
    m.putc('\n');
    return {};
}

// None needs a device.
Result<> filesystems_show(proc_text& m) {
    for (size_t i = 0; const file_system_type* type = nth_filesystem(i); ++i)
        m.printf("nodev\t%s\n", type->name);
    return {};
}

Result<> devices_show(proc_text& m) {
    m.puts("Character devices:\n");
    for (uint32_t major = 0; major < kChrdevMajors; ++major) {
        if (const char* name = chrdev_name(major)) m.printf("%3u %s\n", major, name);
    }
    m.puts("\nBlock devices:\n");
    return {};
}

namespace {

// Intel SDM vol. 2A, "CPUID", table 3-8: feature bits of leaf 1, in Linux's names.
struct Flag {
    uint8_t bit;
    const char* name;
};
constexpr Flag kEdxFlags[] = {
    {0, "fpu"},  {1, "vme"},   {2, "de"},    {3, "pse"},   {4, "tsc"},    {5, "msr"},
    {6, "pae"},  {7, "mce"},   {8, "cx8"},   {9, "apic"},  {11, "sep"},   {12, "mtrr"},
    {13, "pge"}, {14, "mca"},  {15, "cmov"}, {16, "pat"},  {17, "pse36"}, {19, "clflush"},
    {23, "mmx"}, {24, "fxsr"}, {25, "sse"},  {26, "sse2"}, {28, "ht"},
};
constexpr Flag kEcxFlags[] = {
    {0, "pni"},     {1, "pclmulqdq"}, {9, "ssse3"},  {12, "fma"},    {13, "cx16"},
    {19, "sse4_1"}, {20, "sse4_2"},   {22, "movbe"}, {23, "popcnt"}, {25, "aes"},
    {26, "xsave"},  {28, "avx"},      {29, "f16c"},  {30, "rdrand"}, {31, "hypervisor"},
};
// Leaf 0x80000001, EDX.
constexpr Flag kExtendedFlags[] = {{11, "syscall"}, {20, "nx"}, {26, "pdpe1gb"}, {27, "rdtscp"}, {29, "lm"}};

template <size_t N>
void put_flags(seq_file& m, const Flag (&flags)[N], uint32_t word) {
    for (const Flag& flag : flags) {
        if ((word >> flag.bit & 1) != 0) m.printf(" %s", flag.name);
    }
}

void put_vendor(seq_file& m) {
    const CpuidWords words = cpuid(0);
    m.write(&words.ebx, 4);
    m.write(&words.edx, 4);
    m.write(&words.ecx, 4);
}

// "Processor Brand String": 48 bytes, padded with zeros.
void put_brand(seq_file& m) {
    if (cpuid(0x80000000).eax < 0x80000004) return m.puts("x86-64");
    char text[49] = {};
    for (uint32_t i = 0; i < 3; ++i) {
        const CpuidWords words = cpuid(0x80000002 + i);
        memcpy(text + 16 * i, &words, 16);
    }
    const char* begin = text;
    while (*begin == ' ') ++begin;
    m.puts(begin);
}

}  // namespace

Result<> cpuinfo_show(proc_text& m) {
    const CpuidWords leaf = cpuid(1);
    const uint32_t base_family = leaf.eax >> 8 & 0xf;
    const uint32_t family = base_family == 0xf ? base_family + (leaf.eax >> 20 & 0xff) : base_family;
    const uint32_t base_model = leaf.eax >> 4 & 0xf;
    const uint32_t model = base_family >= 6 ? base_model + (leaf.eax >> 12 & 0xf0) : base_model;
    m.puts("processor\t: 0\nvendor_id\t: ");
    put_vendor(m);
    m.printf("\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: ", family, model);
    put_brand(m);
    m.printf("\nstepping\t: %u\nphysical id\t: 0\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\n",
             leaf.eax & 0xf);
    m.printf("fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\nflags\t\t:", cpuid(0).eax);
    put_flags(m, kEdxFlags, leaf.edx);
    put_flags(m, kExtendedFlags, cpuid(0x80000001).edx);
    put_flags(m, kEcxFlags, leaf.ecx);
    m.puts("\nbogomips\t: 100.00\nclflush size\t: 64\ncache_alignment\t: 64\n");
    m.puts("address sizes\t: 40 bits physical, 48 bits virtual\npower management:\n\n");
    return {};
}

// There are neither disks nor swap: headings alone.
Result<> partitions_show(proc_text& m) {
    m.puts("major minor  #blocks  name\n\n");
    return {};
}

Result<> swaps_show(proc_text& m) {
    m.puts("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
    return {};
}

}  // namespace guest
