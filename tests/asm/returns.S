# Far returns and IRET in long mode (Intel SDM vol. 2, "RET", "IRET").
    .include "harness64.inc"

    .set CODE64_NOT_PRESENT, 0x00af1b000000ffff
    .set CODE64_CONFORMING, 0x00af9f000000ffff
    .set CODE64_AND_32, 0x00ef9b000000ffff
    .set DATA_READ_ONLY, 0x00cf91000000ffff
    .set DATA_NOT_PRESENT, 0x00cf13000000ffff

# ---- RETF.
    .macro return name, line, cs, ss=0x10, value=0
    fact retf_\name, "\line"
    .if \value
    descriptor SLOT, \value
    .endif
    movl $USER_DATA, %eax
    movl %eax, %es
    pushq $\ss
    pushq $USER+user_stack_top
    pushq $\cs
    pushq $1f+USER
9:  lretq
1:  movl %cs, %eax
    resume_user 2f
    leave
2:  show cs, %rax
    end_fact
    .endm
    return outer, "cs=2b", USER_CODE64, USER_DATA
    return null, "#GP(0) +0", 0
    return null_rpl_3, "#GP(0) +0", 3
    return data, "#GP(20) +0", USER_DATA
    return outer_dpl_0, "#GP(8) +0", CODE64+3, USER_DATA
    return outer_null_stack, "#GP(0) +0", USER_CODE64, 0
    return outer_kernel_stack, "#GP(10) +0", USER_CODE64, DATA0
    return outer_stack_rpl_0, "#GP(20) +0", USER_CODE64, 0x20
    return outer_stack_code, "#GP(28) +0", USER_CODE64, USER_CODE64
    return outer_stack_not_present, "#SS(60) +0", USER_CODE64, SLOT+3, 0x00cf73000000ffff
    qemu_says "#NP(60) +0", "QEMU says #NP for a stack too"
    return not_present, "#NP(60) +0", SLOT, DATA0, CODE64_NOT_PRESENT
    fact retf_inner, "#GP(8) +0"
    user 1f
1:  pushq $CODE64
    pushq $9f+USER
9:  lretq
    end_fact
    fact retf_pops_more, "rsp=10"
    pushq $0x11
    pushq $0x22
    pushq $CODE64
    pushq $1f
    movq %rsp, %rbx
    lretq $8
1:  subq %rsp, %rbx
    negq %rbx
    subq $8, %rbx
    show rsp, %rbx
    end_fact
    fact retf_outer_nulls_segments, "ds=0 es=23"  # vol. 2, "RET": what the new CPL may not use
    movl $USER_DATA, %eax
    movl %eax, %es
    pushq $USER_DATA
    pushq $USER+user_stack_top
    pushq $USER_CODE64
    pushq $1f+USER
    resume 2f
    lretq
1:  movl %ds, %eax
    movl %es, %ebx
    leave
2:  show ds, %rax
    show es, %rbx
    end_fact

# ---- IRETQ.
    .macro interrupt_return name, line, cs, ss, rsp, rflags=2, value=0
    fact iret_\name, "\line"
    .if \value
    descriptor SLOT, \value
    .endif
    pushq $\ss
    pushq $\rsp
    pushq $\rflags
    pushq $\cs
    pushq $1f+USER
9:  iretq
1:  end_fact
    .endm
    interrupt_return null, "#GP(0) +0", 0, DATA0, stack_top
    interrupt_return null_rpl_3, "#GP(0) +0", 3, DATA0, stack_top
    interrupt_return data, "#GP(10) +0", DATA0, DATA0, stack_top
    interrupt_return kernel_code_rpl_3, "#GP(8) +0", CODE64+3, USER_DATA, stack_top
    interrupt_return user_code_rpl_0, "#GP(28) +0", 0x28, DATA0, stack_top
    interrupt_return not_present, "#NP(60) +0", SLOT, DATA0, stack_top, 2, CODE64_NOT_PRESENT
    interrupt_return beyond_table, "#GP(100) +0", 0x100, DATA0, stack_top
    interrupt_return tss, "#GP(30) +0", TSS, DATA0, stack_top
    interrupt_return 64_and_32, "#GP(60) +0", SLOT, DATA0, stack_top, 2, CODE64_AND_32
    qemu_says "ok", "QEMU does not look at D where L is set"
    known "ok", "the engine does not look at D where L is set, and a far transfer reaches no hook"
    interrupt_return user_null_stack, "#GP(0) +0", USER_CODE64, 0, stack_top
    interrupt_return user_null_stack_rpl_3, "#GP(0) +0", USER_CODE64, 3, stack_top
    interrupt_return user_kernel_stack, "#GP(10) +0", USER_CODE64, DATA0, stack_top
    interrupt_return user_stack_rpl_0, "#GP(20) +0", USER_CODE64, 0x20, stack_top
    interrupt_return user_stack_not_present, "#SS(60) +0", USER_CODE64, SLOT+3, stack_top, 2, 0x00cf73000000ffff
    qemu_says "#NP(60) +0", "QEMU says #NP for a stack too"
    interrupt_return user_stack_read_only, "#GP(60) +0", USER_CODE64, SLOT+3, stack_top, 2, 0x00cff1000000ffff
    interrupt_return kernel_stack_dpl_3, "#GP(20) +0", CODE64, USER_DATA, stack_top
    fact iret_kernel_null_stack, "ss=0"           # allowed in 64-bit mode below CPL 3
    pushq $0
    pushq $stack_top
    pushq $2
    pushq $CODE64
    pushq $1f
9:  iretq
1:  movl %ss, %eax
    show ss, %rax
    end_fact
    fact iret_nt, "#GP(0) +0"                     # vol. 2, "IRET": NT in long mode
    pushq $0x4002
    popfq
    pushq $DATA0
    pushq $stack_top
    pushq $2
    pushq $CODE64
    pushq $1f
9:  iretq
1:  end_fact
    fact iret_not_canonical, "#GP(0) +0"
    pushq $DATA0
    pushq $stack_top
    pushq $2
    pushq $CODE64
    movabsq $0x800000000000, %rax
    pushq %rax
9:  iretq
    end_fact
    qemu_says "#GP(0) @800000000000", "QEMU returns and faults in the fetch"
    known "#GP(0) @800000000000", "the engine has returned when the fetch is refused"
    fact iret_same_pops_stack, "rsp=1230"         # in 64-bit mode SS:RSP is popped always
    pushq $DATA0
    pushq $0x1230
    pushq $2
    pushq $CODE64
    pushq $1f
    iretq
1:  movq %rsp, %rax
    movq $stack_top, %rsp
    show rsp, %rax
    end_fact
    fact iret_flags_kernel, "rflags=47fd7"        # all that can be: but VM, VIF, VIP and reserved bits
    pushq $DATA0
    pushq $stack_top
    pushq $0x247fd7|0
    andl $0x47ed7, (%rsp)
    orl $0x100, (%rsp)
    andl $~0x100, (%rsp)
    orl $0x3000, (%rsp)
    pushq $CODE64
    pushq $1f
    iretq
1:  pushfq
    popq %rax
    pushq $2
    popfq
    orl $0x100, %eax
    show rflags, %rax
    end_fact
    fact iret_flags_user, "rflags=cd7"            # CPL 3 with IOPL 0 changes neither IF nor IOPL
    resume 2f
    user 1f
1:  pushq $USER_DATA
    pushq $USER+user_stack_top
    pushq $0x3ed7
    pushq $USER_CODE64
    pushq $3f+USER
    iretq
3:  pushfq
    popq %rax
    leave
2:  show rflags, %rax
    end_fact
    fact iret_from_user_inner, "#GP(8) +0"
    user 1f
1:  pushq $DATA0
    pushq $stack_top
    pushq $2
    pushq $CODE64
    pushq $9f
9:  iretq
    end_fact
    fact iret_nulls_segments, "ds=0 es=23"
    movl $USER_DATA, %eax
    movl %eax, %es
    resume 2f
    user 1f
1:  movl %ds, %eax
    movl %es, %ebx
    leave
2:  show ds, %rax
    show es, %rbx
    end_fact
    fact iret_to_compatibility_mode, "cs=1b rax=77"
    resume 2f
    user32 1f
    .code32
1:  movl %cs, %ebx
    .byte 0x40                                    # INC EAX
    movl $0x77, %eax
    leave
    .code64
2:  show cs, %rbx
    show rax, %rax
    end_fact
    fact iret_32_bit_operands, "ss=10 rsp=1230"
    pushq $DATA0
    subq $4, %rsp
    movl $DATA0, 16-8(%rsp)
    subq $16, %rsp
    movl $1f, (%rsp)
    movl $CODE64, 4(%rsp)
    movl $2, 8(%rsp)
    movl $0x1230, 12(%rsp)
    movl $DATA0, 16(%rsp)
    iretl
1:  movq %rsp, %rbx
    movq $stack_top, %rsp
    movl %ss, %eax
    show ss, %rax
    show rsp, %rbx
    end_fact
    fact iret_sets_rf, "#UD +0 rf=10000"          # the popped RF stands until an instruction is done
    pushq $DATA0
    pushq $stack_top
    pushq $0x10002
    pushq $CODE64
    pushq $9f
    resume 1f
    iretq
9:  ud2
1:  movl last_rflags, %eax
    andl $0x10000, %eax
    show rf, %rax
    end_fact
    fact iret_vm_in_long_mode, "rflags=2"         # VM is not loaded in IA-32e mode
    pushq $DATA0
    pushq $stack_top
    pushq $0x20002
    pushq $CODE64
    pushq $1f
    iretq
1:  pushfq
    popq %rax
    show rflags, %rax
    end_fact
