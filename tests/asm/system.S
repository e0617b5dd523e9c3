# Control registers, model-specific registers, SYSCALL (Intel SDM vol. 3, 2.5 "Control Registers"; vol. 2, "MOV-Move
# to/from Control Registers", "SYSCALL", "SYSRET"; where the vendors differ, AMD APM vol. 2 and 3).
    .include "harness64.inc"

    .set MSR_PAT, 0x277
    .set MSR_EFER, 0xc0000080
    .set MSR_STAR, 0xc0000081
    .set MSR_LSTAR, 0xc0000082
    .set MSR_CSTAR, 0xc0000083
    .set MSR_FMASK, 0xc0000084
    .set MSR_FS_BASE, 0xc0000100
    .set MSR_GS_BASE, 0xc0000101
    .set MSR_KERNEL_GS_BASE, 0xc0000102

# ---- CR0.
    .macro write_cr0 name, line, set, clear=0
    fact cr0_\name, "\line"
    movq %cr0, %rax
    movabsq $\set, %rbx
    orq %rbx, %rax
    movabsq $~(\clear), %rbx
    andq %rbx, %rax
9:  movq %rax, %cr0
    end_fact
    .endm
    write_cr0 paging_without_protection, "#GP(0) +0", 0, 1
    qemu_says "ok", "QEMU checks little of CR0"
    write_cr0 nw_without_cd, "#GP(0) +0", 0x20000000
    qemu_says "ok", "QEMU checks little of CR0"
    write_cr0 cd_and_nw, "ok", 0x60000000
    write_cr0 upper_half, "#GP(0) +0", 1<<32
    qemu_says "ok", "QEMU checks little of CR0"
    write_cr0 top_bit, "#GP(0) +0", 1<<63
    qemu_says "ok", "QEMU checks little of CR0"
    write_cr0 leave_paging_in_64_bit_code, "#GP(0) +0", 0, 1<<31
    not_for_qemu "QEMU turns paging off and goes on in 64-bit code"
    fact cr0_et_stays, "et=10"
    movq %cr0, %rax
    andl $~0x10, %eax
    movq %rax, %cr0
    movq %cr0, %rax
    andl $0x10, %eax
    show et, %rax
    end_fact
    fact lmsw_sets_and_keeps_pe, "cr0=3b"
    movl $8, %eax
    lmsw %ax
    movq %cr0, %rax
    andl $0x3f, %eax
    orl $2, %eax
    show cr0, %rax
    end_fact
    fact clts, "ts=0"
    movq %cr0, %rax
    orq $8, %rax
    movq %rax, %cr0
    clts
    movq %cr0, %rax
    andl $8, %eax
    show ts, %rax
    end_fact
    fact smsw_word, "ax=abcd0033"                 # 16 bits leave the rest alone
    movl $0xabcd0000, %eax
    smsw %ax
    show ax, %rax
    end_fact

# ---- CR3: what lies above MAXPHYADDR is reserved.
    .macro write_cr3 name, line, bits
    fact cr3_\name, "\line"
    movq %cr3, %rax
    movabsq $\bits, %rbx
    orq %rbx, %rax
9:  movq %rax, %cr3
    end_fact
    .endm
    write_cr3 bit_51, "#GP(0) +0", 1<<51
    not_for_qemu "QEMU loads what memory does not have"
    write_cr3 bit_63_without_pcid, "#GP(0) +0", 1<<63
    not_for_qemu "QEMU loads what memory does not have"
    write_cr3 pwt_pcd, "ok", PWT+PCD
    write_cr3 low_bits, "ok", 7

# ---- CR4.
    .macro write_cr4 name, line, set, clear=0
    fact cr4_\name, "\line"
    movq %cr4, %rax
    movabsq $\set, %rbx
    orq %rbx, %rax
    movabsq $~(\clear), %rbx
    andq %rbx, %rax
9:  movq %rax, %cr4
    end_fact
    .endm
    .irp n, 12, 13, 14, 15, 17, 19, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 63
    write_cr4 bit_\n, "#GP(0) +0", 1<<\n
    not_for_qemu "QEMU takes most, stays at the instruction for ever with others, turns 5-level paging on with bit 12"
    .endr
    write_cr4 pae_off_in_long_mode, "#GP(0) +0", 0, 1<<5
    not_for_qemu "QEMU leaves long mode by half"
    write_cr4 all_old_ones, "ok", 0x7df
    write_cr4 smep_smap, "ok", 0x300000
    write_cr4 fsgsbase, "ok", 0x10000
    write_cr4 osxsave, "ok", 0x40000
    fact cr4_osxsave_in_cpuid, "before=0 after=1"
    movl $1, %eax
    cpuid
    shrl $27, %ecx
    andl $1, %ecx
    show before, %rcx
    movq %cr4, %rax
    btsq $18, %rax
    movq %rax, %cr4
    movl $1, %eax
    cpuid
    shrl $27, %ecx
    andl $1, %ecx
    show after, %rcx
    end_fact

# ---- CR8: the local APIC's task priority (vol. 3, 11.8.6).
    fact cr8_write_and_read, "cr8=5"
    movl $5, %eax
    movq %rax, %cr8
    xorl %eax, %eax
    movq %cr8, %rax
    show cr8, %rax
    xorl %ecx, %ecx
    movq %rcx, %cr8
    end_fact
    fact cr8_sets_tpr, "tpr=a0"
    movl $0xa, %eax
    movq %rax, %cr8
    movl $0xfee00080, %ebx
    movl (%rbx), %eax
    show tpr, %rax
    xorl %ecx, %ecx
    movq %rcx, %cr8
    end_fact
    fact cr8_reads_tpr, "cr8=7"
    movl $0xfee00080, %ebx
    movl $0x73, (%rbx)
    movq %cr8, %rax
    show cr8, %rax
    movl $0, (%rbx)
    end_fact
    fact cr8_too_large, "#GP(0) +0"
    movl $16, %eax
9:  movq %rax, %cr8
    end_fact
    qemu_says "ok", "QEMU takes any value"

# ---- EFER.
    .macro write_efer name, line, set, clear=0, high=0
    fact efer_\name, "\line"
    movl $MSR_EFER, %ecx
    rdmsr
    orl $\set, %eax
    andl $~(\clear), %eax
    orl $\high, %edx
9:  wrmsr
    end_fact
    .endm
    write_efer lme_off_with_paging, "#GP(0) +0", 0, 0x100
    write_efer bit_1, "#GP(0) +0", 2
    write_efer bit_9, "#GP(0) +0", 0x200
    write_efer bit_16, "#GP(0) +0", 0x10000
    write_efer bit_32, "#GP(0) +0", 0, 0, 1
    write_efer nxe_off, "ok", 0, 0x800
    qemu_says_of "ok", "QEMU ignores what EFER cannot take", efer_lme_off_with_paging, efer_bit_1, efer_bit_9, efer_bit_16, efer_bit_32
    fact efer_lma_is_set, "lma=400"
    movl $MSR_EFER, %ecx
    rdmsr
    andl $0x400, %eax
    show lma, %rax
    end_fact

# ---- Other registers: what is there, and what may be written to it.
    .macro write_msr name, line, msr, value
    fact msr_\name, "\line"
    movl $\msr, %ecx
    movabsq $\value, %rax
    movq %rax, %rdx
    shrq $32, %rdx
9:  wrmsr
    end_fact
    .endm
    .irp name, LSTAR, CSTAR, FS_BASE, GS_BASE, KERNEL_GS_BASE
    write_msr \name\()_not_canonical, "#GP(0) +0", MSR_\name, 0x800000000000
    write_msr \name\()_upper_half, "ok", MSR_\name, 0xffff800000000000
    .endr
    write_msr SYSENTER_EIP_not_canonical, "#GP(0) +0", 0x176, 0x800000000000
    write_msr SYSENTER_ESP_not_canonical, "#GP(0) +0", 0x175, 0x800000000000
    write_msr PAT_type_2, "#GP(0) +0", MSR_PAT, 0x0007040600070402
    write_msr PAT_types, "ok", MSR_PAT, 0x0007040600070406
    write_msr APIC_BASE_reserved, "#GP(0) +0", 0x1b, 0xfee00902
    qemu_says_of "ok", "QEMU takes any value", msr_LSTAR_not_canonical, msr_CSTAR_not_canonical, msr_FS_BASE_not_canonical
    qemu_says_of "ok", "QEMU takes any value", msr_GS_BASE_not_canonical, msr_KERNEL_GS_BASE_not_canonical, msr_PAT_type_2
    qemu_says_of "ok", "QEMU takes any value", msr_SYSENTER_EIP_not_canonical, msr_SYSENTER_ESP_not_canonical
    qemu_says_of "ok", "QEMU takes any value", msr_APIC_BASE_reserved
    fact msr_unknown_read, "#GP(0) +0"            # vol. 2, "RDMSR": "a reserved or unimplemented MSR address"
    movl $0x12345, %ecx
9:  rdmsr
    end_fact
    qemu_says "ok", "QEMU reads 0"
    fact msr_unknown_write, "#GP(0) +0"
    movl $0x12345, %ecx
9:  wrmsr
    end_fact
    qemu_says "ok", "QEMU ignores it"
    fact msr_read_is_zero_extended, "rax=1000 rdx=0"
    movl $MSR_FS_BASE, %ecx
    xorl %edx, %edx
    movl $0x1000, %eax
    wrmsr
    movq $-1, %rax
    movq $-1, %rdx
    rdmsr
    show rax, %rax
    show rdx, %rdx
    end_fact
    fact msr_upper_ecx_ignored, "eax=1000"
    movl $MSR_FS_BASE, %ecx
    xorl %edx, %edx
    movl $0x1000, %eax
    wrmsr
    movabsq $0x5555000000000000+MSR_FS_BASE, %rcx
    rdmsr
    show eax, %rax
    end_fact
    fact msr_tsc_write, "edx=1234"
    movl $0x10, %ecx
    movl $0x1234, %edx
    xorl %eax, %eax
    wrmsr
    rdtsc
    show edx, %rdx
    end_fact
    qemu_says "edx=0", "QEMU's counter cannot be set"
    fact msr_tsc_aux, "ecx=77"
    movl $0xc0000103, %ecx
    movl $0x77, %eax
    xorl %edx, %edx
    wrmsr
    xorl %ecx, %ecx
    rdtscp
    show ecx, %rcx
    end_fact

# ---- SYSCALL and SYSRET.
    .macro on_syscall label
    movq $\label, syscall_next
    .endm
    fact syscall_registers, "rcx=0 r11=ad7 rflags=2 cs=8 ss=10"
    on_syscall 1f
    movl $MSR_FMASK, %ecx
    movl $0x40ad5, %eax
    xorl %edx, %edx
    wrmsr
    pushq $0xad7
    popfq
    syscall
9:
1:  pushfq
    popq %rax
    subq $9b, %rcx
    show rcx, %rcx
    show r11, %r11
    show rflags, %rax
    movl %cs, %eax
    show cs, %rax
    movl %ss, %eax
    show ss, %rax
    end_fact
    fact syscall_from_user, "cs=8 ss=10 rsp=0 rcx=0"
    on_syscall 1f
    user 2f
2:  syscall
9:
1:  movl %cs, %eax
    show cs, %rax
    movl %ss, %eax
    show ss, %rax
    subq $stack_top, %rsp                         # the target has loaded it; SYSCALL itself does not
    movq %rsp, %rax
    movq $stack_top, %rsp
    show rsp, %rax
    subq $9b+USER, %rcx
    show rcx, %rcx
    end_fact
    fact syscall_not_enabled, "#UD +0"
    movl $MSR_EFER, %ecx
    rdmsr
    andl $~1, %eax
    wrmsr
9:  syscall
    end_fact
    fact sysret_not_enabled, "#UD +0"
    movl $MSR_EFER, %ecx
    rdmsr
    andl $~1, %eax
    wrmsr
9:  sysretq
    end_fact
    fact sysret_from_user, "#GP(0) +0"
    user 9f
9:  sysretq
    end_fact
    fact sysret_64, "cs=2b ss=23 rflags=ed7"
    movq $1f+USER, %rcx
    movl $0x10fd7&~0x100, %r11d                   # RF is cleared
    resume 2f
    sysretq
1:  leave
2:  show cs, last_cs
    show ss, last_ss
    movq last_rflags, %rax
    show rflags, %rax
    end_fact
    qemu_says "cs=2b ss=23 rflags=10ed7", "QEMU's SYSRET loads RF"
    fact sysret_32, "cs=1b ss=23 rax=77"
    movl $1f+USER, %ecx
    movl $2, %r11d
    resume 2f
    sysretl
    .code32
1:  .byte 0x40
    movl $0x77, %eax
    leave
    .code64
2:  show cs, last_cs
    show ss, last_ss
    show rax, %rax
    end_fact
    fact sysret_vm_is_cleared, "rflags=2"
    movq $1f+USER, %rcx
    movl $0x20002, %r11d
    resume 2f
    sysretq
1:  leave
2:  show rflags, last_rflags
    end_fact
    qemu_says "#GP(0) +1c rflags=20002", "QEMU's SYSRET loads VM"
    fact sysret_not_canonical, "#GP(0) @800000000000 cs=2b"     # APM vol. 3, "SYSRET": AMD faults at the target, Intel at SYSRET
    movabsq $0x800000000000, %rcx
    movl $2, %r11d
    resume 1f
    sysretq
1:  show cs, last_cs
    end_fact
    fact syscall_from_compatibility_mode, "cs=8 rcx=0 target=cstar"     # APM vol. 2, 6.1.1: by CSTAR
    movl $MSR_CSTAR, %ecx
    movl $1f, %eax
    xorl %edx, %edx
    wrmsr
    user32 2f
    .code32
2:  syscall
9:
    .code64
1:  movq $stack_top, %rsp
    movl %cs, %eax
    show cs, %rax
    subq $9b+USER, %rcx
    show rcx, %rcx
    say "target=cstar"
    end_fact
    fact sysenter_in_long_mode, "#UD +0"          # APM vol. 3, "SYSENTER": AMD has it in legacy mode only
    movl $0x174, %ecx
    movl $8, %eax
    xorl %edx, %edx
    wrmsr
9:  sysenter
    end_fact
    fact sysexit_in_long_mode, "#UD +0"
9:  sysexitl
    end_fact
