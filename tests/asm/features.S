# What CPUID offers, and what it does not (Intel SDM vol. 2, "CPUID" and each instruction's #UD; vol. 1, chapter 13 "XSAVE";
# for what differs, AMD APM vol. 3).
    .include "harness64.inc"

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
