# A flat image that tells in which mode the processor is: one digit on COM1. 16-bit, 32-bit and 64-bit mode read
# the same bytes differently.
    .code16
    .globl start
start:
    .byte 0xb8, 0x00, 0x00      # 16: mov ax, 0            32 and 64: mov eax, 0x..eb0000
    jmp real                    #                          (the jump is part of the constant)
    .code64
    .byte 0x31, 0xc0            # xor eax, eax
    .byte 0x48                  # 64: REX.W                32: dec eax
    .byte 0x90                  # nop
    testl %eax, %eax
    movb $'6', %al
    jz say
    .code32
    movb $'3', %al
say:
    movw $0x3f8, %dx
    outb %al, %dx
    movb $0, %al
    outb %al, $0xf4
    .code16
real:
    movb $'1', %al
    movw $0x3f8, %dx
    outb %al, %dx
    movb $0, %al
    outb %al, $0xf4
