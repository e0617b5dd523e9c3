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

# ---- What CPUID does not offer does not exist (vol. 2, each instruction's #UD).
    .macro absent name, bytes:vararg
    fact absent_\name, "#UD +0"
9:  .byte \bytes
    end_fact
    .endm
    absent vmcall, 0x0f, 0x01, 0xc1
    absent vmlaunch, 0x0f, 0x01, 0xc2
    absent vmmcall, 0x0f, 0x01, 0xd9
    absent vmrun, 0x0f, 0x01, 0xd8
    absent vmload, 0x0f, 0x01, 0xda
    absent stgi, 0x0f, 0x01, 0xdc
    absent clgi, 0x0f, 0x01, 0xdd
    absent skinit, 0x0f, 0x01, 0xde
    absent invlpga, 0x0f, 0x01, 0xdf
    absent vmread, 0x0f, 0x78, 0xc0
    absent getsec, 0x0f, 0x37
    absent rsm, 0x0f, 0xaa
    absent invpcid, 0x66, 0x0f, 0x38, 0x82, 0x04, 0x24
    absent encls, 0x0f, 0x01, 0xcf
    absent rdpkru, 0x0f, 0x01, 0xee
    absent wrfsbase_without_cr4, 0xf3, 0x48, 0x0f, 0xae, 0xd0
    absent xgetbv_without_cr4, 0x0f, 0x01, 0xd0
    absent xsetbv_without_cr4, 0x0f, 0x01, 0xd1
    absent xsave_without_cr4, 0x0f, 0xae, 0x24, 0x24
    absent vex_without_avx, 0xc5, 0xf8, 0x57, 0xc0
    absent vex_256_without_avx, 0xc5, 0xfc, 0x57, 0xc0
    absent xabort, 0xc6, 0xf8, 0
    absent xbegin, 0xc7, 0xf8, 0, 0, 0, 0
    absent ptwrite, 0xf3, 0x0f, 0xae, 0xe0

    qemu_says_of "ok", "QEMU knows it without CPUID", absent_xabort, absent_xbegin
    known_of "ok", "the engine knows it without CPUID, and calls nobody", absent_xabort, absent_xbegin
    known_of "ok", "the engine runs 128-bit VEX forms as SSE", absent_vex_without_avx

    fact fsgsbase, "rax=123456789000"
    movl $BASE_CR4+0x10000, %eax
    movq %rax, %cr4
    movabsq $0x123456789000, %rbx
    wrfsbase %rbx
    rdfsbase %rax
    show rax, %rax
    end_fact
    fact fsgsbase_not_canonical, "#GP(0) +0"
    movl $BASE_CR4+0x10000, %eax
    movq %rax, %cr4
    movabsq $0x800000000000, %rbx
9:  wrgsbase %rbx
    end_fact
    qemu_says "ok", "QEMU takes any base"
    known "ok", "the engine takes any base, and WRGSBASE reaches no hook"

# ---- XSAVE and XCR0 (vol. 1, chapter 13).
    .macro osxsave
    movl $BASE_CR4+0x40000, %eax
    movq %rax, %cr4
    .endm
    .macro write_xcr0 name, line, eax, ecx=0
    fact xsetbv_\name, "\line"
    osxsave
    movl $\ecx, %ecx
    movl $\eax, %eax
    xorl %edx, %edx
9:  xsetbv
    end_fact
    .endm
    write_xcr0 x87, "ok", 1
    write_xcr0 x87_sse, "ok", 3
    write_xcr0 without_x87, "#GP(0) +0", 2
    write_xcr0 avx_without_sse, "#GP(0) +0", 5
    write_xcr0 unknown_component, "#GP(0) +0", 0x40000003
    write_xcr0 unknown_register, "#GP(0) +0", 1, 5
    fact xgetbv_after_reset, "rax=3 rdx=0"
    osxsave
    movl $3, %eax
    xorl %ecx, %ecx
    xorl %edx, %edx
    xsetbv
    movl $-1, %edx
    xgetbv
    show rax, %rax
    show rdx, %rdx
    end_fact
    fact xgetbv_unknown, "#GP(0) +0"
    osxsave
    movl $5, %ecx
9:  xgetbv
    end_fact
    fact xsave_header, "mask=3"
    osxsave
    movl $3, %eax
    xorl %ecx, %ecx
    xorl %edx, %edx
    xsetbv
    fld1
    pcmpeqb %xmm0, %xmm0
    movl $3, %eax
    xsave FRAMES
    movq FRAMES+512, %rax
    show mask, %rax
    end_fact
    fact xsave_unaligned, "#GP(0) +0"
    osxsave
    movl $3, %eax
9:  xsave FRAMES+16
    end_fact
    fact xrstor_bad_header, "#GP(0) +0"           # bits of XSTATE_BV that XCR0 has not
    osxsave
    movl $3, %eax
    xsave FRAMES
    movq $0x40000000, FRAMES+512
9:  xrstor FRAMES
    end_fact
    fact xrstor_reserved_header, "#GP(0) +0"      # bytes 63:16 of the header... the second word of it must be 0
    osxsave
    movl $3, %eax
    xsave FRAMES
    movq $1, FRAMES+520
9:  xrstor FRAMES
    end_fact
    fact xrstor_initial_state, "xmm0=0"
    osxsave
    movl $3, %eax
    xorl %ecx, %ecx
    xorl %edx, %edx
    xsetbv
    pcmpeqb %xmm0, %xmm0
    movl $0x1f80, FRAMES+24
    movl $3, %eax
    xrstor FRAMES                                 # XSTATE_BV is 0: initial state
    movq %xmm0, %rax
    show xmm0, %rax
    end_fact

# ---- CPUID.
    fact cpuid_vendor, "AuthenticAMD"
    xorl %eax, %eax
    cpuid
    movl %ebx, FRAMES
    movl %edx, FRAMES+4
    movl %ecx, FRAMES+8
    movb $' ', FRAMES-1
    movq $FRAMES-1, %rsi
    call put_string
    end_fact
    fact cpuid_upper_halves, "rax=0 rbx=0 rcx=0 rdx=0"          # vol. 2, "CPUID": they are cleared
    .irp reg, rax, rbx, rcx, rdx
    movq $-1, %\reg
    .endr
    movl $0x80000008, %eax
    cpuid
    .irp reg, rax, rbx, rcx, rdx
    shrq $32, %\reg
    show \reg, %\reg
    .endr
    end_fact
    .macro feature name, line, leaf, register, bit
    fact cpuid_\name, "has=\line"
    movl $\leaf, %eax
    xorl %ecx, %ecx
    cpuid
    shrl $\bit, %\register
    andl $1, %\register
    movl %\register, %eax
    show has, %rax
    end_fact
    .endm
    feature fpu, 1, 1, edx, 0
    feature tsc, 1, 1, edx, 4
    feature msr, 1, 1, edx, 5
    feature pae, 1, 1, edx, 6
    feature cx8, 1, 1, edx, 8
    feature apic, 1, 1, edx, 9
    feature sep, 1, 1, edx, 11
    feature pge, 1, 1, edx, 13
    feature pat, 1, 1, edx, 16
    feature clflush, 1, 1, edx, 19
    feature fxsr, 1, 1, edx, 24
    feature sse2, 1, 1, edx, 26
    feature cx16, 1, 1, ecx, 13
    feature xsave, 1, 1, ecx, 26
    feature vmx, 0, 1, ecx, 5
    feature smep, 1, 7, ebx, 7
    feature smap, 1, 7, ebx, 20
    feature fsgsbase, 1, 7, ebx, 0
    feature invpcid, 0, 7, ebx, 10
    feature syscall, 1, 0x80000001, edx, 11
    feature nx, 1, 0x80000001, edx, 20
    feature 1gib_pages, 1, 0x80000001, edx, 26
    feature rdtscp, 1, 0x80000001, edx, 27
    feature long_mode, 1, 0x80000001, edx, 29
    feature lahf, 1, 0x80000001, ecx, 0
    fact cpuid_beyond_extended, "rax=0 rbx=0 rcx=0 rdx=0"        # APM vol. 3, "CPUID": a reserved function is all zero
    movl $0x8fffffff, %eax
    cpuid
    .irp reg, rax, rbx, rcx, rdx
    show \reg, %\reg
    .endr
    end_fact
    qemu_says "rax=7 rbx=240 rcx=340 rdx=0", "QEMU says the last basic leaf, as Intel would"
