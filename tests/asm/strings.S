# String instructions and string I/O that are interrupted by a fault: the registers say how far they came (Intel SDM
# vol. 2, "REP", "INS", "OUTS"); and code that changes (vol. 3, 8.1.3 "Handling Self- and Cross-Modifying Code").
    .include "harness64.inc"

# RDI = TEST + 0x1000 - 3: three bytes fit before the page that is missing.
    .macro near_end
    map 0, FRAMES+P+W+U
    movl $TEST+0xffd, %edi
    movl $FRAMES+0x2000, %esi
    movl $10, %ecx
    .endm
    .macro show_string
    show rcx, %rcx
    show rsi, %rsi
    show rdi, %rdi
    .endm

    fact stos_bytes, "#PF(2) +0 cr2=60001000 rcx=7 rsi=1002000 rdi=60001000"
    near_end
    resume 1f
9:  rep stosb
1:  show_string
    end_fact
    fact stos_words, "#PF(2) +0 cr2=60001000 rcx=9 rsi=1002000 rdi=60000fff"
    near_end
    resume 1f
9:  rep stosw
1:  show_string
    end_fact
    fact movs_bytes, "#PF(2) +0 cr2=60001000 rcx=7 rsi=1002003 rdi=60001000"
    near_end
    resume 1f
9:  rep movsb
1:  show_string
    end_fact
    fact movs_source_missing, "#PF(0) +0 cr2=60001000 rcx=7 rsi=60001000 rdi=1002003"
    near_end
    xchgl %esi, %edi
    resume 1f
9:  rep movsb
1:  show_string
    end_fact
    fact movs_downwards, "#PF(2) +0 cr2=5fffffff rcx=8 rsi=1002000 rdi=5fffffff"
    map 0, FRAMES+P+W
    movl $TEST+1, %edi
    movl $FRAMES+0x2002, %esi
    movl $10, %ecx
    std
    resume 1f
9:  rep movsb
1:  show_string
    end_fact
    fact scas_missing, "#PF(0) +0 cr2=60001000 rcx=7 rsi=1002000 rdi=60001000"
    near_end
    movl $1, %eax
    resume 1f
9:  repne scasb
1:  show_string
    end_fact
    fact cmps_ends_in_time, "rcx=8 rsi=1002002 rdi=60000fff"
    near_end
    movb $1, FRAMES+0x2001
    repe cmpsb
    show_string
    end_fact
    fact lods_missing, "#PF(0) +0 cr2=60001000 rcx=7 rsi=60001000 rdi=1002000"
    near_end
    xchgl %esi, %edi
    resume 1f
9:  rep lodsb
1:  show_string
    end_fact
    fact stos_count_0, "rcx=0 rsi=1002000 rdi=60000ffd"   # nothing is touched
    near_end
    xorl %ecx, %ecx
    movl $TEST+0xffd, %edi
    rep stosb
    show_string
    end_fact
    fact stos_resumed, "#PF(2) +0 cr2=60001000 rcx=0 rsi=1002000 rdi=60001007 bytes=55555555"
    near_end
    movl $0x55, %eax
    resume 1f
9:  rep stosb
    jmp 2f
1:  pushq %rax
    map 1, FRAMES+0x1000+P+W
    popq %rax
    resume 2f
    jmp 9b
2:  show_string
    movl FRAMES+0x1000, %eax
    show bytes, %rax
    end_fact
    fact stos_32_bit_addresses, "rcx=0 rsi=1002000 rdi=60000fff"  # 67: ECX and EDI, zero-extended
    near_end
    movabsq $0xffffffff60000ffd, %rdi
    movabsq $0xffffffff00000002, %rcx
    addr32 rep stosb
    show_string
    end_fact
    fact stos_user, "#PF(6) +0 cr2=60001000 rcx=7 rsi=1002000 rdi=60001000"
    near_end
    resume 1f
    user 9f
9:  rep stosb
1:  show_string
    end_fact
    fact stos_canonical, "#GP(0) +0 rcx=7 rsi=0 rdi=800000000000"
    movabsq $0x7fffffffe000, %rax
    movabsq $0x7ffffffffffd, %rdi
    movq $deep_pdpt+P+W+U, pml4+255*8
    movq $deep_pd+P+W+U, deep_pdpt+511*8
    movq $deep_pt+P+W+U, deep_pd+511*8
    movq $FRAMES+P+W+U, deep_pt+511*8
    xorl %esi, %esi
    movl $10, %ecx
    resume 1f
9:  rep stosb
1:  movq $0, pml4+255*8
    show_string
    end_fact

# ---- INS and OUTS: the port is not touched for what cannot be stored.
    fact ins_missing, "#PF(2) +0 cr2=60001000 rcx=7 rsi=1002000 rdi=60001000"
    near_end
    movl $0x80, %edx
    resume 1f
9:  rep insb
1:  show_string
    end_fact
    fact outs_missing, "#PF(0) +0 cr2=60001000 rcx=7 rsi=60001000 rdi=1002000"
    near_end
    xchgl %esi, %edi
    movl $0x80, %edx
    resume 1f
9:  rep outsb
1:  show_string
    end_fact
    fact outs_refused, "#GP(0) +0 rcx=a rsi=60000ffd rdi=1002000"
    near_end
    xchgl %esi, %edi
    movl $0x80, %edx
    resume 1f
    user 9f
9:  rep outsb
1:  show_string
    end_fact
    fact ins_refused_before_page, "#GP(0) +0 rcx=1 rsi=1002000 rdi=60001000"     # permission first
    near_end
    movl $1, %ecx
    movl $TEST+0x1000, %edi
    movl $0x80, %edx
    resume 1f
    user 9f
9:  rep insb
1:  show_string
    end_fact

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
