# Where Intel's processors differ from AMD's (Intel SDM vol. 2, "SYSENTER", "SYSEXIT", "SYSCALL", "SYSRET", "CPUID", "JMP");
# run with -cpu intel.
    .include "harness64.inc"

    .macro sysenter_msrs cs, eip, esp=stack_top
    xorl %edx, %edx
    movl $0x174, %ecx
    movl $\cs, %eax
    wrmsr
    movl $0x175, %ecx
    movl $\esp, %eax
    wrmsr
    movl $0x176, %ecx
    movl $\eip, %eax
    wrmsr
    .endm

    fact sysenter_from_user, "cs=8 ss=10 rsp=0 rflags=86"
    sysenter_msrs CODE64, 1f
    user 2f, 0x286
2:  sysenter
1:  pushfq
    popq %rbx
    movl %cs, %eax
    show cs, %rax
    movl %ss, %eax
    show ss, %rax
    movq %rsp, %rax
    subq $stack_top, %rax
    show rsp, %rax
    show rflags, %rbx
    end_fact
    fact sysenter_from_compatibility_mode, "cs=8 rax=5"  # into 64-bit mode
    sysenter_msrs CODE64, 1f
    user32 2f
    .code32
2:  movl $5, %eax
    sysenter
    .code64
1:  movl %cs, %ebx
    show cs, %rbx
    rex.w nop
    show rax, %rax
    end_fact
    fact sysenter_null, "#GP(0) +0"
    sysenter_msrs 0, 1f
9:  sysenter
1:  end_fact
    fact sysenter_null_rpl, "#GP(0) +0"
    sysenter_msrs 3, 1f
9:  sysenter
1:  end_fact
    qemu_says "ok", "QEMU does not mask RPL"
    fact sysexit_32, "cs=1b ss=23 rsp=1230 rax=77"
    sysenter_msrs CODE64, 1f
    movl $1f+USER, %edx
    movl $0x1230, %ecx
    resume 2f
    sysexitl
    .code32
1:  .byte 0x40
    movl $0x77, %eax
    leave
    .code64
2:  show cs, last_cs
    show ss, last_ss
    show rsp, last_rsp
    show rax, %rax
    end_fact
    fact sysexit_64, "cs=2b ss=33"                # CS + 32, SS + 40
    sysenter_msrs CODE64, 1f
    movq $1f+USER, %rdx
    movl $USER+user_stack_top, %ecx
    resume 2f
    rex.w sysexit
1:  leave
2:  show cs, last_cs
    show ss, last_ss
    end_fact
    fact sysexit_null, "#GP(0) +0"
    sysenter_msrs 0, 1f
9:  sysexitl
1:  end_fact
    fact sysexit_from_user, "#GP(0) +0"
    sysenter_msrs CODE64, 1f
    user 9f
9:  sysexitl
1:  end_fact
    fact sysexit_not_canonical, "#GP(0) +0"
    sysenter_msrs CODE64, 1f
    movabsq $0x800000000000, %rdx
9:  rex.w sysexit
1:  end_fact
    qemu_says "#GP(0) @800000000000", "QEMU leaves and faults in the fetch"
    known "#GP(0) @800000000000", "the engine leaves and faults in the fetch"
    fact syscall_from_compatibility_mode, "#UD +0"
    user32 9f
    .code32
9:  syscall
    .code64
    end_fact
    not_for_qemu "QEMU runs it as AMD's do, and ends"
    fact sysret_not_canonical, "#GP(0) +0 cs=8"
    movabsq $0x800000000000, %rcx
    movl $2, %r11d
    resume 1f
9:  sysretq
1:  show cs, last_cs
    end_fact
    qemu_says "#GP(0) @800000000000 cs=2b", "QEMU returns as AMD's do"
    known "#GP(0) @800000000000 cs=2b", "the engine returns as AMD's do"
    fact null_selector_clears_base, "eax=0"       # AMD's keep it
    movl $0xc0000101, %ecx
    xorl %edx, %edx
    movl $0x1234, %eax
    wrmsr
    xorl %eax, %eax
    movl %eax, %gs
    rdmsr
    show eax, %rax
    end_fact
    fact far_jump_64_bit_operand, "cs=8"
    movq $1f, FRAMES
    movw $CODE64, FRAMES+8
    rex.w ljmp *FRAMES
1:  movl %cs, %eax
    show cs, %rax
    end_fact
    fact far_jump_64_bit_not_canonical, "#GP(0) +0"
    movabsq $0x800000000000, %rax
    movq %rax, FRAMES
    movw $CODE64, FRAMES+8
9:  rex.w ljmp *FRAMES
    end_fact
    qemu_says "#GP(0) @800000000000", "QEMU jumps and faults in the fetch"
    known "#GP(0) @800000000000", "the engine jumps and faults in the fetch"
    fact lss_64, "rsp=1234 ss=10"
    movq $0x1234, FRAMES
    movw $DATA0, FRAMES+8
    movq %rsp, %rbx
    .byte 0x48, 0x0f, 0xb2, 0x24, 0x25            # LSS RSP, m16:64
    .long FRAMES
    movl %ss, %ecx
    xchgq %rbx, %rsp
    show rsp, %rbx
    show ss, %rcx
    end_fact
    qemu_says "rsp=1234 ss=0", "QEMU loads 32 bits as AMD's do"
    known "rsp=1234 ss=0", "the engine loads 32 bits as AMD's do"
    fact cpuid_vendor, "GenuineIntel"
    xorl %eax, %eax
    cpuid
    movl %ebx, FRAMES
    movl %edx, FRAMES+4
    movl %ecx, FRAMES+8
    movb $' ', FRAMES-1
    movq $FRAMES-1, %rsi
    call put_string
    end_fact
    fact cpuid_beyond_is_last_basic, "same=1"     # vol. 2, "CPUID"
    xorl %eax, %eax
    cpuid
    xorl %ecx, %ecx
    cpuid
    movl %ebx, %edi
    movl %eax, %ebp
    movl $0x7fffffff, %eax
    xorl %ecx, %ecx
    cpuid
    xorl %edx, %edx
    cmpl %eax, %ebp
    jne 1f
    cmpl %ebx, %edi
    jne 1f
    incl %edx
1:  show same, %rdx
    end_fact
