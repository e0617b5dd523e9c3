# Interrupts of the 8259, the 8254 and the local APIC in 64-bit mode (Intel SDM vol. 3, 6.8 "Enabling and Disabling
# Interrupts", 6.7 "Nonmaskable Interrupt", chapter 11 "APIC"; Intel 8259A data sheet).
    .include "harness64.inc"

    .set APIC, 0xfee00000
    .set ICR, 0x300              # of the local APIC: interrupt command
    .set TPR, 0x80
    .set EOI, 0xb0
    .set SVR, 0xf0

    .macro apic register, value
    movl $APIC+\register, %ebx
    movl $\value, (%rbx)
    .endm
    .macro apic_on
    apic SVR, 0x1ff
    .endm
    .macro end_of_interrupt
    apic EOI, 0
    .endm
# An interrupt of this vector to itself, edge, fixed.
    .macro self vector
    apic ICR, 0x40000|\vector
    .endm
    .macro self_nmi
    apic ICR, 0x40400
    .endm
    .macro on vector, label
    movq $\label, %rax
    gate \vector, CODE64, 0x8e
    .endm
# The 8259s at vectors 0x20 and 0x28, with these inputs open.
    .macro pic_open master, slave=0xff
    .irp value, 0x11, 0x20, 4, 1
    movb $\value, %al
    .if \value == 0x11
    outb %al, $0x20
    .else
    outb %al, $0x21
    .endif
    .endr
    .irp value, 0x11, 0x28, 2, 1
    movb $\value, %al
    .if \value == 0x11
    outb %al, $0xa0
    .else
    outb %al, $0xa1
    .endif
    .endr
    movb $\slave, %al
    outb %al, $0xa1
    movb $\master, %al
    outb %al, $0x21
    .endm
# Channel 0 of the 8254: one pulse in 50 ticks.
    .macro pit_once
    movb $0x30, %al
    outb %al, $0x43
    movb $50, %al
    outb %al, $0x40
    movb $0, %al
    outb %al, $0x40
    .endm

# ---- IF and its shadow.
    fact if_0_keeps_it_out, "pending rip=0"
    apic_on
    on 0x50, 1f
    self 0x50
    nop
    nop
    say pending
    sti
    nop
9:  nop
1:  movq (%rsp), %rax
    subq $9b, %rax
    show rip, %rax
    end_of_interrupt
    end_fact
    fact sti_shadow, "rip=1"                      # one instruction after STI still runs
    apic_on
    on 0x50, 1f
    self 0x50
    sti
9:  nop
    nop
1:  movq (%rsp), %rax
    subq $9b, %rax
    show rip, %rax
    end_of_interrupt
    end_fact
    fact sti_cli, "none"                          # STI; CLI lets nothing in
    apic_on
    on 0x50, 1f
    self 0x50
    sti
    cli
    nop
    say none
    jmp 2f
1:  say taken
2:  end_of_interrupt
    on 0x50, 3f
    sti
    nop
    nop
3:  end_of_interrupt
    end_fact
    fact popf_has_no_shadow, "rip=0"
    apic_on
    on 0x50, 1f
    self 0x50
    pushq $0x202
    popfq
9:  nop
1:  movq (%rsp), %rax
    subq $9b, %rax
    show rip, %rax
    end_of_interrupt
    end_fact
    fact sti_hlt, "rip=1"                         # wakes, with RIP after HLT
    apic_on
    on 0x50, 1f
    self 0x50
    sti
9:  hlt
    nop
1:  movq (%rsp), %rax
    subq $9b, %rax
    show rip, %rax
    end_of_interrupt
    end_fact
    fact interrupt_frame, "if=200 cs=8 ss=10 if=0"
    apic_on
    on 0x50, 1f
    self 0x50
    sti
    nop
    nop
1:  movq 16(%rsp), %rax
    andl $0x200, %eax
    show if, %rax
    movq 8(%rsp), %rax
    show cs, %rax
    movq 32(%rsp), %rax
    show ss, %rax
    pushfq
    popq %rax
    andl $0x200, %eax
    show if, %rax
    end_of_interrupt
    end_fact
    fact interrupt_in_user_mode, "cs=2b ss=23 frame=ffffffffffffffd8"
    apic_on
    on 0x50, 1f
    self 0x50
    user 2f, 0x202
2:  jmp 2b
1:  movq 8(%rsp), %rax
    show cs, %rax
    movq 32(%rsp), %rax
    show ss, %rax
    movq %rsp, %rax
    subq $stack_top-2048, %rax
    show frame, %rax
    end_of_interrupt
    end_fact
    fact interrupt_in_compatibility_mode, "cs=1b"
    apic_on
    on 0x50, 1f
    self 0x50
    user32 2f, 0x202
2:  jmp 2b
1:  movq 8(%rsp), %rax
    show cs, %rax
    end_of_interrupt
    end_fact
    fact interrupt_in_rep, "rip=0 done=1"         # between iterations; none is lost
    apic_on
    on 0x50, 1f
    self 0x50
    movl $FRAMES, %edi
    movl $100, %ecx
    movl $1, %eax
    sti
    nop
9:  rep stosb
    nop
    jmp 2f
1:  movq (%rsp), %rax
    subq $9b, %rax
    show rip, %rax
    end_of_interrupt
    movl $1, %eax
    iretq
2:  cli
    movzbl FRAMES+99, %eax
    show done, %rax
    end_fact
    fact interrupt_at_ist, "frame=ffffffffffffffd8"
    apic_on
    movq $1f, %rax
    gate 0x50, CODE64, 0x8e, 2
    self 0x50
    sti
    nop
    nop
1:  movq %rsp, %rax
    subq $ist2_top, %rax
    show frame, %rax
    end_of_interrupt
    end_fact
    fact interrupt_gate_missing, "code=283 rf=10000"          # EXT: not by INT n; a fault
    apic_on
    movq $1f, %rax
    gate 0x50, CODE64, 0x0e
    self 0x50
    on 11, 1f
    sti
    nop
    nop
1:  show code, "(%rsp)"
    movq 24(%rsp), %rax
    andl $0x10000, %eax
    show rf, %rax
    end_of_interrupt
    end_fact
    qemu_says "code=502 rf=0", "QEMU multiplies the vector by 16, has no EXT bit, and does not set RF"

# ---- The local APIC: priorities.
    fact apic_higher_first, "61 51"
    apic_on
    on 0x51, 1f
    on 0x61, 2f
    self 0x51
    self 0x61
    sti
    nop
    nop
    jmp 3f
1:  say 51
    end_of_interrupt
    jmp 3f
2:  say 61
    end_of_interrupt
    iretq
3:  cli
    end_fact
    fact apic_lower_waits_for_eoi, "61 eoi 51"
    apic_on
    on 0x51, 1f
    on 0x61, 2f
    self 0x61
    sti
    nop
    nop
    jmp 3f
2:  say 61
    self 0x51
    sti
    nop
    nop
    say eoi
    end_of_interrupt
    nop
    jmp 3f
1:  say 51
    end_of_interrupt
3:  cli
    end_fact
    fact apic_tpr_holds_back, "held 51"
    apic_on
    on 0x51, 1f
    apic TPR, 0x50
    self 0x51
    sti
    nop
    nop
    say held
    apic TPR, 0x40
    nop
    nop
    jmp 2f
1:  say 51
    end_of_interrupt
2:  cli
    apic TPR, 0
    end_fact
    fact apic_cr8_holds_back, "held 51"
    apic_on
    on 0x51, 1f
    movl $5, %eax
    movq %rax, %cr8
    self 0x51
    sti
    nop
    nop
    say held
    xorl %eax, %eax
    movq %rax, %cr8
    nop
    nop
    jmp 2f
1:  say 51
    end_of_interrupt
2:  cli
    xorl %eax, %eax
    movq %rax, %cr8
    end_fact
    fact apic_irr_and_isr, "irr=2 isr=0 then irr=0 isr=2"
    apic_on
    on 0x51, 1f
    self 0x41
    movl $APIC+0x220, %ebx
    movl (%rbx), %ecx
    show irr, %rcx
    movl $APIC+0x120, %ebx
    movl (%rbx), %ecx
    show isr, %rcx
    on 0x41, 1f
    sti
    nop
    nop
1:  say then
    movl $APIC+0x220, %ebx
    movl (%rbx), %ecx
    show irr, %rcx
    movl $APIC+0x120, %ebx
    movl (%rbx), %ecx
    show isr, %rcx
    end_of_interrupt
    end_fact
    fact apic_timer, "taken"
    apic_on
    on 0x52, 1f
    apic 0x3e0, 0xb
    apic 0x320, 0x52
    apic 0x380, 1000
    sti
2:  hlt
    jmp 2b
1:  say taken
    end_of_interrupt
    apic 0x320, 0x10052
    end_fact

# ---- NMI.
    fact nmi_with_if_0, "nmi"
    apic_on
    on 2, 2f
    self_nmi
    movl $100, %ecx                               # when it comes is not said; here at the latest
1:  loop 1b
    jmp 3f
2:  say nmi
    iretq
3:  end_fact
    fact nmi_blocks_nmi, "first second"           # until IRET
    apic_on
    on 2, 1f
    self_nmi
    movl $100, %ecx
4:  loop 4b
    jmp 3f
1:  on 2, 2f
    self_nmi
    movl $100, %ecx
4:  loop 4b
    say first
    movl $100, %ecx
    iretq
2:  say second
    pushq $DATA0
    pushq $stack_top
    pushq $2
    pushq $CODE64
    pushq $3f
    iretq
3:  end_fact

# ---- 8259 and 8254.
    fact pic_timer, "taken isr=1"
    pic_open 0xfe
    on 0x20, 1f
    pit_once
    sti
2:  hlt
    jmp 2b
1:  say taken
    movb $0x0b, %al
    outb %al, $0x20
    inb $0x20, %al
    movzbl %al, %eax
    show isr, %rax
    movb $0x20, %al
    outb %al, $0x20
    end_fact
    fact pic_masked, "irr=1"
    pic_open 0xff
    pit_once
    movl $20000, %ecx
1:  inb $0x80, %al
    loop 1b
    movb $0x0a, %al
    outb %al, $0x20
    inb $0x20, %al
    andl $1, %eax
    show irr, %rax
    end_fact
    fact pic_needs_eoi, "first held second"
    pic_open 0xfe
    on 0x20, 1f
    pit_once
    sti
2:  hlt
    jmp 2b
1:  say first
    on 0x20, 3f
    pit_once
    sti
    movl $20000, %ecx
1:  inb $0x80, %al
    loop 1b
    say held
    movb $0x20, %al
    outb %al, $0x20
    nop
    nop
    jmp 4f
3:  say second
    movb $0x20, %al
    outb %al, $0x20
4:  cli
    end_fact
