# Segment registers, LDT and task register in long mode (Intel SDM vol. 3, chapters 3 and 5; vol. 2, "MOV", "LLDT",
# "LTR", "LAR", "LSL", "VERR/VERW").
    .include "harness64.inc"

# Descriptors: base 0 unless said.
    .set READ_ONLY, 0x00cf91000000ffff
    .set NOT_PRESENT, 0x00cf13000000ffff
    .set EXECUTE_ONLY, 0x00cf99000000ffff
    .set READABLE_CODE, 0x00cf9b000000ffff
    .set CONFORMING, 0x00cf9f000000ffff
    .set DATA_DPL3, 0x00cff3000000ffff
    .set NOT_ACCESSED, 0x00cf92000000ffff

    .macro load name, line, register, selector, value=0
    fact load_\name, "\line"
    .if \value
    descriptor SLOT, \value
    .endif
    movl $\selector, %eax
9:  movl %eax, %\register
    end_fact
    .endm

# ---- MOV to DS, ES, FS, GS.
    load ds_null, "ok", ds, 0
    load ds_null_rpl_3, "ok", ds, 3
    load ds_beyond_table, "#GP(100) +0", ds, 0x100
    load ds_without_ldt, "#GP(c) +0", ds, 0xc
    load ds_read_only, "ok", ds, SLOT, READ_ONLY
    load ds_execute_only, "#GP(60) +0", ds, SLOT, EXECUTE_ONLY
    load ds_readable_code, "ok", ds, SLOT, READABLE_CODE
    load ds_conforming_rpl_3, "ok", ds, SLOT+3, CONFORMING
    load ds_data_rpl_3, "#GP(10) +0", ds, DATA0+3
    load ds_code_rpl_3, "#GP(60) +0", ds, SLOT+3, READABLE_CODE
    load ds_system, "#GP(30) +0", ds, TSS
    load ds_empty, "#GP(68) +0", ds, 0x68
    load ds_not_present, "#NP(60) +0", ds, SLOT, NOT_PRESENT
    load es_not_present, "#NP(60) +0", es, SLOT, NOT_PRESENT
    load fs_not_present, "#NP(60) +0", fs, SLOT, NOT_PRESENT
    load gs_execute_only, "#GP(60) +0", gs, SLOT, EXECUTE_ONLY

# ---- MOV to SS: writable data of this very privilege.
    load ss_null, "ok", ss, 0
    load ss_null_rpl_3, "#GP(0) +0", ss, 3
    qemu_says "ok", "QEMU looks at RPL for no null selector"
    known "ok", "the engine looks at RPL for no null selector, and MOV to SS reaches no hook"
    load ss_read_only, "#GP(60) +0", ss, SLOT, READ_ONLY
    load ss_code, "#GP(8) +0", ss, CODE64
    load ss_dpl_3, "#GP(20) +0", ss, 0x20
    load ss_rpl_3, "#GP(10) +0", ss, DATA0+3
    load ss_not_present, "#SS(60) +0", ss, SLOT, NOT_PRESENT
    load ss_beyond_table, "#GP(100) +0", ss, 0x100

    .macro user_load name, line, register, selector, value=0
    fact user_load_\name, "\line"
    .if \value
    descriptor SLOT, \value
    .endif
    user 1f
1:  movl $\selector, %eax
9:  movl %eax, %\register
    leave
    end_fact
    .endm
    user_load ds_kernel, "#GP(10) +0", ds, DATA0
    user_load ds_user, "ok", ds, USER_DATA
    user_load ds_user_rpl_0, "ok", ds, 0x20
    user_load ds_kernel_code, "#GP(60) +0", ds, SLOT, READABLE_CODE
    user_load ds_conforming, "ok", ds, SLOT, CONFORMING
    user_load ss_null, "#GP(0) +0", ss, 3
    user_load ss_kernel, "#GP(10) +0", ss, DATA0
    user_load ss_user_rpl_0, "#GP(20) +0", ss, 0x20
    user_load gs_not_present, "#NP(60) +0", gs, SLOT, 0x00cf73000000ffff

    fact load_sets_accessed, "access=93"
    descriptor SLOT, NOT_ACCESSED
    movl $SLOT, %eax
    movl %eax, %es
    movzbl gdt+SLOT+5, %eax
    show access, %rax
    end_fact
    fact load_of_null_sets_nothing, "access=0"
    xorl %eax, %eax
    movl %eax, %es
    movzbl gdt+5, %eax
    show access, %rax
    end_fact
    fact load_refused_keeps_register, "#NP(60) +0 es=10"
    descriptor SLOT, NOT_PRESENT
    movl $SLOT, %eax
    resume 1f
9:  movl %eax, %es
1:  movl %es, %eax
    show es, %rax
    end_fact
    fact pop_fs_not_present, "#NP(60) +0 rsp=fffffffffffffff8"
    descriptor SLOT, NOT_PRESENT
    pushq $SLOT
    resume 1f
9:  popq %fs
1:  movq last_rsp, %rax
    subq $stack_top, %rax
    show rsp, %rax
    end_fact
    fact lss, "rsp=1234 ss=10"
    movl $0x1234, FRAMES
    movw $DATA0, FRAMES+4
    movq %rsp, %rbx
    lss FRAMES, %esp
    movl %ss, %ecx
    xchgq %rbx, %rsp
    show rsp, %rbx
    show ss, %rcx
    end_fact
    fact lfs_bad, "#GP(100) +0 rax=5"             # the register is not loaded either
    movl $0x99, FRAMES
    movw $0x100, FRAMES+4
    movl $5, %eax
    resume 1f
9:  lfs FRAMES, %eax
1:  show rax, %rax
    end_fact
    fact lgs_register, "#UD +0"
9:  .byte 0x0f, 0xb5, 0xc0
    end_fact

# ---- Bases and limits in 64-bit mode (3.4.4): only FS and GS have a base, and nothing a limit.
    fact base_of_ds_ignored, "rax=55"
    descriptor SLOT, 0x12cf93345678ffff
    movl $SLOT, %eax
    movl %eax, %ds
    movb $0x55, FRAMES
    movzbl %ds:FRAMES, %eax
    show rax, %rax
    end_fact
    fact base_of_fs, "rax=55"
    descriptor SLOT, 0x01cf93000000ffff           # base FRAMES
    movl $SLOT, %eax
    movl %eax, %fs
    movb $0x55, FRAMES+0x20
    movzbl %fs:0x20, %eax
    show rax, %rax
    end_fact
    fact base_of_gs_by_msr, "rax=55"
    movl $0xc0000101, %ecx
    movl $FRAMES, %eax
    xorl %edx, %edx
    wrmsr
    movb $0x55, FRAMES+0x20
    movzbl %gs:0x20, %eax
    show rax, %rax
    end_fact
    fact base_of_msr_after_load, "eax=1000000 edx=0"     # a load replaces all 64 bits
    movl $0xc0000100, %ecx
    movl $-1, %edx
    movl $-1, %eax
    wrmsr
    descriptor SLOT, 0x01cf93000000ffff
    movl $SLOT, %eax
    movl %eax, %fs
    movl $0xc0000100, %ecx
    rdmsr
    show eax, %rax
    show edx, %rdx
    end_fact
    fact limit_of_fs_ignored, "ok"
    descriptor SLOT, 0x0040930000000000
    movl $SLOT, %eax
    movl %eax, %fs
9:  movb %fs:FRAMES, %al
    end_fact
    fact swapgs, "rax=5000 rdx=0 then=7000"
    movl $0xc0000101, %ecx
    xorl %edx, %edx
    movl $0x7000, %eax
    wrmsr
    movl $0xc0000102, %ecx
    movl $0x5000, %eax
    wrmsr
    swapgs
    movl $0xc0000101, %ecx
    rdmsr
    show rax, %rax
    show rdx, %rdx
    movl $0xc0000102, %ecx
    rdmsr
    show then, %rax
    end_fact

# ---- LDT and task register: 16-byte descriptors.
    .macro ldt_descriptor access=0x82, high=0
    movabsq $0x1f|(FRAMES&0xffffff)<<16|(\access)<<40|(FRAMES>>24)<<56, %rax
    movq %rax, gdt+LDT
    movabsq $\high, %rax
    movq %rax, gdt+LDT+8
    .endm
    fact lldt_null, "ok"
    xorl %eax, %eax
9:  lldt %ax
    end_fact
    fact lldt_of_a_tss, "#GP(30) +0"
    movl $TSS, %eax
9:  lldt %ax
    end_fact
    fact lldt_not_present, "#NP(40) +0"
    ldt_descriptor 0x02
    movl $LDT, %eax
9:  lldt %ax
    end_fact
    fact lldt_in_ldt, "#GP(44) +0"
    ldt_descriptor
    movl $LDT+4, %eax
9:  lldt %ax
    end_fact
    fact lldt_upper_type, "#GP(40) +0"            # vol. 3, 3.5.2 and figure 8-4: bits 12:8 of the last word are 0
    ldt_descriptor 0x82, 0x0000080000000000
    movl $LDT, %eax
9:  lldt %ax
    end_fact
    qemu_says "ok", "QEMU does not look at it"
    fact lldt_beyond_table, "#GP(f8) +0"          # its second half lies outside
    movabsq $0x0000820000000000, %rax
    movq %rax, gdt+0xf8
    movl $0xf8, %eax
9:  lldt %ax
    end_fact
    fact sldt, "rax=40"
    ldt_descriptor
    movl $LDT, %eax
    lldt %ax
    xorl %eax, %eax
    sldt %ax
    show rax, %rax
    end_fact
    fact ldt_load, "ok"
    ldt_descriptor
    movl $LDT, %eax
    lldt %ax
    movabsq $READ_ONLY, %rax
    movq %rax, FRAMES+8
    movl $0xc, %eax
9:  movl %eax, %ds
    end_fact
    fact ldt_entry_0_is_not_null, "ok"            # 3.4.2: only entry 0 of the GDT is
    ldt_descriptor
    movl $LDT, %eax
    lldt %ax
    movabsq $READ_ONLY, %rax
    movq %rax, FRAMES
    movl $4, %eax
9:  movl %eax, %ds
    end_fact
    fact ldt_beyond_limit, "#GP(24) +0"
    ldt_descriptor
    movl $LDT, %eax
    lldt %ax
    movl $0x24, %eax
9:  movl %eax, %ds
    end_fact
    fact ltr_null, "#GP(0) +0"
    xorl %eax, %eax
9:  ltr %ax
    end_fact
    qemu_says "ok", "QEMU loads a null task register"
    fact ltr_busy, "#GP(30) +0"
    movl $TSS, %eax
9:  ltr %ax
    end_fact
    fact ltr_code, "#GP(8) +0"
    movl $CODE64, %eax
9:  ltr %ax
    end_fact
    fact ltr_not_present, "#NP(30) +0"
    movb $0x09, gdt+TSS+5
    movl $TSS, %eax
9:  ltr %ax
    end_fact
    fact ltr_makes_busy, "access=8b"
    movb $0x89, gdt+TSS+5
    movl $TSS, %eax
    ltr %ax
    movzbl gdt+TSS+5, %eax
    show access, %rax
    end_fact
    fact str, "rax=30"
    str %eax
    show rax, %rax
    end_fact

# ---- LAR, LSL, VERR, VERW: ZF, and the register where ZF is set.
    .macro ask name, line, instruction, selector, value=0, from=kernel
    fact \name, "\line"
    .if \value
    descriptor SLOT, \value
    .endif
    movl $\selector, %ecx
    movl $0x77, %eax
    .ifc \from, user
    resume 2f
    user 1f
1:
    .endif
    \instruction
    setz %bl
    .ifc \from, user
    leave
2:
    .endif
    movzbl %bl, %ebx
    andl $0xfff0ffff, %eax                        # LAR: bits 19:16 are undefined
    show zf, %rbx
    show rax, %rax
    end_fact
    .endm
    ask lar_data, "zf=1 rax=c09300", "lar %ecx,%eax", DATA0
    ask lar_tss, "zf=1 rax=8b00", "lar %ecx,%eax", TSS
    ask lar_null, "zf=0 rax=77", "lar %ecx,%eax", 0
    ask lar_empty, "zf=0 rax=77", "lar %ecx,%eax", 0x68
    ask lar_interrupt_gate, "zf=0 rax=77", "lar %ecx,%eax", SLOT, 0x00008e0000080000
    ask lar_call_gate, "zf=1 rax=8c00", "lar %ecx,%eax", SLOT, 0x00008c0000080000
    ask lar_not_present, "zf=1 rax=c01300", "lar %ecx,%eax", SLOT, NOT_PRESENT
    ask lar_kernel_data_from_user, "zf=0 rax=77", "lar %ecx,%eax", DATA0, 0, user
    ask lar_user_data_from_user, "zf=1 rax=c0f300", "lar %ecx,%eax", USER_DATA, 0, user
    ask lsl_flat, "zf=1 rax=fff0ffff", "lsl %ecx,%eax", DATA0
    ask lsl_bytes, "zf=1 rax=2345", "lsl %ecx,%eax", SLOT, 0x0040930000002345
    ask lsl_tss, "zf=1 rax=ef", "lsl %ecx,%eax", TSS
    ask lsl_call_gate, "zf=0 rax=77", "lsl %ecx,%eax", SLOT, 0x00008c0000080000
    ask verr_data, "zf=1 rax=77", "verr %cx", DATA0
    ask verr_execute_only, "zf=0 rax=77", "verr %cx", SLOT, EXECUTE_ONLY
    ask verr_kernel_data_from_user, "zf=0 rax=77", "verr %cx", DATA0, 0, user
    ask verw_data, "zf=1 rax=77", "verw %cx", DATA0
    ask verw_read_only, "zf=0 rax=77", "verw %cx", SLOT, READ_ONLY
    ask verw_code, "zf=0 rax=77", "verw %cx", CODE64
    ask verw_null, "zf=0 rax=77", "verw %cx", 0

# ---- Compatibility mode: bases, limits and types count (5.3 "Limit Checking", 5.5 "Type Checking").
    .macro compat name, line, value, instruction
    fact compat_\name, "\line"
    descriptor SLOT, \value
    kernel32 1f
    .code32
1:  movl $SLOT, %eax
    movl %eax, %es
9:  \instruction
    leave
    .code64
    end_fact
    .endm
    compat base, "ok", 0x01cf93000000ffff, "movb %es:0x20, %al"
    compat in_limit, "ok", 0x0040930000000fff, "movb %es:0xfff, %al"
    compat beyond_limit, "#GP(0) +0", 0x0040930000000fff, "movb %es:0x1000, %al"
    qemu_says "ok", "QEMU checks no limits and types of segments"
    known "ok", "the engine checks no limits and types of segments, and says nothing of loads of segments"
    compat crossing_limit, "#GP(0) +0", 0x0040930000000fff, "movl %es:0xffd, %eax"
    qemu_says "ok", "QEMU checks no limits and types of segments"
    known "ok", "the engine checks no limits and types of segments, and says nothing of loads of segments"
    compat expand_down_below, "#GP(0) +0", 0x0040970000000fff, "movb %es:0xfff, %al"
    qemu_says "ok", "QEMU checks no limits and types of segments"
    known "ok", "the engine checks no limits and types of segments, and says nothing of loads of segments"
    compat expand_down_above, "ok", 0x0040970000000fff, "movb %es:0x1000, %al"
    compat write_read_only, "#GP(0) +0", 0x00cf91000000ffff, "movb %al, %es:0x100000"
    qemu_says "ok", "QEMU checks no limits and types of segments"
    known "ok", "the engine checks no limits and types of segments, and says nothing of loads of segments"
    compat write_code, "#GP(0) +0", 0x00cf9b000000ffff, "movb %al, %es:0x100000"
    qemu_says "ok", "QEMU checks no limits and types of segments"
    known "ok", "the engine checks no limits and types of segments, and says nothing of loads of segments"
    fact compat_null, "#GP(0) +0"
    kernel32 1f
    .code32
1:  xorl %eax, %eax
    movl %eax, %es
9:  movb %es:0x100000, %al
    leave
    .code64
    end_fact
    qemu_says "ok", "QEMU checks no limits and types of segments"
    known "ok", "the engine checks no limits and types of segments, and says nothing of loads of segments"
    fact compat_write_by_cs, "#GP(0) +0"
    kernel32 1f
    .code32
1:
9:  movb %al, %cs:0x80800
    leave
    .code64
    end_fact
    qemu_says "ok", "QEMU checks no limits and types of segments"
    known "ok", "the engine checks no limits and types of segments, and says nothing of loads of segments"
    fact compat_address_wraps, "ok"               # 3.4: linear addresses are 32 bits wide
    descriptor SLOT, 0xffcf930000ffffff
    kernel32 1f
    .code32
1:  movl $SLOT, %eax
    movl %eax, %es
    movl $0x1000000, %ebx
9:  movb %es:0x100000(%ebx), %al
    leave
    .code64
    end_fact
    fact compat_upper_halves, "rax=ffffffff"      # vol. 1, 3.4.1.1: a 32-bit result is zero-extended; before, 64 bits are kept
    movq $-1, %rax
    resume 2f
    kernel32 1f
    .code32
1:  decl %eax
    incl %eax
    leave
    .code64
2:  show rax, %rax
    end_fact
