# String instructions and string I/O that are interrupted by a fault: the registers say how far they came (Intel SDM
# vol. 2, "REP", "INS", "OUTS").
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
