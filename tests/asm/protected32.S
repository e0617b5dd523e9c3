# 32-bit and 16-bit protected mode (Intel SDM vol. 3, chapters 3, 5, 6 and 8): exceptions, stacks, gates, segments,
# tasks.
    .include "harness32.inc"

# ---- Exceptions that 64-bit mode does not have.
    fact de, "#DE +0"
9:  divl %ecx
    end_fact
    fact into_taken, "#OF +1"
    movb $0x7f, %al
    addb $1, %al
9:  into
    end_fact
    fact into_not_taken, "ok"
    xorl %eax, %eax
9:  into
    end_fact
    fact bound_outside, "#BR +0"
    movl $1, FRAMES
    movl $5, FRAMES+4
    movl $6, %eax
9:  boundl %eax, FRAMES
    end_fact
    fact bound_inside, "ok"
    movl $1, FRAMES
    movl $5, FRAMES+4
    movl $5, %eax
9:  boundl %eax, FRAMES
    end_fact
    fact aam_zero, "#DE +0"
9:  .byte 0xd4, 0
    end_fact
    fact ud_syscall, "#UD +0"                     # EFER.SCE is off
9:  syscall
    end_fact
    fact ud_swapgs, "#UD +0"                      # 64-bit mode alone has it
9:  .byte 0x0f, 0x01, 0xf8
    end_fact
    fact ud_arpl_in_real_mode_only, "zf=1 rpl=3"
    movl $8, %eax
    movl $3, %ecx
    arpl %cx, %ax
    setz %bl
    movzbl %bl, %ebx
    show zf, %ebx
    andl $3, %eax
    show rpl, %eax
    end_fact

# ---- Frames and stacks (6.12.1).
    fact frame_same_privilege, "#UD +0 esp=c eflags=10002"
    resume 1f
9:  ud2
1:  movl $stack_top, %eax
    subl last_frame, %eax
    show esp, %eax
    show eflags, last_eflags
    end_fact
    qemu_says "#UD +0 esp=c eflags=2", "QEMU does not set RF"
    fact frame_from_user, "#UD +0 frame=14 cs=1b ss=23 esp=0"
    resume 1f
    user 9f
9:  ud2
1:  movl $inner_stack_top, %eax
    subl last_frame, %eax
    show frame, %eax
    show cs, last_cs
    show ss, last_ss
    movl $user_stack_top, %eax
    subl last_esp, %eax
    show esp, %eax
    end_fact
    fact int_gate_16, "frame=6 ip=0"              # a 286 gate pushes words
    movl $2f-REAL_BASE, %eax
    gate 0x40, CODE16, 0x86
    resume 1f
    int $0x40
9:
    .code16
2:  movl %esp, %ebx
    movl (%ebx), %ecx
    leave_mode
    .code32
1:  movl $stack_top, %eax
    subl %ebx, %eax
    show frame, %eax
    subl $9b, %ecx
    andl $0xffff, %ecx
    show ip, %ecx
    end_fact
    fact trap_gate_keeps_if, "if=200"
    movl $1f, %eax
    gate 0x40, CODE32, 0x8f
    pushl $0x202
    popfl
    int $0x40
1:  pushfl
    popl %eax
    cli
    andl $0x200, %eax
    show if, %eax
    end_fact
    fact gate_beyond_limit, "#GP(202) +0"
    movw $0x1ff, idt_pointer
    lidtl idt_pointer
    movw $0x7ff, idt_pointer
9:  int $0x40
    end_fact
    fact gate_not_present, "#NP(202) +0"
    movl $1f, %eax
    gate 0x40, CODE32, 0x0e
9:  int $0x40
1:  end_fact
    fact gate_dpl, "#GP(202) +0"
    user 9f
9:  int $0x40
    end_fact
    fact gate_call_gate, "#GP(202) +0"
    movl $1f, %eax
    gate 0x40, CODE32, 0x8c
9:  int $0x40
1:  end_fact
    fact gate_null_code, "#GP(0) +0"
    movl $1f, %eax
    gate 0x40, 0, 0x8e
9:  int $0x40
1:  end_fact
    fact gate_data, "#GP(10) +0"
    movl $1f, %eax
    gate 0x40, DATA0, 0x8e
9:  int $0x40
1:  end_fact
    fact df_contributory, "#DF(0) +0"
    movb $0x0e, idt+8*13+5
    movl $0x100, %eax
9:  movl %eax, %fs
    end_fact

# ---- Segments.
    .macro load name, line, register, selector, value=0
    fact load_\name, "\line"
    .if \value
    descriptor SLOT, \value
    .endif
    movl $\selector, %eax
9:  movl %eax, %\register
    end_fact
    .endm
    load ss_null, "#GP(0) +0", ss, 0
    load ss_not_present, "#SS(60) +0", ss, SLOT, 0x00cf13000000ffff
    load ss_dpl_3, "#GP(20) +0", ss, USER_DATA-3
    load ds_execute_only, "#GP(60) +0", ds, SLOT, 0x00cf99000000ffff
    load ds_not_present, "#NP(60) +0", ds, SLOT, 0x00cf13000000ffff
    load ds_beyond, "#GP(100) +0", ds, 0x100
    fact base_added, "al=5a"
    descriptor SLOT, 0x01cf93000000ffff
    movb $0x5a, FRAMES+0x20
    movl $SLOT, %eax
    movl %eax, %es
    movzbl %es:0x20, %eax
    show al, %eax
    end_fact
    fact limit_es, "#GP(0) +0"
    descriptor SLOT, 0x0040930000000fff
    movl $SLOT, %eax
    movl %eax, %es
9:  movb %es:0x1000, %al
    end_fact
    qemu_says "ok", "QEMU checks no limits and types of segments"
    known "ok", "the engine checks no limits and types of segments, and says nothing of loads of segments"
    fact null_es, "#GP(0) +0"
    xorl %eax, %eax
    movl %eax, %es
9:  movb %es:FRAMES, %al
    end_fact
    qemu_says "ok", "QEMU checks no limits and types of segments"
    known "ok", "the engine checks no limits and types of segments, and says nothing of loads of segments"
    fact stack_16_bit, "esp=55550ffe"             # B = 0: SP alone moves
    descriptor SLOT, 0x000093000000ffff
    movl $SLOT, %eax
    movl %esp, %ebx
    movl %eax, %ss
    movl $0x55551000, %esp
    pushw %ax
    movl %esp, %ecx
    movl $DATA0, %eax
    movl %eax, %ss
    movl %ebx, %esp
    show esp, %ecx
    end_fact
    fact stack_16_bit_wraps, "esp=5555fffe at=1234"
    descriptor SLOT, 0x000193000000ffff
    movl $SLOT, %eax
    movl %esp, %ebx
    movl %eax, %ss
    movl $0x55550000, %esp
    pushw $0x1234
    movl %esp, %ecx
    movl $DATA0, %eax
    movl %eax, %ss
    movl %ebx, %esp
    show esp, %ecx
    movzwl 0xfffe, %eax
    show at, %eax
    end_fact

# ---- Far transfers.
    fact far_jump_16_bit, "ax=1234"
    resume 2f
    ljmp $CODE16, $1f-REAL_BASE
    .code16
1:  movw $0x1234, %ax
    leave_mode
    .code32
2:  andl $0xffff, %eax
    show ax, %eax
    end_fact
    fact call_gate_inner, "cs=8 ss=10 frame=10 cs3=1b parameter=77"
    movl $1f, %eax
    movl $CODE32|0xec<<24|1<<16, %esi             # one parameter is copied
    movl $gdt+0x70, %edi
    call set_gate_at
    user 2f
2:  pushl $0x77
    lcall $0x73, $0
1:  movl %cs, %eax
    movl %ss, %ebx
    movl %esp, %ebp
    movl $DATA0, %ecx
    movl %ecx, %ds
    movl %ecx, %es
    show cs, %eax
    show ss, %ebx
    movl $inner_stack_top, %eax
    subl %ebp, %eax
    subl $4, %eax
    show frame, %eax
    show cs3, 4(%ebp)
    show parameter, 8(%ebp)
    end_fact
    fact call_gate_dpl, "#GP(70) +0"
    movl $1f, %eax
    movl $CODE32|0x8c<<24, %esi
    movl $gdt+0x70, %edi
    call set_gate_at
    user 9f
9:  lcall $0x73, $0
1:  end_fact
    fact retf_outer_nulls, "ds=0"
    resume 2f
    pushl $USER_DATA
    pushl $user_stack_top
    pushl $USER_CODE
    pushl $1f
    lretl
1:  movl %ds, %eax
    leave_mode
2:  show ds, %eax
    end_fact
    fact iret_nt_without_task, "#TS(0) +0"        # the back link of the TSS is null
    pushl $0x4002
    popfl
9:  iretl
    end_fact

# ---- Interrupts of the 8259, by the 8254.
    fact interrupt_kernel, "frame=c if=0"
    movl $1f, %eax
    gate 0x20, CODE32, 0x8e
    call timer_interrupt_soon
    sti
2:  hlt
    jmp 2b
1:  movl $stack_top, %eax
    subl %esp, %eax
    show frame, %eax
    pushfl
    popl %eax
    andl $0x200, %eax
    show if, %eax
    movb $0x20, %al
    outb %al, $0x20
    end_fact
    fact interrupt_user, "frame=14 cs=1b"
    movl $1f, %eax
    gate 0x20, CODE32, 0x8e
    call timer_interrupt_soon
    user 2f, 0x202
2:  jmp 2b
1:  movl $inner_stack_top, %eax
    subl %esp, %eax
    movl 4(%esp), %ebx
    movl $DATA0, %ecx
    movl %ecx, %ds
    show frame, %eax
    show cs, %ebx
    movb $0x20, %al
    outb %al, $0x20
    end_fact
    fact sti_shadow, "eip=1"
    movl $1f, %eax
    gate 0x20, CODE32, 0x8e
    call timer_interrupt_soon
    movl $20000, %ecx
2:  inb $0x80, %al
    loop 2b
    sti
9:  nop
    nop
1:  movl (%esp), %eax
    subl $9b, %eax
    show eip, %eax
    movb $0x20, %al
    outb %al, $0x20
    end_fact

# ---- Tasks (chapter 8).
    .macro prepare_task label
    movl $\label, tss2+32
    movl $2, tss2+36
    movl $task_stack_top, tss2+56
    .irp place, 72, 80, 84, 88, 92                # ES SS DS FS GS
    movl $DATA0, tss2+\place
    .endr
    movl $CODE32, tss2+76
    movl $0xabc, tss2+40                          # EAX
    .endm
    fact task_jump, "tr=40 eax=abc busy=8b old=89 nt=0"
    prepare_task 1f
    ljmp $TSS2, $0
1:  movl %eax, %ebx
    str %eax
    movzwl %ax, %eax
    show tr, %eax
    show eax, %ebx
    movzbl gdt+TSS2+5, %eax
    show busy, %eax
    movzbl gdt+TSS+5, %eax
    show old, %eax
    pushfl
    popl %eax
    andl $0x4000, %eax
    show nt, %eax
    end_fact
    fact task_call_and_return, "link=28 nt=4000 back tr=28"
    prepare_task 1f
    lcall $TSS2, $0
    say back
    str %eax
    movzwl %ax, %eax
    show tr, %eax
    jmp 2f
1:  movzwl tss2, %eax
    show link, %eax
    pushfl
    popl %eax
    andl $0x4000, %eax
    show nt, %eax
    iretl
2:  end_fact
    fact task_jump_busy, "#GP(28) +0"
9:  ljmp $TSS, $0
    end_fact
    fact task_gate_interrupt, "link=28 tr=40 eip=0"
    prepare_task 1f
    xorl %eax, %eax
    gate 0x40, TSS2, 0x85
    int $0x40
9:
1:  movzwl tss2, %eax
    show link, %eax
    str %eax
    movzwl %ax, %eax
    show tr, %eax
    movl tss+32, %eax
    subl $9b, %eax
    show eip, %eax
    end_fact
    fact task_gate_exception, "code=100 link=28 eip=0"       # the error code goes on the new task's stack
    prepare_task 1f
    xorl %eax, %eax
    gate 13, TSS2, 0x85
    movl $0x100, %ecx
9:  movl %ecx, %fs
1:  show code, (%esp)
    movzwl tss2, %eax
    show link, %eax
    movl tss+32, %eax
    subl $9b, %eax
    show eip, %eax
    end_fact
    fact task_gate_from_user, "cs=1b cpl=0 ss=23 back"
    prepare_task 1f
    xorl %eax, %eax
    gate 0x40, TSS2, 0xe5
    resume 2f
    user 3f
3:  int $0x40
    leave_mode
1:  movzwl tss+76, %eax
    show cs, %eax
    movl %cs, %eax
    andl $3, %eax
    show cpl, %eax
    movzwl tss+80, %eax
    show ss, %eax
    iretl
2:  say back
    end_fact
    fact task_gate_busy, "#GP(40) +0"
    prepare_task 1f
    movb $0x8b, gdt+TSS2+5
    xorl %eax, %eax
    gate 0x40, TSS2, 0x85
9:  int $0x40
1:  end_fact
    fact task_gate_not_present, "#NP(40) +0"
    prepare_task 1f
    movb $0x09, gdt+TSS2+5
    xorl %eax, %eax
    gate 0x40, TSS2, 0x85
9:  int $0x40
1:  end_fact

# ---- Address line 20 (SDM vol. 3, 8.7.13.4 "External Signal Compatibility": A20M#). The image itself has that bit in
# its addresses, so that code which closes the gate runs below 1 MiB.
    .macro a20_fact name, line, close, open
    fact \name, "\line"
    movl $0x5ca1ab1e, 0x500
    movl $2f, %esi
    movl $0x600, %edi
    movl $3f-2f, %ecx
    rep movsb
    movl $4f, %ebp
    movl $0x600, %eax
    jmp *%eax
2:  \close
    movl 0x100500, %ebx
    \open
    movl 0x100500, %ecx
    jmp *%ebp
3:
4:  xorl %eax, %eax
    cmpl $0x5ca1ab1e, %ebx
    sete %al
    show closed, %eax
    cmpl $0x5ca1ab1e, %ecx
    sete %al
    show open, %eax
    end_fact
    .endm
    .macro port_92 value
    movb $\value, %al
    outb %al, $0x92
    .endm
    .macro output_port value
    movb $0xd1, %al
    outb %al, $0x64
    movb $\value, %al
    outb %al, $0x60
    .endm
    a20_fact a20_port_92, "closed=1 open=0", "port_92 0", "port_92 2"
    a20_fact a20_keyboard_controller, "closed=1 open=0", "output_port 0xdd", "output_port 0xdf"
    a20_fact a20_of_both, "closed=1 open=0", "port_92 0", "output_port 0xdf"
