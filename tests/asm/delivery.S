# How exceptions and interrupts are delivered in 64-bit mode, and what a fault on the way to a handler becomes (Intel SDM
# vol. 3, chapter 6 "Interrupt and Exception Handling").
    .include "harness64.inc"

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
