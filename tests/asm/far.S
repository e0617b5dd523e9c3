# Far jumps, calls, returns, call gates and IRET in long mode (Intel SDM vol. 3, 5.8 "Privilege Level Checking When
# Transferring Program Control Between Code Segments"; vol. 2, "JMP", "CALL", "RET", "IRET").
    .include "harness64.inc"

    .set CODE64_NOT_PRESENT, 0x00af1b000000ffff
    .set CODE64_CONFORMING, 0x00af9f000000ffff
    .set CODE64_AND_32, 0x00ef9b000000ffff
    .set DATA_READ_ONLY, 0x00cf91000000ffff
    .set DATA_NOT_PRESENT, 0x00cf13000000ffff

# A far pointer to `label` in FRAMES+0x100, and the jump or call through it. In 64-bit code the only form is indirect.
    .macro far name, line, instruction, selector, value=0
    fact \instruction\()_\name, "\line"
    .if \value
    descriptor SLOT, \value
    .endif
    movq $1f, FRAMES+0x100
    movw $\selector, FRAMES+0x104
9:  \instruction *FRAMES+0x100
1:  movl %cs, %eax
    show cs, %rax
    end_fact
    .endm
    .irp instruction, ljmp, lcall
    far same, "cs=8", \instruction, CODE64
    far null, "#GP(0) +0", \instruction, 0
    far null_rpl_3, "#GP(0) +0", \instruction, 3
    far data, "#GP(10) +0", \instruction, DATA0
    far user_code, "#GP(28) +0", \instruction, USER_CODE64
    far rpl_3, "#GP(8) +0", \instruction, CODE64+3
    far conforming, "cs=60", \instruction, SLOT, CODE64_CONFORMING
    far not_present, "#NP(60) +0", \instruction, SLOT, CODE64_NOT_PRESENT
    far 64_and_32, "#GP(60) +0", \instruction, SLOT, CODE64_AND_32
    qemu_says "cs=60", "QEMU does not look at D where L is set"
    known "cs=60", "the engine does not look at D where L is set, and a far transfer reaches no hook"
    far beyond_table, "#GP(100) +0", \instruction, 0x100
    far without_ldt, "#GP(c) +0", \instruction, 0xc
    far to_tss, "#GP(30) +0", \instruction, TSS    # no task switches in 64-bit mode (vol. 3, 8.7)
    far to_task_gate, "#GP(60) +0", \instruction, SLOT, 0x0000850000300000
    far to_32_bit_tss, "#GP(60) +0", \instruction, SLOT, 0x0000810000000067
    far to_interrupt_gate, "#GP(60) +0", \instruction, SLOT, 0x00008e0000080000
    far to_16_bit_call_gate, "#GP(60) +0", \instruction, SLOT, 0x0000840000080000
    .endr

    fact far_jump_to_compatibility_mode, "rax=77"
    movl $1f, FRAMES
    movw $CODE32, FRAMES+4
    resume 2f
    ljmp *FRAMES
    .code32
1:  .byte 0x40                                    # REX in 64-bit mode, INC EAX here
    movl $0x77, %eax
    leave
    .code64
2:  show rax, %rax
    end_fact
    fact far_call_pushes, "cs=8 rip=0 rsp=fffffffffffffff8"      # with 32-bit operands: two words of 4 bytes
    movl $1f, FRAMES
    movw $CODE64, FRAMES+4
    lcall *FRAMES
9:
1:  movl 4(%rsp), %eax
    show cs, %rax
    movl (%rsp), %eax
    subq $9b, %rax
    show rip, %rax
    movq %rsp, %rax
    subq $stack_top, %rax
    show rsp, %rax
    end_fact
    fact far_jump_to_register, "#UD +0"
9:  .byte 0xff, 0xe8
    end_fact

# ---- Call gates: 16 bytes, type 12 (vol. 3, 5.8.3.1 "IA-32e Mode Call Gates").
    .macro through_gate name, line, instruction, to_selector, access, value=0, selector=0x70
    fact gate_\instruction\()_\name, "\line"
    .if \value
    descriptor SLOT, \value
    .endif
    call_gate 0x70, \to_selector, 1f, \access
    movl $0, FRAMES
    movw $\selector, FRAMES+4
9:  \instruction *FRAMES
1:  movl %cs, %eax
    show cs, %rax
    end_fact
    .endm
    .irp instruction, ljmp, lcall
    through_gate same, "cs=8", \instruction, CODE64, 0x8c
    through_gate not_present, "#NP(70) +0", \instruction, CODE64, 0x0c
    through_gate rpl_3, "#GP(70) +0", \instruction, CODE64, 0x8c, 0, 0x73
    through_gate dpl_3_rpl_3, "cs=8", \instruction, CODE64, 0xec, 0, 0x73
    through_gate null_code, "#GP(0) +0", \instruction, 0, 0x8c
    through_gate data, "#GP(10) +0", \instruction, DATA0, 0x8c
    through_gate 32_bit_code, "#GP(50) +0", \instruction, CODE32, 0x8c
    through_gate user_code, "#GP(28) +0", \instruction, USER_CODE64, 0x8c
    through_gate code_not_present, "#NP(60) +0", \instruction, SLOT, 0x8c, CODE64_NOT_PRESENT
    .ifc \instruction, ljmp
    qemu_says "#GP(60) +0", "QEMU says #GP in a jump"
    known "#GP(60) +0", "the engine says #GP in a jump, as for much else"
    .endif
    .endr
    fact gate_upper_type, "#GP(70) +0"            # bits 12:8 of the last word must be 0
    call_gate 0x70, CODE64, 1f, 0x8c
    movl $0x1f00, gdt+0x7c
    movw $0x70, FRAMES+4
9:  lcall *FRAMES
1:  end_fact
    fact gate_target_not_canonical, "#GP(0) +0"
    movabsq $0x800000000000, %rax
    movl $CODE64|0x8c<<24, %esi
    movl $gdt+0x70, %edi
    call set_gate_at
    movw $0x70, FRAMES+4
9:  lcall *FRAMES
    end_fact
    qemu_says "#GP(0) @800000000000", "QEMU jumps and faults in the fetch"
    known "#GP(0) @800000000000", "the engine has left the call when the fetch is refused"
    fact gate_call_pushes, "cs=8 rip=0 rsp=fffffffffffffff0"    # 64 bits each
    call_gate 0x70, CODE64, 1f, 0x8c
    movw $0x70, FRAMES+4
    lcall *FRAMES
9:
1:  movq 8(%rsp), %rax
    show cs, %rax
    movq (%rsp), %rax
    subq $9b, %rax
    show rip, %rax
    movq %rsp, %rax
    subq $stack_top, %rax
    show rsp, %rax
    end_fact
    fact gate_from_user, "cs=8 ss=0 rsp=ffffffffffffffe0 rip=0 oldcs=2b oldrsp=0 oldss=23"
    call_gate 0x70, CODE64, 1f, 0xec
    movw $0x70, gate_pointer+4
    user 2f
2:  lcall *USER+gate_pointer
9:
1:  movl %cs, %eax
    show cs, %rax
    movl %ss, %eax
    show ss, %rax
    movq %rsp, %rax
    subq $stack_top-2048, %rax
    show rsp, %rax
    movq (%rsp), %rax
    subq $9b+USER, %rax
    show rip, %rax
    movq 8(%rsp), %rax
    show oldcs, %rax
    movq 16(%rsp), %rax
    subq $USER+user_stack_top, %rax
    show oldrsp, %rax
    movq 24(%rsp), %rax
    show oldss, %rax
    end_fact
    fact gate_from_user_refused, "#GP(70) +0"
    call_gate 0x70, CODE64, 1f, 0x8c
    movw $0x70, gate_pointer+4
    user 9f
9:  lcall *USER+gate_pointer
1:  end_fact
    fact gate_jump_from_user, "#GP(8) +0"         # a jump changes no privilege
    call_gate 0x70, CODE64, 1f, 0xec
    movw $0x70, gate_pointer+4
    user 9f
9:  ljmp *USER+gate_pointer
1:  end_fact
    fact gate_from_compatibility_mode, "cs=8 rsp=ffffffffffffffe0"
    call_gate 0x70, CODE64, 1f, 0xec
    user32 2f
    .code32
2:  lcall $0x73, $0
    .code64
1:  movl %cs, %eax
    show cs, %rax
    movq %rsp, %rax
    subq $stack_top-2048, %rax
    show rsp, %rax
    end_fact
    fact gate_and_return, "cs=2b rsp=0"
    call_gate 0x70, CODE64, 1f, 0xec
    movw $0x70, gate_pointer+4
    resume 3f
    user 2f
2:  lcall *USER+gate_pointer
    movl %cs, %ebx
    movq %rsp, %rcx
    leave
1:  lretq
3:  show cs, %rbx
    subq $USER+user_stack_top, %rcx
    show rsp, %rcx
    end_fact
    fact gate_stack_not_mapped, "#PF(2) +0 cr2=60000ff8"
    call_gate 0x70, CODE64, 1f, 0xec
    movw $0x70, gate_pointer+4
    movq $TEST+0x1000, tss+4
    movb $1, idt+14*16+4
    user 9f
9:  lcall *USER+gate_pointer
1:  end_fact

    .data
gate_pointer:
    .long 0
    .word 0
    .text
