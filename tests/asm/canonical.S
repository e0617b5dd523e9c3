# Addresses that are not canonical (Intel SDM vol. 3, 6.15 "#SS", "#GP"; vol. 1, 3.3.7.1).
    .include "harness64.inc"

# Handlers of what a bad RSP brings get a stack of their own.
    .macro own_stack
    .irp vector, 8, 12, 13
    movb $1, idt+16*\vector+4
    .endr
    .endm

    fact canonical_load, "#GP(0) +0"
    movabsq $0x800000000000, %rax
9:  movq (%rax), %rcx
    end_fact
    fact canonical_store, "#GP(0) +0"
    movabsq $0xffff7fffffffffff, %rax
9:  movb %cl, (%rax)
    end_fact
    fact canonical_by_rbp, "#SS(0) +0"
    movabsq $0x800000000000, %rbp
9:  movq (%rbp), %rcx
    end_fact
    qemu_says "#GP(0) +0", "QEMU raises #GP for stack references too"
    fact canonical_by_rsp, "#SS(0) +0"
    own_stack
    movabsq $0x800000000000, %rsp
9:  movq 8(%rsp), %rcx
    end_fact
    qemu_says "#GP(0) +0", "QEMU raises #GP for stack references too"
    fact canonical_by_r13, "#GP(0) +0"            # vol. 1, 3.7.4: SS is the default of RBP and RSP alone
    movabsq $0x800000000000, %r13
9:  movq (%r13), %rcx
    end_fact
    fact canonical_push, "#SS(0) +0 rsp=800000000008"
    own_stack
    movabsq $0x800000000008, %rsp
    resume 1f
9:  pushq %rax
1:  movq last_rsp, %rax
    movq $stack_top, %rsp
    show rsp, %rax
    end_fact
    qemu_says "#GP(0) +0 rsp=800000000008", "QEMU raises #GP for stack references too"
    fact canonical_pop, "#SS(0) +0"
    own_stack
    movabsq $0x800000000000, %rsp
9:  popq %rax
    end_fact
    qemu_says "#GP(0) +0", "QEMU raises #GP for stack references too"
    fact canonical_call, "#SS(0) +0"
    own_stack
    movabsq $0x900000000000, %rsp
9:  call 1f
1:  end_fact
    qemu_says "#GP(0) +0", "QEMU raises #GP for stack references too"
    fact canonical_fs, "#GP(0) +0"
    movl $0xc0000100, %ecx
    movl $0x7fff, %edx
    wrmsr
    movabsq $0x1000000000000, %rax
9:  movq %fs:(%rax), %rcx
    end_fact
    fact canonical_jump, "#GP(0) +0"              # vol. 2, "JMP": the target is checked first
    movabsq $0x800000000000, %rax
9:  jmp *%rax
    end_fact
    qemu_says "#GP(0) @800000000000", "QEMU sets RIP and faults in the fetch"
    fact canonical_call_target, "#GP(0) +0"
    movabsq $0x800000000000, %rax
9:  call *%rax
    end_fact
    qemu_says "#GP(0) @800000000000", "QEMU sets RIP and faults in the fetch"
    fact canonical_return, "#GP(0) +0"            # vol. 2, "RET"
    movabsq $0x800000000000, %rax
    pushq %rax
9:  ret
    end_fact
    qemu_says "#GP(0) @800000000000", "QEMU sets RIP and faults in the fetch"
    fact canonical_lea, "ok"
    movabsq $0x800000000000, %rax
9:  leaq (%rax), %rcx
    end_fact
