# Real mode (Intel SDM vol. 3, 20.1 "Real-Address Mode").
    .include "harness32.inc"

    .balign 4
real_byte: .long 0

    .macro real_fact name, line
    fact \name, "\line"
    real 8f
    .code16
8:
    .endm
    .macro end_real
    leave_mode
    .code32
    finish_fact
    .endm
# Shown after leaving: the register as it was.
    .macro end_real_show name, register
    leave_mode
    .code32
7:  show \name, last_\register
    end_fact
    .endm
    .macro then
    movl $7f, resume_at-REAL_BASE
    .endm

# ---- Exceptions in real mode: no error codes (20.1.4); a fault's IP is that of the instruction.
    real_fact real_de, "#DE +0"
9:  divl %ecx
    end_real
    real_fact real_ud, "#UD +0"
9:  ud2
    end_real
    real_fact real_int3, "#BP +1"
9:  int3
    end_real
    real_fact real_into, "#OF +1"
    movb $0x7f, %al
    addb $1, %al
9:  into
    end_real
    real_fact real_bound, "#BR +0"
    pushw $5
    pushw $1
    movw %sp, %bp
    movw $6, %ax
9:  boundw %ax, (%bp)
    end_real
    real_fact real_nm, "#NM +0"
    movl %cr0, %eax
    orb $8, %al
    movl %eax, %cr0
9:  fnop
    end_real
    real_fact real_protected_instructions, "#UD +0"     # 20.1.3: LLDT, LTR, LAR, ARPL and others are invalid
9:  lldt %ax
    end_real
    real_fact real_arpl, "#UD +0"
9:  arpl %ax, %ax
    end_real
    real_fact real_lar, "#UD +0"
9:  lar %ax, %ax
    end_real
    real_fact real_move_to_cs, "#UD +0"
9:  .byte 0x8e, 0xc8
    end_real
    real_fact real_db_step, "#DB +1"
    pushw $0x102
    popfw
9:  nop
    nop
    end_real
    real_fact real_icebp, "#DB +1"
9:  .byte 0xf1
    end_real
    real_fact real_length, "#GP +0"
9:  .fill 15, 1, 0x66
    nop
    end_real
    real_fact real_limit, "#GP +0"                # 20.1.1: offsets are checked against ffff
    movw $0xffff, %bx
9:  movw (%bx), %ax
    end_real
    real_fact real_limit_stack, "#SS +0"
    movw $0xffff, %bp
9:  movw (%bp), %ax
    end_real

    qemu_says_of "ok", "QEMU checks no limits of segments", real_limit, real_limit_stack
    known_of "ok", "the engine checks no limits of segments", real_limit, real_limit_stack
    qemu_says_of "#UD +0", "QEMU has no INT1", real_icebp

# ---- INT and its frame (20.1.4).
    real_fact int_pushes, "sp=6ffa flags=202 if=0"
    then
    movw $4f-REAL_BASE, %es:0x40*4
    movw $REAL_SEGMENT, %es:0x40*4+2
    sti
    int $0x40
4:  movw %sp, %ax
    popw %bx
    popw %bx
    popw %cx
    pushfw
    popw %dx
    movl $0x6000, %esp
    leave_mode
    .code32
7:  show sp, last_eax
    andl $0x202, last_ecx
    show flags, last_ecx
    andl $0x200, last_edx
    show if, last_edx
    end_fact
    real_fact iret_16, "cs=ffff sp=7000"
    then
    pushw $0x202
    pushw $REAL_SEGMENT
    pushw $4f-REAL_BASE
    iretw
4:  movw %cs, %ax
    movw %sp, %bx
    cli
    leave_mode
    .code32
7:  andl $0xffff, last_eax
    andl $0xffff, last_ebx
    show cs, last_eax
    show sp, last_ebx
    end_fact
    real_fact int_beyond_limit, "#GP +0"          # a vector outside the table
    movw $0x7f, %es:0x600
    movl $0, %es:0x602
    lidtl %es:0x600
9:  int $0x40
    end_real
    real_fact hardware_interrupt, "taken"
    then
    movw $4f-REAL_BASE, %es:0x20*4
    movw $REAL_SEGMENT, %es:0x20*4+2
    movb $0x11, %al
    outb %al, $0x20
    movb $0x20, %al
    outb %al, $0x21
    movb $4, %al
    outb %al, $0x21
    movb $1, %al
    outb %al, $0x21
    movb $0xfe, %al
    outb %al, $0x21
    movb $0x30, %al
    outb %al, $0x43
    movb $50, %al
    outb %al, $0x40
    movb $0, %al
    outb %al, $0x40
    sti
3:  hlt
    jmp 3b
4:  movb $0x20, %al
    outb %al, $0x20
    leave_mode
    .code32
7:  say taken
    end_fact

# ---- Addresses.
    real_fact segment_times_16, "eax=5a"
    then
    movw $0x1234, %ax
    movw %ax, %es
    movb $0x5a, %es:0x10
    movw $0x1235, %ax
    movw %ax, %es
    xorl %eax, %eax
    movb %es:0, %al
    end_real_show eax, eax
    real_fact above_1_mib, "eax=5a"               # A20 is open: ffff:0010 is 1 MiB
    then
    movb $0x5a, real_byte-REAL_BASE
    xorl %eax, %eax
    movb real_byte-REAL_BASE, %al
    end_real_show eax, eax
    real_fact big_real_mode, "eax=1234"           # a 4 GiB limit loaded in protected mode stays
    then
    cli
    lgdtl gdt_pointer-REAL_BASE
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    jmp 3f
3:  movw $DATA0, %bx
    movw %bx, %fs
    andb $~1, %al
    movl %eax, %cr0
    jmp 4f
4:  movl $FRAMES, %ebx
    movw $0x1234, %fs:(%ebx)
    xorl %eax, %eax
    movw %fs:(%ebx), %ax
    end_real_show eax, eax
