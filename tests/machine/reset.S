# A ROM of 64 KiB: what a processor finds when it starts (Intel SDM vol. 3, 9.1 "Initialization Overview"), as lines on
# COM1, the same here and under QEMU. It ends by isa-debug-exit with 0x10.
    .code16
    .macro say text
    movw $10f, %si
    call put_text
    jmp 11f
10: .asciz "\text"
11:
    .endm
    .macro is name, condition
    say "\name="
    movb $'1', %al
    j\condition 12f
    movb $'0', %al
12: call put_char
    movb $'\n', %al
    call put_char
    .endm

    .text
    .globl start
start:                                  # CS has the base ffff0000: nothing that changes it has run
    cli
    movl %edx, %ebp                     # the processor's signature
    movw %cs, %bx
    xorw %ax, %ax
    movw %ax, %ss
    movw $0x7000, %sp
    pushfl
    popl %ecx
    cmpl $2, %ecx
    is "flags are 2", e
    cmpw $0xf000, %bx
    is "cs is f000", e
    movl $1, %eax
    cpuid
    cmpl %eax, %ebp
    is "edx is the signature", e
    smsww %ax
    testw $1, %ax
    is "real mode", z
    sidtl 0x600
    cmpw $0x3ff, 0x600
    is "idt limit 3ff", e
    # Through CS these bytes come from the top of 4 GiB; through DS from the copy below 1 MiB.
    movw $0xf000, %ax
    movw %ax, %ds
    movl mark, %eax
    cmpl $0x4b52414d, %eax
    is "the copy is there", e
    movl $0x12345678, mark
    cmpl $0x12345678, mark
    is "the copy is ram", e
    cmpl $0x4b52414d, %cs:mark
    is "rom below 4 gib is not", e
    # A far jump takes CS to the copy.
    ljmp $0xf000, $low
low:
    cmpl $0x12345678, %cs:mark
    is "a far jump leaves rom", e
    # The gate of address line 20 is open: ffff:0510 is not 0000:0500.
    xorw %ax, %ax
    movw %ax, %ds
    notw %ax
    movw %ax, %es
    movl $0x11111111, 0x500
    movl $0x22222222, %es:0x510
    cmpl $0x11111111, 0x500
    is "address line 20 passes", e
    movw $0xf4, %dx
    movb $0x10, %al
    outb %al, %dx
1:  hlt
    jmp 1b

# SI: a text in this segment.
put_text:
    movb %cs:(%si), %al
    testb %al, %al
    jz 1f
    call put_char
    incw %si
    jmp put_text
1:  ret
# AL; flags stay.
put_char:
    pushfl
    pushw %dx
    pushw %ax
    movw $0x3fd, %dx
2:  inb %dx, %al
    testb $0x20, %al
    jz 2b
    popw %ax
    movw $0x3f8, %dx
    outb %al, %dx
    popw %dx
    popfl
    ret
    .balign 4
mark: .ascii "MARK"

    .org 0xfff0
    jmp start
    .org 0x10000
