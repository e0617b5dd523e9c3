# Code that is written while it runs, by itself and under other addresses (Intel SDM vol. 3, 8.1.3 "Handling Self- and
# Cross-Modifying Code").
    .include "harness64.inc"

# ---- Code that is written.
    fact code_own_next_instruction, "rax=22"      # a jump is enough between store and execution
    movb $0x22, 1f+1
    jmp 1f
1:  movb $0x11, %al
    show rax, %rax
    movb $0x11, 1b+1
    end_fact
    fact code_same_block, "rax=22"                # even without the jump, on what is one processor's own code
    movb $0x22, 1f+1
    nop
1:  movb $0x11, %al
    show rax, %rax
    movb $0x11, 1b+1
    end_fact
    fact code_loop_modifies_itself, "rax=3"       # ADD AL, imm8 with 1 and then 2
    movl $2, %ecx
1:  addb $1, %al
    incb 1b+1
    loop 1b
    movb $1, 1b+1
    show rax, %rax
    end_fact
    fact code_by_alias, "first=11 second=22"
    movl $0xc3c311b0, FRAMES                      # MOV AL, 0x11; RET
    map 0, FRAMES+P+W
    movl $TEST, %edx
    xorl %eax, %eax
    call *%rdx
    movl %eax, %ebx
    movb $0x22, FRAMES+1                          # through the other address
    call *%rdx
    show first, %rbx
    show second, %rax
    end_fact
    fact code_by_two_aliases, "a=11 b=33"
    movl $0xc3c311b0, FRAMES
    map 0, FRAMES+P+W
    map 1, FRAMES+P+W
    movl $TEST, %edx
    xorl %eax, %eax
    call *%rdx
    movl %eax, %ebx
    movb $0x33, TEST+0x1001
    call *%rdx
    show a, %rbx
    show b, %rax
    end_fact
    fact code_remapped, "a=11 b=22"
    movl $0xc3c311b0, FRAMES
    movl $0xc3c322b0, FRAMES+0x1000
    map 0, FRAMES+P+W
    movl $TEST, %edx
    xorl %eax, %eax
    call *%rdx
    movl %eax, %ebx
    map 0, FRAMES+0x1000+P+W
    invlpg TEST
    xorl %eax, %eax
    call *%rdx
    show a, %rbx
    show b, %rax
    end_fact
    fact code_across_pages_written, "a=4433 b=5533"
    map 0, FRAMES+P+W
    map 1, FRAMES+0x2000+P+W
    movl $0x33b86690, FRAMES+0xffc
    movw $0xc344, FRAMES+0x2000
    movl $TEST+0xffc, %edx
    xorl %eax, %eax
    call *%rdx
    movl %eax, %ebx
    movb $0x55, FRAMES+0x2000
    call *%rdx
    show a, %rbx
    show b, %rax
    end_fact
    fact code_by_rep_movs, "rax=66"
    movl $0xc3c366b0, FRAMES+0x2000
    movl $0xc3c311b0, FRAMES
    map 0, FRAMES+P+W
    movl $TEST, %edx
    call *%rdx
    movl $FRAMES+0x2000, %esi
    movl $FRAMES, %edi
    movl $4, %ecx
    rep movsb
    xorl %eax, %eax
    call *%rdx
    show rax, %rax
    end_fact
    fact code_on_the_stack, "rax=77"
    movabsq $0xc3c3c3c3c3c377b0, %rax
    pushq %rax
    xorl %eax, %eax
    call *%rsp
    show rax, %rax
    end_fact
    fact code_by_exception_frame, "rax=8"         # the frame of an interrupt is a store too
    map 0, FRAMES+P+W
    movb $0xc3, FRAMES+0x100-32                   # where CS will be stored
    movl $TEST+0x100-32, %edx
    call *%rdx
    movq $TEST+0x100, tss+36
    movq $1f, %rax
    gate 0x40, CODE64, 0x8e, 1
    int $0x40
1:  movq $stack_top, %rsp
    movzbl TEST+0x100-32, %eax
    show rax, %rax
    end_fact
