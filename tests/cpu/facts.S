# Guest code for the CPU tests: one labelled piece a fact. cpu_machine.cpp builds the tables that it runs
# under; every exception lands in a stub that writes a report and halts.

    .code64
    .text

# ---- Exception stubs: 16 bytes each, vector n at stubs + 16 * n. An error code is put on the stack for
# ---- those that have none, so that all frames look alike.
    .globl stubs
    .balign 16
stubs:
    .set vector, 0
    .rept 256
    .balign 16
    .if (vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17)
    .else
    pushq $-1
    .endif
    pushq $vector
    jmp record
    .set vector, vector + 1
    .endr

# The report: vector, error code, RIP, CS, RFLAGS, RSP, SS, CR2, RSP in the handler, RAX.
    .globl report
    .balign 16
report:
    .fill 10, 8, 0

    .globl resume
resume:
    .quad 0                  # where to go on instead of halting; 0: halt

record:
    cld
    movq %rax, report+72(%rip)
    popq report(%rip)
    popq report+8(%rip)
    movq 0(%rsp), %rax
    movq %rax, report+16(%rip)
    movq 8(%rsp), %rax
    movq %rax, report+24(%rip)
    movq 16(%rsp), %rax
    movq %rax, report+32(%rip)
    movq 24(%rsp), %rax
    movq %rax, report+40(%rip)
    movq 32(%rsp), %rax
    movq %rax, report+48(%rip)
    movq %cr2, %rax
    movq %rax, report+56(%rip)
    movq %rsp, report+64(%rip)
    movq resume(%rip), %rax
    testq %rax, %rax
    jnz 1f
    cli
    hlt
1:  movq %rax, 0(%rsp)       # the frame's RIP
    movq $0, resume(%rip)
    movq report+72(%rip), %rax
    iretq

# An interrupt handler that counts and goes back: IRQ 0 at vector 0x20.
    .globl tick
    .balign 16
tick:
    incq ticks(%rip)
    pushq %rax
    movb $0x20, %al
    outb %al, $0x20
    popq %rax
    iretq
    .globl ticks
    .balign 8
ticks:
    .quad 0

# ---- Facts.
    .macro fact name
    .globl \name
    .balign 16
\name:
    .endm

fact divide_by_zero
    xorl %ecx, %ecx
    movl $1, %eax
    cltd
divide_by_zero_at:
    .globl divide_by_zero_at
    idivl %ecx
    hlt

fact undefined
    nop
    ud2

fact breakpoint
    int3
breakpoint_next:
    .globl breakpoint_next
    hlt

fact icebp
    nop
    .byte 0xf1
icebp_next:
    .globl icebp_next
    hlt

fact int_80
    int $0x80
int_80_next:
    .globl int_80_next
    hlt

fact int_40                  # a gate with DPL 0
    nop
int_40_at:
    .globl int_40_at
    int $0x40
    hlt

fact bad_selector
    movl $0x1238, %eax
    movl %eax, %ds
    hlt

fact null_stack_selector     # MOV SS with a null selector at CPL 3
    xorl %eax, %eax
    movl %eax, %ss
    hlt

fact load_user_data_segment  # the GDT is a supervisor page: an implicit access at CPL 3
    movl $0x1b, %eax
    movl %eax, %ds
    movl $0x2a, %eax
    int $0x80

fact read_rbx
    movq (%rbx), %rax
    hlt
fact read_r15
    movq (%r15), %rax
    int $0x80
fact write_rbx
    movq %rax, (%rbx)
    hlt
fact write_rbx_16
    movdqu %xmm0, (%rbx)
    hlt
fact add_rbx                 # read-modify-write
    addq $1, (%rbx)
    hlt
fact push_to_rbx
    movq %rbx, %rsp
push_to_rbx_at:
    .globl push_to_rbx_at
    pushq %rax
    hlt
fact jump_rbx
    jmp *%rbx
fact read_rbx_via_rbp
    movq %rbx, %rbp
    movq (%rbp), %rax
    hlt

fact cli_hlt
    cli
    hlt

fact in_port
    movl $0xe9, %edx
    inb %dx, %al
    int $0x80

fact out_word
    movl $0xf4, %edx
    outw %ax, %dx
    int $0x80

fact sti_hlt
    movl $3, %ecx
1:  sti
    hlt
    loop 1b
    cli
    hlt

fact cr4_reserved
    movq %cr4, %rax
    btsq $27, %rax
cr4_reserved_at:
    .globl cr4_reserved_at
    movq %rax, %cr4
    hlt

fact reload_cr3
    movq %cr3, %rax
    movq %rax, %cr3
    hlt
fact invlpg_rbx
    invlpg (%rbx)
    hlt
fact invlpg_sib              # base, index, displacement, and an extended register
    movq %rbx, %r12
    movl $2, %ecx
    invlpg -16(%r12,%rcx,8)
    hlt
fact toggle_write_protect
    movq %cr0, %rax
    btcq $16, %rax
    movq %rax, %cr0
    hlt
fact lmsw_clts
    smsw %ax
    orw $8, %ax
    lmsw %ax
    movq %cr0, %rbx
    clts
    movq %cr0, %rcx
    hlt
fact set_nxe
    movl $0xc0000080, %ecx
    rdmsr
    btsl $11, %eax
    wrmsr
    rdmsr
    hlt
fact efer_reserved
    movl $0xc0000080, %ecx
    rdmsr
    btsl $12, %eax           # SVME: not offered
efer_reserved_at:
    .globl efer_reserved_at
    wrmsr
    hlt

fact do_syscall              # LSTAR is syscall_target
    movl $39, %eax
    stc
    syscall
do_syscall_next:
    .globl do_syscall_next
    movl $7, %ebx
    int $0x80
fact syscall_target
    movq %r11, %r12
    pushfq
    popq %r13
    sysretq

fact fixed_count             # 1 + 3 + 1000 * 2 + 2 instructions with the HLT
    movl $1000, %ecx
    xorl %eax, %eax
    xorl %edx, %edx
    nop
1:  decl %ecx
    jnz 1b
    nop
    hlt
fact read_clock              # RDTSC in the middle of a block
    nop
    nop
    nop
    rdtsc
    movq %rax, %rbx
    nop
    rdtsc
    hlt

fact patch_itself            # a store into the block that runs: the patched instruction must run
    movb $0x22, patched+1(%rip)
    jmp 1f
1:
patched:
    movb $0x11, %al
    hlt

fact patch_alias             # RBX: another address of alias_code
    call alias_code
    movb %al, %ah
    movb $0x44, 1(%rbx)
    call alias_code
    hlt
fact alias_code
    movb $0x33, %al
    ret

fact single_step
    pushfq
    orl $0x100, (%rsp)
    popfq
    nop
single_step_next:
    .globl single_step_next
    nop
    hlt

fact spin
    jmp spin

fact spin_enabled
    sti
1:  incq %rax
    jmp 1b

fact write_entries           # RDI: a page-table entry; every width and kind of store
    movq $0x1000, (%rdi)
    movl $0x2000, (%rdi)
    movw $0x3000, (%rdi)
    movb $0x40, 1(%rdi)
    movq $0x5000, %rax
    xchgq %rax, (%rdi)
    lock btsq $1, (%rdi)
    lock btrq $1, (%rdi)
    movq (%rdi), %rax
    movq $0x6000, %rcx
    lock cmpxchgq %rcx, (%rdi)
    movq $0x100, %rcx
    lock xaddq %rcx, (%rdi)
    movq $0x7000, %rax
    movnti %rax, (%rdi)
    movq %rax, %xmm0
    movdqu %xmm0, (%rdi)
    movq $0, %rax
    movl $2, %ecx
    cld
    rep stosq
    hlt

    .macro string instruction, to, from, times
    movq $\to, %rdi
    movq $\from, %rsi
    movq $\times, %rcx
    rep \instruction
    .endm

fact strings                  # RBX: a page-table entry; in the MiB from 0x200000, whose first pages stand at 0x40000000 too
    sti
    movabsq $0x0123456789abcdef, %rax
    string stosb, 0x200003, 0, 300000
    string stosw, 0x210001, 0, 5000
    string stosl, 0x220ffe, 0, 5000
    string stosq, 0x230ffb, 0, 3000
    movl $7, %ecx             # what is copied is no repetition
1:  imulq %rcx, %rax
    addq $0x7f, %rax
    movq %rax, 0x200000(%rcx)
    addl $7, %ecx
    cmpl $0x8000, %ecx
    jb 1b
    string movsb, 0x250003, 0x200000, 9000
    string movsb, 0x200003, 0x200000, 9000  # runs ahead of what is read: a pattern of three bytes
    string movsl, 0x260fff, 0x200001, 3001
    string movsq, 0x250000, 0x250009, 1000
    string movsq, 0x253005, 0x253000, 1000
    string movsb, 0x40000005, 0x200000, 4000  # the same frame by two addresses
    string movsw, 0x200000, 0x40000003, 3000
    string movsq, 0x270000, 0x200000, 4
    string movsq, 0x270100, 0x200000, 0
    string movsb, 0x271000, fixed_count, 1000 # from a page of code
    std
    string movsw, 0x281000, 0x280ff0, 2000
    string stosq, 0x283000, 0, 1000
    cld
    movq $2, %rax
    movq %rbx, %rdi           # page-table entries
    movl $100, %ecx
    rep stosq
    movq $0x200000, %rsi
    leaq 3f(%rip), %rdi       # code that has run, and runs again
    movl $2, %edx
2:  movl $24, %ecx
    movl $0x90, %eax
    rep stosb
    subq $24, %rdi
    .balign 64
3:  .fill 24, 1, 0x90
    decl %edx
    jnz 2b
    cli
    hlt

fact store_into_own_block     # 1 + 10 * 7 + 1 instructions with the HLT; each store leaves the byte as it is
    movl $10, %ecx
1:  movb $0x90, 2f(%rip)
    nop
    nop
    nop
2:  nop
    decl %ecx
    jnz 1b
    hlt

fact weaken_and_return       # as enter_user, after a store at R12 and a write that makes its entry, at RDI,
    movq %rax, (%r12)        # read-only; and with an OUT in the block of the IRETQ
    andq $~2, (%rdi)
    pushq $0x1b
    pushq %rcx
    pushq %rdx
    pushq $0x23
    pushq %rbx
    outb %al, $0x80
    iretq

fact enter_user              # to RBX at CPL 3 with RFLAGS in RDX and RSP in RCX
    pushq $0x1b
    pushq %rcx
    pushq %rdx
    pushq $0x23
    pushq %rbx
    iretq
