# A fault while a double fault is delivered shuts the processor down (Intel SDM vol. 3, 6.15 "#DF"). It is the image's last
# fact: there is nothing after it.
    .include "harness64.inc"

    fact df_is_handled, "#DF(0) +0"
    movb $0x0e, idt+13*16+5
    movl $0x100, %eax
9:  movl %eax, %ds
    end_fact
    fact triple_fault, "shutdown"
    call put_line
    movb $0x0e, idt+13*16+5
    movb $0x0e, idt+8*16+5
    movl $0x100, %eax
9:  movl %eax, %ds
    end_fact
