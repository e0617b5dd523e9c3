# Exceptions in 64-bit mode: each vector with its error code, how they are delivered, and what a fault on the
# way to a handler becomes (Intel SDM vol. 3, chapter 6 "Interrupt and Exception Handling").
    .include "harness64.inc"

# Handlers of what a bad RSP brings get a stack of their own.
    .macro own_stack
    .irp vector, 8, 12, 13
    movb $1, idt+16*\vector+4
    .endr
    .endm

# ---- 6.15 "Exception and Interrupt Reference". A fault's RIP is that of the instruction, a trap's the next one's.
    fact de_divide_by_zero, "#DE +0"
    movl $1, %eax
9:  divl %ecx
    end_fact

    fact de_quotient_too_large, "#DE +0"
    movl $2, %edx
    movl $2, %ecx
9:  divl %ecx
    end_fact

    fact de_signed_overflow, "#DE +0"
    movabsq $1 << 63, %rax
    cqto
    movq $-1, %rcx
9:  idivq %rcx
    end_fact

    fact de_aam_is_gone, "#UD +0"                 # AAM, which could divide by zero, is no 64-bit instruction
    .byte 0xd4, 0
    end_fact

    fact de_keeps_registers, "#DE +0 rax=5 rdx=0" # 6.5: a fault leaves the state from before
    movl $5, %eax
    resume 1f
9:  divl %ecx
1:  show rax, %rax
    show rdx, %rdx
    end_fact

    fact bp_int3, "#BP +1"
9:  int3
    end_fact

    fact bp_two_bytes, "#BP +2"
9:  .byte 0xcd, 3
    end_fact

    fact db_icebp, "#DB +1"                       # vol. 2, "INT n/INTO/INT3/INT1": vector 1, a trap
9:  .byte 0xf1
    end_fact
    qemu_says "#UD +0", "QEMU has no INT1"

    fact of_into_64, "#UD +0"
9:  .byte 0xce
    end_fact

    fact of_by_number, "#OF +2"                   # INT 4 pushes no error code and looks at no flag
9:  int $4
    end_fact

    fact ud_ud2, "#UD +0"
9:  ud2
    end_fact

    fact ud_ud1, "#UD +0"
9:  .byte 0x0f, 0xb9, 0xc0
    end_fact

    fact ud_ud0, "#UD +0"
9:  .byte 0x0f, 0xff, 0xc0
    end_fact

# By number, an exception has no error code (6.4.4 "Software-Generated Exceptions").
    fact int_13_pushes_no_code, "rsp=ffffffffffffffd8"
    movq $1f, %rax
    gate 13, CODE64, 0x8e
    movq $stack_top-64, %rsp
    int $13
1:  movq %rsp, %rax
    subq $stack_top-64, %rax
    show rsp, %rax
    end_fact

# ---- What is no instruction in 64-bit mode (vol. 2, "Invalid in 64-Bit Mode" of each).
    .irp byte, 06, 07, 0e, 16, 17, 1e, 1f, 27, 2f, 37, 3f, 60, 61, 9a, d5, d6, ea
    fact ud_in_64_bit_\byte, "#UD +0"
9:  .byte 0x\byte, 0xc0, 0, 0, 0, 0, 0
    end_fact
    .endr
    .irp byte, 04, 0a, 0c, 24, 25, 26, 27, 36, 39, 3b, 3c, 7a, 7b, a6, a7
    fact ud_two_bytes_\byte, "#UD +0"
9:  .byte 0x0f, 0x\byte, 0xc0
    end_fact
    .endr
    fact ud_group_fe_2, "#UD +0"
9:  .byte 0xfe, 0xd0
    end_fact
    fact ud_group_ff_7, "#UD +0"
9:  .byte 0xff, 0xf8
    end_fact
    fact ud_group_8f_1, "#UD +0"
9:  .byte 0x8f, 0xc8
    end_fact
    known "ok", "the engine does not look at the opcode extension of 8F"
    qemu_says "ok", "QEMU does not look at the opcode extension of 8F"
    fact ud_group_c6_1, "#UD +0"
9:  .byte 0xc6, 0xc8, 0
    end_fact
    qemu_says "ok", "QEMU does not look at the opcode extension of C6"
    fact ud_far_jump_to_register, "#UD +0"
9:  .byte 0xff, 0xe8
    end_fact
    fact ud_lea_of_register, "#UD +0"
9:  .byte 0x8d, 0xc0
    end_fact
    fact ud_move_to_cs, "#UD +0"                  # vol. 2, "MOV"
9:  .byte 0x8e, 0xc8
    end_fact
    fact ud_move_from_segment_6, "#UD +0"
9:  .byte 0x8c, 0xf0
    end_fact
    fact ud_cr1, "#UD +0"                         # vol. 2, "MOV-Move to/from Control Registers"
9:  movq %cr1, %rax
    end_fact
    fact ud_cr5, "#UD +0"
9:  .byte 0x0f, 0x22, 0xe8
    end_fact
    fact ud_dr8, "#UD +0"
9:  .byte 0x44, 0x0f, 0x21, 0xc0
    end_fact

# ---- LOCK (vol. 2, "LOCK"): on what cannot be locked, or has no memory to be.
    fact lock_register, "#UD +0"
9:  .byte 0xf0, 0x01, 0xc0
    end_fact
    fact lock_load, "#UD +0"
9:  .byte 0xf0, 0x8b, 0x04, 0x24
    end_fact
    known "ok", "the engine does not look at LOCK here"
    qemu_says "ok", "QEMU does not look at LOCK here"
    fact lock_compare, "#UD +0"
9:  .byte 0xf0, 0x39, 0x04, 0x24
    end_fact
    fact lock_nop, "#UD +0"
9:  .byte 0xf0, 0x90
    end_fact
    fact lock_bit_test, "#UD +0"
9:  .byte 0xf0, 0x0f, 0xa3, 0x04, 0x24
    end_fact
    known "ok", "the engine does not look at LOCK here"
    qemu_says "ok", "QEMU does not look at LOCK here"
    fact lock_add_memory, "ok"
    pushq $1
9:  lock addl $1, (%rsp)
    end_fact

# ---- Length (vol. 2, 2.3.11; vol. 3, 6.15 "#GP": "longer than 15 bytes").
    fact length_15, "ok"
9:  .fill 14, 1, 0x66
    nop
    end_fact
    fact length_16, "#GP(0) +0"
9:  .fill 15, 1, 0x66
    nop
    end_fact
    fact endbr_is_a_nop, "ok"
9:  endbr64
    endbr32
    .byte 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0
    end_fact
    fact prefetch_of_register_is_a_nop, "ok"      # vol. 2, table A-6, group 16 with mod 3: reserved NOP
9:  .byte 0x0f, 0x18, 0xc8
    end_fact
    qemu_says "#UD +0", "QEMU wants memory"

# ---- Canonical addresses (vol. 3, 6.15 "#SS", "#GP"; vol. 1, 3.3.7.1).
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
    known "#GP(0) @800000000000", "the engine has left the branch when the fetch is refused"
    qemu_says "#GP(0) @800000000000", "QEMU sets RIP and faults in the fetch"
    fact canonical_call_target, "#GP(0) +0"
    movabsq $0x800000000000, %rax
9:  call *%rax
    end_fact
    known "#GP(0) @800000000000", "the engine has left the branch when the fetch is refused"
    qemu_says "#GP(0) @800000000000", "QEMU sets RIP and faults in the fetch"
    fact canonical_return, "#GP(0) +0"            # vol. 2, "RET"
    movabsq $0x800000000000, %rax
    pushq %rax
9:  ret
    end_fact
    known "#GP(0) @800000000000", "the engine has left the branch when the fetch is refused"
    qemu_says "#GP(0) @800000000000", "QEMU sets RIP and faults in the fetch"
    fact canonical_lea, "ok"
    movabsq $0x800000000000, %rax
9:  leaq (%rax), %rcx
    end_fact

# ---- Frames (6.12.1, 6.14.2 "64-Bit Mode Stack Frame").
    fact frame_is_aligned, "frame=ffffffffffffffd8"   # 6.14.2: RSP is aligned to 16 before the frame
    movq $stack_top-67, %rsp
    movq $1f, %rax
    gate 0x40, CODE64, 0x8e
9:  int $0x40
1:  movq %rsp, %rax
    subq $stack_top-64-16, %rax
    show frame, %rax
    end_fact

    fact frame_of_fault, "#UD +0 rflags=10002 cs=8 ss=10"    # 17.3.1.1: RF is set for a fault
    resume 1f
9:  ud2
1:  show rflags, last_rflags
    show cs, last_cs
    show ss, last_ss
    end_fact
    qemu_says "#UD +0 rflags=2 cs=8 ss=10", "QEMU does not set RF"
    fact frame_of_trap, "#BP +1 rflags=2"
    resume 1f
9:  int3
1:  show rflags, last_rflags
    end_fact

    fact frame_from_user, "#UD +0 cs=2b ss=23 rsp=0 frame=0"
    user 2f
2:  resume_user 1f
9:  ud2
1:  show cs, last_cs
    show ss, last_ss
    movq last_rsp, %rax
    subq $USER+user_stack_top, %rax
    show rsp, %rax
    movq last_frame, %rax
    subq $stack_top-2048-40, %rax
    show frame, %rax
    end_fact

    fact interrupt_gate, "rflags=12"              # 6.12.1.3: IF, TF, NT and RF are cleared; AF is not
    movq $1f, %rax
    gate 0x40, CODE64, 0x8e
    pushq $0x4212                                 # NT IF AF
    popfq
9:  int $0x40
1:  pushfq
    popq %rax
    show rflags, %rax
    end_fact
    fact trap_gate, "rflags=212"
    movq $1f, %rax
    gate 0x40, CODE64, 0x8f
    pushq $0x4212
    popfq
9:  int $0x40
1:  pushfq
    popq %rax
    cli
    show rflags, %rax
    end_fact

    fact inner_stack_segment, "ss=0"              # 6.14.2: a null selector with the new CPL
    movq $1f, %rax
    gate 0x40, CODE64, 0xee
    user 2f
2:  int $0x40
1:  movl %ss, %eax
    show ss, %rax
    end_fact
    fact same_stack_segment, "ss=10"
    movq $1f, %rax
    gate 0x40, CODE64, 0xee
    int $0x40
1:  movl %ss, %eax
    show ss, %rax
    end_fact

# ---- The interrupt stack table (6.14.5).
    fact ist_from_kernel, "#UD +0 frame=ffffffffffffffd8"
    movq $stubs+6*16, %rax
    gate 6, CODE64, 0x8e, 1
    resume 1f
9:  ud2
1:  movq last_frame, %rax
    subq $ist1_top, %rax
    show frame, %rax
    end_fact
    fact ist_from_user, "#UD +0 frame=ffffffffffffffd8"
    movq $stubs+6*16, %rax
    gate 6, CODE64, 0x8e, 2
    user 2f
2:  resume_user 1f
9:  ud2
1:  movq last_frame, %rax
    subq $ist2_top, %rax
    show frame, %rax
    end_fact
    fact ist_beyond_limit, "#TS(30) +0"           # vol. 2, "INT n": #TS with the task register's selector
    movw $0x23, gdt+TSS                           # the limit ends before IST1
    movb $0x89, gdt+TSS+5
    movl $TSS, %eax
    ltr %ax
    movq $1f, %rax
    gate 0x40, CODE64, 0x8e, 1
9:  int $0x40
1:  end_fact
    fact ist_not_canonical, "#SS(0) +0"           # vol. 2, "INT n": #SS(EXT)
    movabsq $0x800000000000, %rax
    movq %rax, tss+36
    movq $1f, %rax
    gate 0x40, CODE64, 0x8e, 1
9:  int $0x40
1:  end_fact
    fact ist_not_canonical_exception, "#SS(1) +0"
    movabsq $0x800000000000, %rax
    movq %rax, tss+36
    movq $1f, %rax
    gate 6, CODE64, 0x8e, 1
9:  ud2
1:  end_fact
    qemu_says "#SS(0) +0", "QEMU has no EXT bit"

# ---- Gates that refuse (vol. 2, "INT n"; vol. 3, 6.13 "Error Code": vector * 8, bit 1 for the IDT, bit 0 (EXT)
# ---- if the event was not INT n).
    fact gate_beyond_limit, "#GP(202) +0"
    movw $0x3ff, idt_pointer
    lidt idt_pointer
    movw $0xfff, idt_pointer
9:  int $0x40
    end_fact
    qemu_says "#GP(402) +0", "QEMU multiplies the vector by 16"
    .irp type, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 8a, 8b, 8c, 8d
    fact gate_of_type_\type, "#GP(202) +0"        # in 64-bit mode only 14 and 15 are gates of the IDT; 5 is a task gate
    movq $1f, %rax
    gate 0x40, CODE64, 0x\type
9:  int $0x40
1:  end_fact
    qemu_says "#GP(402) +0", "QEMU multiplies the vector by 16"
    .endr
    fact gate_not_present, "#NP(202) +0"
    movq $1f, %rax
    gate 0x40, CODE64, 0x0e
9:  int $0x40
1:  end_fact
    qemu_says "#NP(402) +0", "QEMU multiplies the vector by 16"
    fact gate_for_kernel_only, "#GP(202) +0"
    movq $1f, %rax
    gate 0x40, CODE64, 0x8e
    user 9f
9:  int $0x40
1:  end_fact
    qemu_says "#GP(402) +0", "QEMU multiplies the vector by 16"
    fact gate_int3_for_kernel_only, "#GP(1a) +0"
    movq $1f, %rax
    gate 3, CODE64, 0x8e
    user 9f
9:  int3
1:  end_fact
    qemu_says "#GP(32) +0", "QEMU multiplies the vector by 16"
    fact gate_icebp_needs_no_right, "#DB +1"      # vol. 2, "INT1": the gate's DPL is not looked at
    user 9f
9:  .byte 0xf1
    end_fact
    qemu_says "#UD +0", "QEMU has no INT1"
    fact gate_null_code, "#GP(0) +0"
    movq $1f, %rax
    gate 0x40, 0, 0x8e
9:  int $0x40
1:  end_fact
    fact gate_data_segment, "#GP(10) +0"
    movq $1f, %rax
    gate 0x40, DATA0, 0x8e
9:  int $0x40
1:  end_fact
    fact gate_32_bit_code, "#GP(50) +0"
    movq $1f, %rax
    gate 0x40, CODE32, 0x8e
9:  int $0x40
1:  end_fact
    fact gate_64_and_32_bit_code, "#GP(60) +0"    # L and D both
    descriptor SLOT, 0x00ef9b000000ffff
    movq $1f, %rax
    gate 0x40, SLOT, 0x8e
9:  int $0x40
1:  end_fact
    fact gate_user_code, "#GP(28) +0"             # a handler cannot be of lower privilege
    movq $1f, %rax
    gate 0x40, USER_CODE64, 0x8e
9:  int $0x40
1:  end_fact
    fact gate_code_not_present, "#NP(60) +0"
    descriptor SLOT, 0x00af1b000000ffff
    movq $1f, %rax
    gate 0x40, SLOT, 0x8e
9:  int $0x40
1:  end_fact
    fact gate_code_beyond_table, "#GP(100) +0"
    movq $1f, %rax
    gate 0x40, 0x100, 0x8e
9:  int $0x40
1:  end_fact
    fact gate_code_in_no_ldt, "#GP(c) +0"
    movq $1f, %rax
    gate 0x40, 0xc, 0x8e
9:  int $0x40
1:  end_fact
    fact gate_target_not_canonical, "#GP(0) +0"
    movabsq $0x800000000000, %rax
    gate 0x40, CODE64, 0x8e
9:  int $0x40
    end_fact
    qemu_says "#GP(0) @800000000000", "QEMU delivers and faults in the fetch"
    fact gate_conforming, "cs=63"                 # a conforming handler runs at the interrupted CPL
    descriptor SLOT, 0x00af9f000000ffff
    movq $1f+USER, %rax
    gate 0x40, SLOT, 0xee
    user 2f
2:  int $0x40
1:  movl %cs, %ebx
    resume_user 3f
    int $LEAVE
3:  show cs, %rbx
    end_fact
    fact gate_sets_accessed, "access=9b"          # 3.4.5.1: the type's bit 0 when the segment is loaded
    descriptor SLOT, 0x00af9a000000ffff
    movq $1f, %rax
    gate 0x40, SLOT, 0x8e
    int $0x40
1:  movzbl gdt+SLOT+5, %eax
    show access, %rax
    end_fact
    qemu_says "access=9a", "QEMU does not set it"

# ---- Faults on the way to a handler (6.15, "#DF", table 6-5).
    fact df_de_then_np, "#DF(0) +0"
    movb $0x0e, idt+0*16+5
9:  divl %ecx
    end_fact
    fact df_gp_then_np, "#DF(0) +0"
    movb $0x0e, idt+13*16+5
    movabsq $0x800000000000, %rax
9:  movb (%rax), %cl
    end_fact
    fact df_np_then_np, "#DF(0) +0"
    movb $0x0e, idt+11*16+5
    descriptor SLOT, 0x00cf13000000ffff
    movl $SLOT, %eax
9:  movl %eax, %ds
    end_fact
    fact df_ss_then_gp, "#DF(0) +0"
    movb $0x85, idt+12*16+5
    movabsq $0x800000000000, %rbp
9:  movb (%rbp), %cl
    end_fact
    qemu_says "#GP(0) +0", "QEMU raises #GP for stack references too"
    fact df_pf_then_np, "#DF(0) +0 cr2=60000000"
    movb $0x0e, idt+14*16+5
    resume 1f
9:  movb TEST, %cl
1:  show cr2, last_cr2
    end_fact
    fact df_pf_then_pf, "#DF(0) +0 cr2=60000ff8"
    movq $TEST+0x1000, tss+36
    movb $1, idt+14*16+4
    resume 1f
9:  movb TEST, %cl
1:  show cr2, last_cr2
    end_fact
    fact serial_gp_then_pf, "#PF(2) +0 cr2=60000ff8"     # contributory, then #PF: one after the other
    movq $TEST+0x1000, tss+36
    movb $1, idt+13*16+4
    movabsq $0x800000000000, %rax
9:  movb (%rax), %cl
    end_fact
    fact serial_ud_then_np, "#NP(33) +0"          # benign, then contributory: the second, with EXT
    movb $0x0e, idt+6*16+5
9:  ud2
    end_fact
    qemu_says "#NP(62) +0", "QEMU multiplies the vector by 16 and has no EXT bit"
    fact serial_ud_then_pf, "#PF(2) +0 cr2=60000ff8"
    movq $TEST+0x1000, tss+36
    movb $1, idt+6*16+4
9:  ud2
    end_fact
    fact serial_int_then_pf, "#PF(2) +0 cr2=60000ff8"    # INT n is benign, and restarts
    movq $TEST+0x1000, tss+36
    movq $1f, %rax
    gate 0x40, CODE64, 0x8e, 1
9:  int $0x40
1:  end_fact
    fact serial_nm_then_gp, "#GP(3b) +0"
    movb $0x85, idt+7*16+5
    movq %cr0, %rax
    orq $8, %rax
    movq %rax, %cr0
9:  fnop
    end_fact
    qemu_says "#GP(72) +0", "QEMU multiplies the vector by 16 and has no EXT bit"
    fact df_second_after_handled, "#GP(0) +0 #GP(0) +0"  # a handled fault makes no second one double
    movabsq $0x800000000000, %rax
    resume 1f
9:  movb (%rax), %cl
1:  movq $3f, mark
3:  movb (%rax), %cl
    end_fact
