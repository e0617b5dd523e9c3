# Paging in long mode (Intel SDM vol. 3, chapter 4): accessed and dirty bits, large pages, reserved bits, error
# codes, accesses that cross a page, and translations that change.
    .include "harness64.inc"

    .set DEEP_BITS, P+W+U

# The path to DEEP, with the leaf at one of three levels.
    .macro deep_4k leaf_bits=P+W+U
    movq $deep_pdpt+P+W+U, deep_pml4_entry
    movq $deep_pd+P+W+U, deep_pdpt
    movq $deep_pt+P+W+U, deep_pd
    movabsq $FRAMES+\leaf_bits, %rax
    movq %rax, deep_pt
    movabsq $DEEP, %rbx
    .endm
    .macro deep_2m leaf_bits=P+W+U+PS
    movq $deep_pdpt+P+W+U, deep_pml4_entry
    movq $deep_pd+P+W+U, deep_pdpt
    movabsq $FRAMES+\leaf_bits, %rax
    movq %rax, deep_pd
    movabsq $DEEP, %rbx
    .endm
    .macro deep_1g leaf_bits=P+W+U+PS
    movq $deep_pdpt+P+W+U, deep_pml4_entry
    movabsq $\leaf_bits, %rax
    movq %rax, deep_pdpt
    movabsq $DEEP+FRAMES, %rbx
    .endm
# The low bits of the entries on the path.
    .macro show_entry name, place
    movq \place, %rax
    andl $0xfff, %eax
    show \name, %rax
    .endm
    .macro show_path_4k
    show_entry pml4, deep_pml4_entry
    show_entry pdpt, deep_pdpt
    show_entry pd, deep_pd
    show_entry pt, deep_pt
    .endm
    .macro show_path_2m
    show_entry pml4, deep_pml4_entry
    show_entry pdpt, deep_pdpt
    show_entry pd, deep_pd
    .endm
    .macro show_path_1g
    show_entry pml4, deep_pml4_entry
    show_entry pdpt, deep_pdpt
    .endm

# ---- 4.8 "Accessed and Dirty Flags": A in every entry used, D in the leaf of a write.
    fact ad_4k_nothing, "pml4=7 pdpt=7 pd=7 pt=7"
    deep_4k
    show_path_4k
    end_fact
    fact ad_4k_read, "pml4=27 pdpt=27 pd=27 pt=27"
    deep_4k
    movb (%rbx), %al
    show_path_4k
    end_fact
    fact ad_4k_write, "pml4=27 pdpt=27 pd=27 pt=67"
    deep_4k
    movb %al, (%rbx)
    show_path_4k
    end_fact
    fact ad_4k_read_then_write, "pml4=27 pdpt=27 pd=27 pt=67"
    deep_4k
    movb (%rbx), %al
    movb %al, (%rbx)
    show_path_4k
    end_fact
    fact ad_4k_fetch, "pml4=27 pdpt=27 pd=27 pt=27"
    deep_4k
    movb $0xc3, FRAMES
    call *%rbx
    show_path_4k
    end_fact
    fact ad_4k_rmw, "pml4=27 pdpt=27 pd=27 pt=67"
    deep_4k
    addq $1, (%rbx)
    show_path_4k
    end_fact
    fact ad_4k_failed_compare_exchange, "pml4=27 pdpt=27 pd=27 pt=67"   # vol. 2, "CMPXCHG": it always writes
    deep_4k
    movl $5, %eax
    lock cmpxchgl %ecx, (%rbx)
    show_path_4k
    end_fact
    fact ad_4k_compare, "pml4=27 pdpt=27 pd=27 pt=27"
    deep_4k
    cmpl $5, (%rbx)
    show_path_4k
    end_fact
    fact ad_4k_write_wp_off, "pml4=27 pdpt=27 pd=27 pt=65"
    deep_4k P+U
    movl $BASE_CR0-0x10000, %ecx
    movq %rcx, %cr0
    movb %al, (%rbx)
    show_path_4k
    end_fact
    fact ad_4k_user_write, "pml4=27 pdpt=27 pd=27 pt=67"
    deep_4k
    resume 2f
    user 1f
1:  movb %al, (%rbx)
    leave
2:  show_path_4k
    end_fact
    fact ad_4k_after_clearing, "pml4=27 pdpt=27 pd=27 pt=27 pt=67"      # with the flush that 4.8 asks for
    deep_4k
    movb %al, (%rbx)
    andq $~(A+D), deep_pt
    invlpg (%rbx)
    movb (%rbx), %al
    show_path_4k
    movb %al, (%rbx)
    show_entry pt, deep_pt
    end_fact
    fact ad_4k_write_refused, "#PF(3) +0 cr2=8000000000 dirty=0"
    deep_4k P+U
    resume 1f
9:  movb %al, (%rbx)
1:  movq deep_pt, %rax
    andl $D, %eax
    show dirty, %rax
    end_fact
    fact ad_2m_read, "pml4=27 pdpt=27 pd=a7"
    deep_2m
    movb (%rbx), %al
    show_path_2m
    end_fact
    fact ad_2m_write, "pml4=27 pdpt=27 pd=e7"
    deep_2m
    movb %al, 0x12345(%rbx)
    show_path_2m
    end_fact
    fact ad_2m_fetch, "pml4=27 pdpt=27 pd=a7"
    deep_2m
    movb $0xc3, FRAMES
    call *%rbx
    show_path_2m
    end_fact
    fact ad_1g_read, "pml4=27 pdpt=a7"
    deep_1g
    movb (%rbx), %al
    show_path_1g
    end_fact
    fact ad_1g_write, "pml4=27 pdpt=e7"
    deep_1g
    movb %al, (%rbx)
    show_path_1g
    end_fact
    fact ad_1g_fetch, "pml4=27 pdpt=a7"
    deep_1g
    movb $0xc3, FRAMES
    call *%rbx
    show_path_1g
    end_fact
    fact ad_crossing_write, "first=67 second=67"
    map 0, FRAMES+P+W+U
    map 1, FRAMES+0x1000+P+W+U
    movq %rcx, TEST+0xffc
    show_entry first, test_pt
    show_entry second, test_pt+8
    end_fact
    fact ad_crossing_read, "first=27 second=27"
    map 0, FRAMES+P+W+U
    map 1, FRAMES+0x1000+P+W+U
    movq TEST+0xffc, %rcx
    show_entry first, test_pt
    show_entry second, test_pt+8
    end_fact
    fact ad_of_stack_at_delivery, "#UD +0 pt=63"
    map 0, FRAMES+P+W
    movq $TEST+0x1000, tss+36
    movb $1, idt+6*16+4
    resume 1f
9:  ud2
1:  show_entry pt, test_pt
    end_fact
    fact ad_of_idt, "#BP +1 pt=21"
    map 0, FRAMES+P
    movq $idt, %rsi
    movq $FRAMES, %rdi
    movl $512, %ecx
    rep movsq
    movw $0xfff, 0x80800
    movq $TEST, 0x80802
    lidt 0x80800
    resume 1f
9:  int3
1:  show_entry pt, test_pt
    end_fact

# ---- 4.7 "Page-Fault Exceptions": the error code.
    fact pf_read, "#PF(0) +0 cr2=60000123"
9:  movb TEST+0x123, %al
    end_fact
    fact pf_write, "#PF(2) +0 cr2=60000ffe"
9:  movw %ax, TEST+0xffe
    end_fact
    fact pf_rmw, "#PF(2) +0 cr2=60000010"
9:  incl TEST+0x10
    end_fact
    qemu_says "#PF(0) +0 cr2=60000010", "QEMU reads first, and says that"
    fact pf_fetch, "#PF(10) @60000000 cr2=60000000"
    movl $TEST, %eax
    jmp *%rax
    finish_fact
    fact pf_fetch_without_nx, "#PF(0) @60000000 cr2=60000000"   # I/D only with NXE or SMEP
    movl $0xc0000080, %ecx
    rdmsr
    btrl $11, %eax
    wrmsr
    movl $TEST, %eax
    jmp *%rax
    finish_fact
    fact pf_fetch_with_smep_alone, "#PF(10) @60000000 cr2=60000000"
    movl $0xc0000080, %ecx
    rdmsr
    btrl $11, %eax
    wrmsr
    movl $BASE_CR4+0x100000, %eax
    movq %rax, %cr4
    movl $TEST, %eax
    jmp *%rax
    finish_fact
    fact pf_user_read, "#PF(4) +0 cr2=60000000"
    user 9f
9:  movb TEST, %al
    end_fact
    fact pf_user_write, "#PF(6) +0 cr2=60000000"
    user 9f
9:  movb %al, TEST
    end_fact
    fact pf_user_fetch, "#PF(14) @60000000 cr2=60000000"
    user 1f
1:  movl $TEST, %eax
    jmp *%rax
    finish_fact
    fact pf_push, "#PF(2) +0 cr2=60000ff8 rsp=60001000"
    movq $TEST+0x1000, %rsp
    movb $1, idt+14*16+4
    resume 1f
9:  pushq %rax
1:  show rsp, last_rsp
    end_fact
    fact pf_call, "#PF(2) +0 cr2=60000ff8 rsp=60001000"
    movq $TEST+0x1000, %rsp
    movb $1, idt+14*16+4
    resume 1f
9:  call 1f
1:  show rsp, last_rsp
    end_fact
    fact pf_pop_to_memory, "#PF(2) +0 cr2=60000000"
    pushq $5
9:  popq TEST
    end_fact
    fact pf_xchg, "#PF(2) +0 cr2=60000000 rax=77"
    movl $0x77, %eax
    resume 1f
9:  xchgq %rax, TEST
1:  show rax, %rax
    end_fact
    qemu_says "#PF(0) +0 cr2=60000000 rax=77", "QEMU reads first, and says that"
    fact pf_compare_exchange_read_only, "#PF(3) +0 cr2=60000000"        # a failed compare writes too
    map 0, FRAMES+P
    movl $5, %eax
9:  cmpxchgl %ecx, TEST
    end_fact
    fact pf_enter, "#PF(2) +0 cr2=60000ff8"
    movq $TEST+0x1000, %rsp
    movb $1, idt+14*16+4
9:  enter $16, $0
    end_fact
    fact pf_missing_pd, "#PF(0) +0 cr2=80000000"
    movl $TEST1G, %eax
9:  movb (%rax), %al
    end_fact
    fact pf_missing_pml4, "#PF(0) +0 cr2=8000000000"
    movabsq $DEEP, %rax
9:  movb (%rax), %al
    end_fact
    fact pf_upper_half, "#PF(2) +0 cr2=ffff800000000000"
    movabsq $0xffff800000000000, %rax
9:  movb %al, (%rax)
    end_fact
    fact pf_upper_level_read_only, "#PF(3) +0 cr2=8000000000"   # 4.6: R/W of every level counts
    deep_4k
    andq $~W, deep_pdpt
9:  movb %al, (%rbx)
    end_fact
    fact pf_upper_level_supervisor, "#PF(5) +0 cr2=8000000000"
    deep_4k
    andq $~U, deep_pd
    user 9f
9:  movb (%rbx), %al
    end_fact
    fact pf_upper_level_nx, "#PF(11) @8000000000 cr2=8000000000"
    deep_4k
    btsq $63, deep_pml4_entry
    jmp *%rbx
    finish_fact
    fact pf_2m_read_only, "#PF(3) +0 cr2=8000000000"
    deep_2m P+U+PS
9:  movb %al, (%rbx)
    end_fact
    fact pf_2m_nx, "#PF(11) @8000000000 cr2=8000000000"
    deep_2m P+W+U+PS+NX
    jmp *%rbx
    finish_fact
    fact pf_1g_supervisor, "#PF(5) +0 cr2=8001000000"
    deep_1g P+W+PS
    user 9f
9:  movb (%rbx), %al
    end_fact
    fact pf_clflush, "#PF(0) +0 cr2=60000000"     # vol. 2, "CLFLUSH": checked as a load
9:  clflush TEST
    end_fact
    qemu_says "ok", "QEMU's CLFLUSH touches nothing"
    known "ok", "the engine's CLFLUSH touches nothing and calls nobody"
    fact pf_prefetch_never, "ok"
9:  prefetcht0 TEST
    end_fact
    fact pf_nop_never, "ok"
9:  nopl TEST
    end_fact
    fact pf_lea_never, "ok"
9:  leaq TEST, %rax
    end_fact
    fact pf_cmov_not_taken, "#PF(0) +0 cr2=60000000"     # vol. 2, "CMOVcc": the operand is read in any case
    xorl %eax, %eax
9:  cmovnzl TEST, %eax
    end_fact
    fact pf_invlpg_never, "ok"
9:  invlpg TEST
    end_fact

# ---- 4.7: reserved bits are set: RSVD (8) with P.
    .macro reserved name, code, setup, bits, instruction, qemu_code
    fact reserved_\name, "#PF(\code) +0 cr2=8000000000"
    \setup (P+W+U+\bits)
9:  \instruction
    end_fact
    qemu_says "#PF(\qemu_code) +0 cr2=8000000000", "QEMU leaves P out"
    .endm
    reserved 4k_bit_51_read, 9, deep_4k, (1<<51), "movb (%rbx),%al", 8
    reserved 4k_bit_51_write, b, deep_4k, (1<<51), "movb %al,(%rbx)", a
    reserved 2m_bit_13_read, 9, deep_2m, PS+(1<<13), "movb (%rbx),%al", 8
    reserved 2m_bit_20_read, 9, deep_2m, PS+(1<<20), "movb (%rbx),%al", 8
    reserved 2m_bit_51_write, b, deep_2m, PS+(1<<51), "movb %al,(%rbx)", a
    fact reserved_1g_bit_13, "#PF(9) +0 cr2=8001000000"
    deep_1g P+W+U+PS+0x2000
9:  movb (%rbx), %al
    end_fact
    qemu_says "#PF(8) +0 cr2=8001000000", "QEMU leaves P out"
    fact reserved_1g_bit_29, "#PF(9) +0 cr2=8001000000"
    deep_1g P+W+U+PS+0x20000000
9:  movb (%rbx), %al
    end_fact
    qemu_says "#PF(8) +0 cr2=8001000000", "QEMU leaves P out"
    fact reserved_pml4_ps, "#PF(9) +0 cr2=8000000000"
    deep_4k
    orq $PS, deep_pml4_entry
9:  movb (%rbx), %al
    end_fact
    qemu_says "#PF(8) +0 cr2=8000000000", "QEMU leaves P out"
    fact reserved_user, "#PF(d) +0 cr2=8000000000"
    deep_4k P+W+U+(1<<51)
    user 9f
9:  movb (%rbx), %al
    end_fact
    qemu_says "#PF(c) +0 cr2=8000000000", "QEMU leaves P out"
    fact reserved_fetch, "#PF(19) @8000000000 cr2=8000000000"
    deep_4k P+W+U+(1<<51)
    jmp *%rbx
    finish_fact
    qemu_says "#PF(18) @8000000000 cr2=8000000000", "QEMU leaves P out"
    fact reserved_upper_level, "#PF(9) +0 cr2=8000000000"
    deep_4k
    btsq $51, deep_pd
9:  movb (%rbx), %al
    end_fact
    qemu_says "#PF(8) +0 cr2=8000000000", "QEMU leaves P out"
    fact reserved_nx_without_nxe, "#PF(9) +0 cr2=8000000000"
    deep_4k P+W+U+NX
    movl $0xc0000080, %ecx
    rdmsr
    btrl $11, %eax
    wrmsr
9:  movb (%rbx), %al
    end_fact
    qemu_says "#PF(8) +0 cr2=8000000000", "QEMU leaves P out"
    fact reserved_not_present, "#PF(0) +0 cr2=8000000000"       # 4.7: with P clear nothing is reserved
    deep_4k W+U+(1<<51)
9:  movb (%rbx), %al
    end_fact
    fact reserved_none_of_these, "ok"             # table 4-20: ignored bits, G, PAT, PWT, PCD
    deep_4k P+W+U+PWT+PCD+PS+G+0xe00+(0x7f<<52)
9:  movb (%rbx), %al
    end_fact
    fact reserved_2m_pat, "ok"
    deep_2m P+W+U+PS+G+(1<<12)
9:  movb (%rbx), %al
    end_fact

# ---- Accesses that cross from one page into the next.
    .macro second_missing
    map 0, FRAMES+P+W+U
    .endm
    fact cross_read, "#PF(0) +0 cr2=60001000"
    second_missing
9:  movq TEST+0xffc, %rax
    end_fact
    fact cross_write_leaves_first, "#PF(2) +0 cr2=60001000 first=0"
    second_missing
    movq $-1, %rax
    resume 1f
9:  movq %rax, TEST+0xffc
1:  movl FRAMES+0xffc, %eax
    show first, %rax
    end_fact
    fact cross_write_sse_leaves_first, "#PF(2) +0 cr2=60001000 first=0"
    second_missing
    pcmpeqb %xmm0, %xmm0
    resume 1f
9:  movups %xmm0, TEST+0xff8
1:  movq FRAMES+0xff8, %rax
    show first, %rax
    end_fact
    qemu_says "#PF(2) +0 cr2=60001000 first=ffffffffffffffff", "QEMU stores 16 bytes as two halves"
    known "#PF(2) +0 cr2=60001000 first=ffffffffffffffff", "the engine stores 16 bytes as two halves"
    fact cross_rmw, "#PF(2) +0 cr2=60001000 first=0"
    second_missing
    resume 1f
9:  notq TEST+0xffc
1:  movl FRAMES+0xffc, %eax
    show first, %rax
    end_fact
    qemu_says "#PF(0) +0 cr2=60001000 first=0", "QEMU reads first, and says that"
    fact cross_locked_rmw, "#PF(2) +0 cr2=60001000"
    second_missing
9:  lock incq TEST+0xffe
    end_fact
    qemu_says "#PF(0) +0 cr2=60001000", "QEMU reads first, and says that"
    fact cross_second_read_only, "#PF(3) +0 cr2=60001000 first=0"
    second_missing
    map 1, FRAMES+0x1000+P
    movq $-1, %rax
    resume 1f
9:  movq %rax, TEST+0xffc
1:  movl FRAMES+0xffc, %eax
    show first, %rax
    end_fact
    fact cross_first_read_only, "#PF(3) +0 cr2=60000ffc second=0"
    map 0, FRAMES+P
    map 1, FRAMES+0x1000+P+W
    movq $-1, %rax
    resume 1f
9:  movq %rax, TEST+0xffc
1:  movl FRAMES+0x1000, %eax
    show second, %rax
    end_fact
    fact cross_push, "#PF(2) +0 cr2=60001000 rsp=60001006"
    second_missing
    movb $1, idt+14*16+4
    movq $TEST+0x1006, %rsp
    resume 1f
9:  pushq %rax
1:  show rsp, last_rsp
    end_fact
    fact cross_both_present, "rax=807060504030201"
    map 0, FRAMES+0x2000+P+W
    map 1, FRAMES+P+W                             # not next to each other in memory
    movabsq $0x0807060504030201, %rcx
    movq %rcx, TEST+0xffd
    movq TEST+0xffd, %rax
    show rax, %rax
    end_fact
    fact cross_both_present_bytes, "first=30201 second=807060504"
    map 0, FRAMES+0x2000+P+W
    map 1, FRAMES+P+W
    movabsq $0x0807060504030201, %rcx
    movq %rcx, TEST+0xffd
    movl FRAMES+0x2ffc, %eax
    shrl $8, %eax
    show first, %rax
    movq FRAMES, %rax
    show second, %rax
    end_fact
    fact cross_fetch, "#PF(10) @60000ffe cr2=60001000"
    second_missing
    movw $0x05c7, FRAMES+0xffe                    # MOV mem, imm32: ten bytes
    movl $TEST+0xffe, %eax
    jmp *%rax
    finish_fact
    fact cross_fetch_after_others, "#PF(10) @60000ffc cr2=60001000 rcx=3"
    second_missing
    movl $0xc1ffc1ff, FRAMES+0xff6                # INC ECX, three times
    movw $0xc1ff, FRAMES+0xffa
    movl $0xb948, FRAMES+0xffc                    # MOV RCX, imm64
    resume 1f
    movl $TEST+0xff6, %eax
    jmp *%rax
1:  show rcx, %rcx
    end_fact
    fact cross_fetch_at_the_seam, "#PF(10) @60001000 cr2=60001000 rcx=2"
    second_missing
    movl $0xc1ffc1ff, FRAMES+0xffc
    resume 1f
    movl $TEST+0xffc, %eax
    jmp *%rax
1:  show rcx, %rcx
    end_fact
    fact cross_fetch_user, "#PF(14) @60000fff cr2=60001000"
    second_missing
    movb $0xb8, FRAMES+0xfff                      # MOV EAX, imm32
    user 1f
1:  movl $TEST+0xfff, %eax
    jmp *%rax
    finish_fact
    fact cross_fetch_nx, "#PF(11) @60000fff cr2=60001000"
    second_missing
    map 1, FRAMES+0x1000+P+W+NX
    movb $0xb8, FRAMES+0xfff
    movl $TEST+0xfff, %eax
    jmp *%rax
    finish_fact
    fact cross_fetch_whole, "rax=12345678"
    map 0, FRAMES+0x2000+P+W
    map 1, FRAMES+P+W
    movw $0x78b8, FRAMES+0x2ffe                   # MOV EAX, 0x12345678; RET
    movl $0xc3123456, FRAMES
    movl $TEST+0xffe, %eax
    call *%rax
    show rax, %rax
    end_fact

# ---- Translations that change (4.10.4 "Invalidation of TLBs and Paging-Structure Caches").
    .macro two_frames
    movb $0x11, FRAMES
    movb $0x22, FRAMES+0x1000
    map 0, FRAMES+P+W
    movzbl TEST, %ebx
    .endm
    fact tlb_invlpg, "before=11 after=22"
    two_frames
    map 0, FRAMES+0x1000+P+W
    invlpg TEST
    movzbl TEST, %ecx
    show before, %rbx
    show after, %rcx
    end_fact
    fact tlb_cr3, "before=11 after=22"
    two_frames
    map 0, FRAMES+0x1000+P+W
    movq %cr3, %rax
    movq %rax, %cr3
    movzbl TEST, %ecx
    show before, %rbx
    show after, %rcx
    end_fact
    fact tlb_global_by_pge, "before=11 after=22"
    movb $0x11, FRAMES
    movb $0x22, FRAMES+0x1000
    movl $BASE_CR4+0x80, %eax
    movq %rax, %cr4
    map 0, FRAMES+P+W+G
    movzbl TEST, %ebx
    map 0, FRAMES+0x1000+P+W+G
    movl $BASE_CR4, %eax
    movq %rax, %cr4
    movzbl TEST, %ecx
    show before, %rbx
    show after, %rcx
    end_fact
    fact tlb_global_by_invlpg, "before=11 after=22"
    movb $0x11, FRAMES
    movb $0x22, FRAMES+0x1000
    movl $BASE_CR4+0x80, %eax
    movq %rax, %cr4
    map 0, FRAMES+P+W+G
    movzbl TEST, %ebx
    map 0, FRAMES+0x1000+P+W+G
    invlpg TEST+0x800
    movzbl TEST, %ecx
    show before, %rbx
    show after, %rcx
    end_fact
    fact tlb_not_present_is_not_cached, "#PF(0) +0 cr2=60000000 after=11"       # 4.10.2.3: no entry for what is not there
    movb $0x11, FRAMES
    resume 1f
9:  movzbl TEST, %ecx
1:  map 0, FRAMES+P
    movzbl TEST, %ecx
    show after, %rcx
    end_fact
    fact tlb_fault_drops_its_entry, "#PF(3) +0 cr2=60000000 ok"         # 4.10.4.1: a #PF invalidates the address
    map 0, FRAMES+P
    movb TEST, %al
    resume 1f
9:  movb %al, TEST
1:  map 0, FRAMES+P+W
    movb %al, TEST
    say ok
    end_fact
    fact tlb_invlpg_of_2m_page, "before=11 after=22"     # 4.10.4.1: wherever in the page the operand is
    movb $0x11, FRAMES
    movq $FRAMES+P+W+PS, test_pd_entry
    movzbl TEST2M, %ebx
    movb $0x22, FRAMES+0x200000
    movq $FRAMES+0x200000+P+W+PS, test_pd_entry
    invlpg TEST2M+0x123456
    movzbl TEST2M, %ecx
    show before, %rbx
    show after, %rcx
    end_fact
    fact tlb_large_becomes_small, "before=11 after=22"
    movb $0x11, FRAMES
    movq $FRAMES+P+W+PS, test_pd_entry
    movzbl TEST2M, %ebx
    movb $0x22, FRAMES+0x1000
    movq $FRAMES+0x1000+P+W, deep_pt
    movq $deep_pt+P+W, test_pd_entry
    invlpg TEST2M
    movzbl TEST2M, %ecx
    show before, %rbx
    show after, %rcx
    end_fact
    fact tlb_invlpg_not_canonical, "ok"           # vol. 2, "INVLPG": nothing happens
    movabsq $0x800000000000, %rax
9:  invlpg (%rax)
    end_fact
    fact tlb_nx_set, "#PF(11) @60000000 cr2=60000000"
    movb $0xc3, FRAMES
    map 0, FRAMES+P+W
    movl $TEST, %ecx
    call *%rcx
    map 0, FRAMES+P+W+NX
    invlpg TEST
    call *%rcx
    end_fact
    fact tlb_fetched_is_not_readable, "#PF(1) +0 cr2=60000000"          # SMAP without SMEP: code of CPL 3 runs, and is no data
    movb $0xc3, FRAMES
    map 0, FRAMES+P+W+U
    movl $BASE_CR4+0x200000, %eax
    movq %rax, %cr4
    movl $TEST, %ecx
    call *%rcx
9:  movb TEST, %al
    end_fact
    fact alias_of_one_frame, "a=5a b=5a"
    map 0, FRAMES+P+W
    map 1, FRAMES+P+W
    movb $0x5a, TEST+0x10
    movzbl TEST+0x1010, %eax
    show a, %rax
    movzbl FRAMES+0x10, %eax
    show b, %rax
    end_fact
    fact table_maps_itself, "rax=ff"              # a page table as data, through itself
    movq $test_pt, %rax
    orq $P+W, %rax
    movq %rax, test_pt+8
    movb $0xff, FRAMES+0x1000
    movq $FRAMES+0x1000+P+W, TEST+0x1000+16       # entry 2, written through the mapping
    movzbl TEST+0x2000, %eax
    show rax, %rax
    end_fact
