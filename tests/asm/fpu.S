# x87, SSE and alignment (Intel SDM vol. 3, 2.5 and table 2-... "Action Taken for Combinations of EM, MP, TS"; 6.15 "#NM",
# "#MF", "#AC", "#XM"; vol. 1, chapters 8, 10 and 11).
    .include "harness64.inc"

    .set MP, 2
    .set EM, 4
    .set TS, 8
    .set NE, 0x20

    .macro with_cr0 name, line, set, clear, instruction
    fact cr0_\name, "\line"
    movq %cr0, %rax
    orq $\set, %rax
    andq $~(\clear), %rax
    movq %rax, %cr0
9:  \instruction
    end_fact
    .endm
    with_cr0 ts_x87, "#NM +0", TS, 0, fld1
    with_cr0 ts_sse, "#NM +0", TS, 0, "movaps %xmm0, %xmm1"
    with_cr0 ts_mmx, "#NM +0", TS, 0, "paddb %mm0, %mm1"
    with_cr0 ts_mp_wait, "#NM +0", TS+MP, 0, fwait
    with_cr0 ts_wait, "ok", TS, MP, fwait
    with_cr0 ts_fxsave, "#NM +0", TS, 0, "fxsave FRAMES"
    with_cr0 ts_integer, "ok", TS, 0, "sfence"
    with_cr0 em_x87, "#NM +0", EM, MP, fld1
    with_cr0 em_wait, "ok", EM, 0, fwait
    with_cr0 em_sse, "#UD +0", EM, 0, "movaps %xmm0, %xmm1"
    with_cr0 em_mmx, "#UD +0", EM, 0, "paddb %mm0, %mm1"
    with_cr0 em_fxsave, "#NM +0", EM, 0, "fxsave FRAMES"
    fact osfxsr_off_sse, "#UD +0"
    movl $BASE_CR4-0x200, %eax
    movq %rax, %cr4
9:  addps %xmm0, %xmm1
    end_fact
    fact osfxsr_off_before_ts, "#UD +0"
    movl $BASE_CR4-0x200, %eax
    movq %rax, %cr4
    movq %cr0, %rax
    orq $TS, %rax
    movq %rax, %cr0
9:  addps %xmm0, %xmm1
    end_fact
    known "#NM +0", "the engine looks at CR0.TS first"

# ---- #MF: at the next waiting instruction after the one that went wrong.
    .macro unmask_x87 word
    movw $\word, FRAMES+0x800
    fldcw FRAMES+0x800
    .endm
    fact mf_divide_by_zero, "#MF +2"
    unmask_x87 0x37b
    fld1
    fldz
9:  fdivrp
    fwait
    end_fact
    fact mf_at_next_x87, "#MF +2 status=8084"
    unmask_x87 0x37b
    fld1
    fldz
    resume 1f
9:  fdivrp
    fld1
1:  fnstsw %ax
    andl $0x80ff, %eax
    show status, %rax
    end_fact
    qemu_says "status=8084", "QEMU raises #MF at FWAIT alone"
    known "status=8084", "the engine raises #MF at FWAIT alone"
    fact mf_not_at_control, "ok"                  # FNSTSW, FNCLEX do not wait
    unmask_x87 0x37b
    fld1
    fldz
    fdivrp
9:  fnstsw %ax
    fnclex
    fwait
    end_fact
    fact mf_not_at_sse, "ok"
    unmask_x87 0x37b
    fld1
    fldz
    fdivrp
9:  addps %xmm0, %xmm1
    fnclex
    end_fact
    fact mf_stack_underflow, "#MF +2"
    unmask_x87 0x37e
9:  fadd %st(1), %st
    fwait
    end_fact
    qemu_says "ok", "QEMU has no stack faults"
    known "ok", "the engine has no stack faults"
    fact mf_by_unmasking, "#MF +0"                # FLDCW makes a past exception pending
    fld1
    fldz
    fdivrp
    movw $0x37b, FRAMES+0x800
    fldcw FRAMES+0x800
9:  fwait
    end_fact
    qemu_says "ok", "QEMU looks at FLDCW's masks too late"
    known "ok", "the engine looks at FLDCW's masks too late"
    fact mf_masked, "st=7ff0000000000000"
    fld1
    fldz
    fdivrp
    fstpl FRAMES
    movq FRAMES, %rax
    show st, %rax
    end_fact

# ---- #XM: SSE exceptions are faults of the instruction itself.
    .macro unmask_sse word
    movl $\word, FRAMES+0x800
    ldmxcsr FRAMES+0x800
    .endm
    fact xm_divide_by_zero, "#XM +0"
    unmask_sse 0x1d80
    movl $1, %eax
    cvtsi2sd %eax, %xmm0
    xorps %xmm1, %xmm1
9:  divsd %xmm1, %xmm0
    end_fact
    qemu_says "ok", "QEMU raises no SSE exception"
    known "ok", "the engine raises no SSE exception"
    fact xm_keeps_destination, "#XM +0 xmm0=3ff0000000000000"
    unmask_sse 0x1d80
    movl $1, %eax
    cvtsi2sd %eax, %xmm0
    xorps %xmm1, %xmm1
    resume 1f
9:  divsd %xmm1, %xmm0
1:  movq %xmm0, %rax
    show xmm0, %rax
    end_fact
    qemu_says "xmm0=7ff0000000000000", "QEMU raises no SSE exception"
    known "xmm0=7ff0000000000000", "the engine raises no SSE exception"
    fact xm_invalid, "#XM +0"
    unmask_sse 0x1f00
    xorps %xmm0, %xmm0
    xorps %xmm1, %xmm1
9:  divss %xmm1, %xmm0
    end_fact
    qemu_says "ok", "QEMU raises no SSE exception"
    known "ok", "the engine raises no SSE exception"
    fact xm_precision, "#XM +0"
    unmask_sse 0x0f80
    movl $1, %eax
    cvtsi2sd %eax, %xmm0
    movl $3, %eax
    cvtsi2sd %eax, %xmm1
9:  divsd %xmm1, %xmm0
    end_fact
    qemu_says "ok", "QEMU raises no SSE exception"
    known "ok", "the engine raises no SSE exception"
    fact xm_without_osxmmexcpt, "#UD +0"
    movl $BASE_CR4-0x400, %eax
    movq %rax, %cr4
    unmask_sse 0x1d80
    movl $1, %eax
    cvtsi2sd %eax, %xmm0
    xorps %xmm1, %xmm1
9:  divsd %xmm1, %xmm0
    end_fact
    qemu_says "ok", "QEMU raises no SSE exception"
    known "ok", "the engine raises no SSE exception"
    fact xm_masked_sets_flag, "mxcsr=1f84"
    movl $1, %eax
    cvtsi2sd %eax, %xmm0
    xorps %xmm1, %xmm1
    divsd %xmm1, %xmm0
    stmxcsr FRAMES
    movl FRAMES, %eax
    show mxcsr, %rax
    end_fact
    known "mxcsr=1f80", "the engine keeps no flags in MXCSR"
    fact mxcsr_reserved, "#GP(0) +0"
    movl $0x11f80, FRAMES
9:  ldmxcsr FRAMES
    end_fact
    qemu_says "ok", "QEMU takes any MXCSR"
    known "ok", "the engine takes any MXCSR"
    fact fxrstor_mxcsr_reserved, "#GP(0) +0"
    fxsave FRAMES
    orl $0x10000, FRAMES+24
9:  fxrstor FRAMES
    end_fact
    qemu_says "ok", "QEMU takes any MXCSR"
    known "ok", "the engine takes any MXCSR"

# ---- Alignment by instruction: #GP whatever CR0.AM says (vol. 1, 4.1.1; vol. 2, each instruction).
    .macro unaligned name, line, instruction
    fact unaligned_\name, "\line"
    movq $FRAMES+0x108, %rbx
9:  \instruction
    end_fact
    .endm
    unaligned movaps_load, "#GP(0) +0", "movaps (%rbx), %xmm0"
    unaligned movaps_store, "#GP(0) +0", "movaps %xmm0, (%rbx)"
    unaligned movdqa_load, "#GP(0) +0", "movdqa (%rbx), %xmm0"
    unaligned movntdq, "#GP(0) +0", "movntdq %xmm0, (%rbx)"
    unaligned addps, "#GP(0) +0", "addps (%rbx), %xmm0"
    unaligned movups, "ok", "movups (%rbx), %xmm0"
    unaligned movq, "ok", "movq 1(%rbx), %xmm0"
    unaligned fxsave, "#GP(0) +0", "fxsave (%rbx)"
    unaligned fxrstor, "#GP(0) +0", "fxrstor (%rbx)"
    unaligned cmpxchg16b, "#GP(0) +0", "lock cmpxchg16b (%rbx)"
    unaligned cmpxchg8b, "ok", "lock cmpxchg8b 1(%rbx)"
    unaligned lock_add, "ok", "lock addq $1, 1(%rbx)"
    known_of "ok", "the engine checks no alignment, and a hook at each SSE access would cost too much", unaligned_movaps_load, unaligned_movaps_store
    known_of "ok", "the engine checks no alignment, and a hook at each SSE access would cost too much", unaligned_movdqa_load, unaligned_movntdq, unaligned_addps
    fact cmpxchg8b_register, "#UD +0"
9:  .byte 0x0f, 0xc7, 0xc8
    end_fact
    fact cmpxchg16b_swaps, "zf=1 low=5 high=6"
    movq $5, %rbx
    movq $6, %rcx
    lock cmpxchg16b FRAMES
    setz %al
    movzbl %al, %eax
    show zf, %rax
    movq FRAMES, %rax
    show low, %rax
    movq FRAMES+8, %rax
    show high, %rax
    end_fact

# ---- #AC: CR0.AM, EFLAGS.AC and CPL 3 (vol. 3, 6.15 "#AC").
    .macro check name, line, am, rflags, instruction
    fact ac_\name, "\line"
    .if \am
    movl $BASE_CR0+0x40000, %eax
    movq %rax, %cr0
    .endif
    map 0, FRAMES+P+W+U
    movl $TEST, %ebx
    user 9f, \rflags
9:  \instruction
    leave
    end_fact
    .endm
    check load, "#AC(0) +0", 1, 0x40002, "movl 1(%rbx), %eax"
    check store, "#AC(0) +0", 1, 0x40002, "movw %ax, 1(%rbx)"
    check aligned, "ok", 1, 0x40002, "movl 4(%rbx), %eax"
    check byte, "ok", 1, 0x40002, "movb 1(%rbx), %al"
    check without_am, "ok", 0, 0x40002, "movl 1(%rbx), %eax"
    check without_ac, "ok", 1, 2, "movl 1(%rbx), %eax"
    fact ac_kernel, "ok"
    movl $BASE_CR0+0x40000, %eax
    movq %rax, %cr0
    stac
9:  movl FRAMES+1, %eax
    end_fact
    qemu_says_of "ok", "QEMU has no alignment check", ac_load, ac_store
    known_of "ok", "the engine has no alignment check", ac_load, ac_store
