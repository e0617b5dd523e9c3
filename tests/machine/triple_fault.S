# A PVH image that takes an exception without an IDT: the processor shuts down. And one that leaves by
# isa-debug-exit with the value that its command line's first byte is.
    .section .note.pvh, "a"
    .balign 4
    .long 4, 4, 18
    .asciz "Xen"
    .long start

    .code32
    .text
    .globl start
start:
    movl 24(%ebx), %esi      # hvm_start_info: cmdline_paddr
    testl %esi, %esi
    jz fault
    movzbl (%esi), %eax
    cmpb $'!', %al
    je fault
    outb %al, $0xf4
fault:
    ud2
