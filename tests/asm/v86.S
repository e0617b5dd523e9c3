# Virtual-8086 mode (Intel SDM vol. 3, chapter 20 "8086 Emulation").
    .include "harness32.inc"

# ---- Virtual-8086 mode (20.2, 20.3): CPL 3; what looks at IOPL faults when it is below 3.
    .macro v86_fact name, line, eflags=2
    fact v86_\name, "\line"
    resume 7f
    v86 8f, \eflags
    .code16
8:
    .endm
    .macro end_v86
    leave_mode
    .code32
7:  end_fact
    .endm
    v86_fact runs, "cs=ffff eflags=20002 ds=ffff handler_ds=0", 0x3002
    leave_mode
    .code32
7:  show cs, last_cs
    andl $0x20002, last_eflags
    show eflags, last_eflags
    show ds, last_vds
    movl last_ds, %eax                            # 20.3.1: data segments are null in the handler
    show handler_ds, %eax
    end_fact
    v86_fact frame, "#UD +0 frame=24 ss=0 esp=6000"
9:  ud2
    .code32
7:  movl $inner_stack_top, %eax
    subl last_frame, %eax
    show frame, %eax
    show ss, last_ss
    show esp, last_esp
    end_fact
    v86_fact cli, "#GP(0) +0"
9:  cli
    end_v86
    v86_fact sti, "#GP(0) +0"
9:  sti
    end_v86
    v86_fact pushf, "#GP(0) +0"
9:  pushfw
    end_v86
    v86_fact popf, "#GP(0) +0"
9:  popfw
    end_v86
    v86_fact iret, "#GP(0) +0"
9:  iretw
    end_v86
    v86_fact int, "#GP(0) +0"
9:  int $0x40
    end_v86
    v86_fact int3, "#BP +1"                       # INT3 looks at no IOPL
9:  int3
    end_v86
    v86_fact hlt, "#GP(0) +0", 0x3002
9:  hlt
    end_v86
    v86_fact cli_iopl_3, "ok", 0x3002
9:  cli
    end_v86
    v86_fact int_iopl_3, "#OF +2", 0x3002
9:  int $4
    end_v86
    v86_fact in, "#GP(0) +0", 0x3002              # by the map alone, whatever IOPL is
9:  inb $0x80, %al
    end_v86
    v86_fact mov_cr, "#GP(0) +0"
9:  movl %cr0, %eax
    end_v86
    v86_fact lldt, "#UD +0"
9:  lldt %ax
    end_v86
    v86_fact limit, "#GP(0) +0", 0x3002
    movw $0xffff, %bx
9:  movw (%bx), %ax
    end_v86
    v86_fact de, "#DE +0"
9:  divw %cx
    end_v86
    v86_fact segments, "eax=5a", 0x3002
    movw $0x2000, %ax
    movw %ax, %es
    movb $0x5a, %es:0x10
    movw $0x2001, %ax
    movw %ax, %es
    xorl %eax, %eax
    movb %es:0, %al
    leave_mode
    .code32
7:  show eax, last_eax
    end_fact

    fact v86_interrupt, "frame=24 cs=ffff vm=20000"
    movl $1f, %eax
    gate 0x20, CODE32, 0x8e
    call timer_interrupt_soon
    v86 2f, 0x202
    .code16
2:  jmp 2b
    .code32
1:  movl $DATA0, %ecx
    movl %ecx, %ds
    movl %ecx, %es
    movl $inner_stack_top, %eax
    subl %esp, %eax
    show frame, %eax
    movl 4(%esp), %eax
    show cs, %eax
    movl 8(%esp), %eax
    andl $0x20000, %eax
    show vm, %eax
    movb $0x20, %al
    outb %al, $0x20
    end_fact

    qemu_says_of "ok", "QEMU checks no limits of segments", v86_limit
    known_of "ok", "the engine checks no limits of segments", v86_limit
