# A PVH image that does what the first byte of its command line says:
#   !      takes an exception without an IDT: the processor shuts down
#   p      turns 32-bit paging on and leaves by isa-debug-exit with that byte
#   t      turns 32-bit paging on and throws its page table away: the processor shuts down
#   other  leaves by isa-debug-exit with that byte
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
    cmpb $'p', %al
    je paging
    cmpb $'t', %al
    jne leave
paging:
    movl $0x83, 0x200000     # 4 MiB, writable, onto themselves
    movl $0x200000, %ecx
    movl %ecx, %cr3
    movl %cr4, %ecx
    orl $0x10, %ecx          # CR4.PSE
    movl %ecx, %cr4
    movl %cr0, %ecx
    orl $0x80000000, %ecx    # CR0.PG
    movl %ecx, %cr0
    cmpb $'t', %al
    jne leave
    movl $0, 0x200000
    movl %cr3, %ecx
    movl %ecx, %cr3
leave:
    outb %al, $0xf4
fault:
    ud2
