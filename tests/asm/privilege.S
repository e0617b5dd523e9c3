# What CPL 3 may not do, and what flags it sees (Intel SDM vol. 2, each instruction's exceptions; vol. 3, 5.9
# "Privileged Instructions"; vol. 1, 19.5 "Protected-Mode I/O").
    .include "harness64.inc"

    .macro forbidden name, instruction, line="#GP(0) +0"
    fact user_\name, "\line"
    user 9f
9:  \instruction
    leave
    end_fact
    .endm
    forbidden hlt, hlt
    forbidden cli, cli
    forbidden sti, sti
    forbidden clts, clts
    forbidden lmsw, "lmsw %ax"
    forbidden invd, invd
    forbidden wbinvd, wbinvd
    forbidden invlpg, "invlpg TEST"
    forbidden lgdt, "lgdt TEST"
    forbidden lidt, "lidt TEST"
    forbidden lldt, "lldt %ax"
    forbidden ltr, "ltr %ax"
    forbidden swapgs, swapgs
    forbidden rdmsr, rdmsr
    forbidden wrmsr, wrmsr
    forbidden sysexit, sysexitl, "#UD +0"          # AMD: no such instruction in long mode
    .irp n, 0, 2, 3, 4, 8
    forbidden from_cr\n, "movq %cr\n, %rax"
    forbidden to_cr\n, "movq %rax, %cr\n"
    .endr
    .irp n, 0, 1, 2, 3, 6, 7
    forbidden from_dr\n, "movq %db\n, %rax"
    forbidden to_dr\n, "movq %rax, %db\n"
    .endr
    forbidden cr1, "movq %cr1, %rax", "#UD +0"    # vol. 2: there is none, at any CPL
    qemu_says "#GP(0) +0", "QEMU looks at the privilege first"
    forbidden clac, clac, "#UD +0"                # vol. 2, "CLAC": #UD if CPL > 0
    forbidden stac, stac, "#UD +0"
    forbidden in_byte, "inb $0x80, %al"
    forbidden in_long, "inl %dx, %eax"
    forbidden out_word, "outw %ax, %dx"
    forbidden outs, outsb
    forbidden ins, insb
    forbidden sgdt, "sgdt USER+user_stack_top-64", "ok"
    forbidden sidt, "sidt USER+user_stack_top-64", "ok"
    forbidden sldt, "sldt %eax", "ok"
    forbidden str, "str %eax", "ok"
    forbidden smsw, "smsw %eax", "ok"
    forbidden rdtsc, rdtsc, "ok"
    forbidden cpuid, cpuid, "ok"
    forbidden ud_before_privilege, ".byte 0xf0, 0xf4", "#UD +0"          # LOCK is looked at first
    qemu_says "#GP(0) +0", "QEMU looks at the privilege first"
    forbidden verr, "verr %ax", "ok"

    .macro with_cr4 name, line, set, instruction
    fact user_\name, "\line"
    movl $BASE_CR4+\set, %eax
    movq %rax, %cr4
    xorl %ecx, %ecx
    xorl %eax, %eax
    xorl %edx, %edx
    user 9f
9:  \instruction
    leave
    end_fact
    .endm
    with_cr4 rdtsc_tsd, "#GP(0) +0", 4, rdtsc
    with_cr4 rdtscp_tsd, "#GP(0) +0", 4, rdtscp
    with_cr4 rdpmc_without_pce, "#GP(0) +0", 0, rdpmc
    with_cr4 xsetbv, "#GP(0) +0", 0x40000, xsetbv
    with_cr4 xgetbv, "ok", 0x40000, xgetbv
    with_cr4 rdfsbase, "ok", 0x10000, "rdfsbase %rax"
    fact kernel_rdtsc_tsd, "ok"
    movl $BASE_CR4+4, %eax
    movq %rax, %cr4
9:  rdtsc
    end_fact

# ---- IOPL.
    .macro with_iopl name, line, iopl, instruction
    fact user_iopl_\iopl\()_\name, "\line"
    user 9f, 2+(\iopl<<12)
9:  \instruction
    leave
    end_fact
    .endm
    with_iopl cli, "ok", 3, cli
    with_iopl cli, "#GP(0) +0", 2, cli
    with_iopl in, "ok", 3, "inb $0x80, %al"
    with_iopl in, "#GP(0) +0", 2, "inb $0x80, %al"
    with_iopl hlt, "#GP(0) +0", 3, hlt
    fact user_iopl_3_sti, "rflags=3202"
    resume 2f
    user 1f, 0x3002
1:  sti
    cli
    sti
    pushfq
    popq %rax
    cli
    leave
2:  show rflags, %rax
    end_fact

# ---- The I/O permission map: the TSS of the harness has all bits set.
    .macro through_map name, line, map, instruction, limit=-1
    fact io_map_\name, "\line"
    movw $\map, tss+104+0x80/8
    .if \limit >= 0
    movw $\limit, gdt+TSS
    movb $0x89, gdt+TSS+5
    movl $TSS, %eax
    ltr %ax
    .endif
    movl $0x80, %edx
    user 9f
9:  \instruction
    leave
    end_fact
    .endm
    through_map allowed, "ok", 0xfffe, "inb %dx, %al"
    through_map other_port, "#GP(0) +0", 0xfffd, "inb %dx, %al"
    through_map word_allowed, "ok", 0xfffc, "inw %dx, %ax"
    through_map word_second_refused, "#GP(0) +0", 0xfffe, "inw %dx, %ax"
    through_map long_allowed, "ok", 0xfff0, "inl %dx, %eax"
    through_map long_last_refused, "#GP(0) +0", 0xfff8, "inl %dx, %eax"
    through_map second_byte_read, "ok", 0xfffe, "inb %dx, %al", 104+0x80/8+1
    through_map second_byte_beyond_limit, "#GP(0) +0", 0xfffe, "inb %dx, %al", 104+0x80/8      # 19.5.2: two bytes are read
    through_map beyond_limit, "#GP(0) +0", 0xfffe, "inb %dx, %al", 104+0x80/8-1
    through_map no_map, "#GP(0) +0", 0xfffe, "inb %dx, %al", 0x67
    through_map outs, "#GP(0) +0", 0xffff, outsb
    fact io_map_at_end_of_word, "#GP(0) +0"       # the bits of one access may lie in two bytes
    movw $0xff7f, tss+104+0x80/8
    movl $0x87, %edx
    user 9f
9:  inw %dx, %ax
    end_fact

# ---- Flags (vol. 2, "POPF", table of effects; "PUSHF").
    .macro flags_user name, line, before, popped
    fact popf_user_\name, "\line"
    resume 2f
    user 1f, \before
1:  pushq $\popped
    popfq
    pushfq
    popq %rax
    leave
2:  show rflags, %rax
    end_fact
    .endm
    flags_user if, "rflags=2", 2, 0x202
    flags_user if_stays, "rflags=202", 0x202, 2
    flags_user iopl, "rflags=2", 2, 0x3002
    flags_user iopl_3_if, "rflags=3202", 0x3002, 0x202           # IF by IOPL, IOPL by CPL 0 alone
    flags_user status, "rflags=44cd7", 2, 0x44cd7
    flags_user id, "rflags=200002", 2, 0x200002
    flags_user rf_vm_vif_vip, "rflags=2", 2, 0x1b0002
    flags_user reserved, "rflags=2", 2, 0x802a
    .macro flags_kernel name, line, popped
    fact popf_kernel_\name, "\line"
    pushq $\popped
    popfq
    pushfq
    popq %rax
    pushq $2
    popfq
    show rflags, %rax
    end_fact
    .endm
    flags_kernel iopl, "rflags=3002", 0x3002
    flags_kernel rf_vm, "rflags=2", 0x30002       # POPF clears RF, leaves VM
    flags_kernel nt_ac_id, "rflags=244002", 0x244002
    flags_kernel reserved, "rflags=2", 0x802a
    fact popf_16_bits, "rflags=200003"            # the upper part stays
    pushq $0x200002
    popfq
    pushw $3
    popfw
    pushfq
    popq %rax
    show rflags, %rax
    end_fact
    fact lahf, "rax=d700"                         # SF ZF 0 AF 0 PF 1 CF
    pushq $0xad7
    popfq
    xorl %eax, %eax
    pushq $0xad7
    popfq
    lahf
    show rax, %rax
    end_fact
    fact sahf, "rflags=8d7"                       # OF stays
    pushq $0x802
    popfq
    movl $0xff00, %eax
    sahf
    pushfq
    popq %rax
    show rflags, %rax
    end_fact
    fact stac_and_clac, "on=40000 off=0"
    stac
    pushfq
    popq %rbx
    clac
    pushfq
    popq %rcx
    andl $0x40000, %ebx
    andl $0x40000, %ecx
    show on, %rbx
    show off, %rcx
    end_fact

# ---- LGDT and LIDT.
    .macro load_table name, line, instruction, base
    fact \name, "\line"
    movw $0xff, FRAMES
    movabsq $\base, %rax
    movq %rax, FRAMES+2
9:  \instruction FRAMES
    end_fact
    .endm
    load_table lgdt_not_canonical, "#GP(0) +0", lgdt, 0x800000000000
    qemu_says "ok", "QEMU takes any base"
    load_table lidt_not_canonical, "#GP(0) +0", lidt, 0x800000000000
    qemu_says "ok", "QEMU takes any base"
    load_table lgdt_upper_half, "ok", lgdt, 0xffff800000000000
    fact sgdt, "limit=ff base=0"
    sgdt FRAMES
    movzwl FRAMES, %eax
    show limit, %rax
    movq FRAMES+2, %rax
    subq $gdt, %rax
    show base, %rax
    end_fact
    fact rdpmc_unknown_counter, "#GP(0) +0"       # vol. 2, "RDPMC"
    movl $0x12345, %ecx
9:  rdpmc
    end_fact
    qemu_says "#UD +0", "QEMU has no counters"
