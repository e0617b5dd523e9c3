# Page faults in long mode: error codes and reserved bits (Intel SDM vol. 3, 4.5, 4.7 "Page-Fault Exceptions").
    .include "harness64.inc"
    .include "deep.inc"

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
