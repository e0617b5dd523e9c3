# Debug exceptions: the trap flag, DR0 to DR7 (Intel SDM vol. 3, chapter 18 "Debug, Branch Profile, TSC...", 18.2 and
# 18.3; section numbers differ between editions: "Debug Registers", "Debug Exceptions").
    .include "harness64.inc"

    .set TF, 0x100
    .set BS, 0x4000              # DR6: single step
    .set BD, 0x2000              # DR6: access to a debug register with DR7.GD
    .macro set_tf
    pushq $TF+2
    popfq
    .endm
    .macro show_dr6
    movq %dr6, %rax
    andl $0xe00f, %eax
    show dr6, %rax
    .endm
# ---- Single step: a trap after the instruction that follows the one that set TF.
    fact tf_step, "#DB +1 dr6=4000 rflags=102"
    resume 1f
    set_tf
9:  nop
    nop
1:  show_dr6
    show rflags, last_rflags
    end_fact
    fact tf_two_steps, "#DB +1 #DB +2"
    resume 1f
    set_tf
9:  nop
    nop
    nop
1:  resume 2f
    pushq $DATA0
    pushq $stack_top
    pushq $TF+2
    pushq $CODE64
    pushq $9b+1
    iretq
2:  end_fact
    fact tf_branch, "#DB +10"
    resume 1f
    set_tf
9:  jmp 2f
    .balign 16
    .org 9b+0x10
2:  nop
1:  end_fact
    fact tf_load_ss, "#DB +3"                     # MOV SS holds the trap back for one instruction
    movl $DATA0, %eax
    set_tf
9:  movl %eax, %ss
    nop
    nop
    end_fact
    fact tf_pop_ss_like_lss, "#DB +4"             # LSS does not
    movl $stack_top, FRAMES
    movw $DATA0, FRAMES+4
    movq $FRAMES, %rbx
    set_tf
9:  .byte 0x40, 0x0f, 0xb2, 0x23                  # LSS ESP, [RBX]
    nop
    end_fact
    qemu_says "#DB +5", "QEMU treats LSS as MOV SS"
    fact tf_int_clears, "step=0 #DB +3"           # INT n clears TF for the handler; no trap inside
    movq $1f, %rax
    gate 0x40, CODE64, 0x8e
    set_tf
9:  int $0x40
    nop
1:  pushfq
    popq %rax
    andl $TF, %eax
    show step, %rax
    pushq $9b+2
    popq (%rsp)
    iretq
    end_fact
    fact tf_syscall, "step=0 r11=102"             # FMASK clears TF
    movl $0xc0000084, %ecx
    movl $TF, %eax
    xorl %edx, %edx
    wrmsr
    movq $1f, syscall_next
    pushq $TF+2
    popfq
    syscall
1:  pushfq
    popq %rax
    andl $TF, %eax
    show step, %rax
    show r11, %r11
    end_fact
    fact tf_rep, "#DB +0 rcx=2"                   # after each iteration, with RIP at the instruction
    movl $3, %ecx
    movq $FRAMES, %rdi
    resume 1f
    set_tf
9:  rep stosb
    nop
1:  show rcx, %rcx
    end_fact
    fact tf_rep_last, "#DB +2 rcx=0"
    movl $1, %ecx
    movq $FRAMES, %rdi
    resume 1f
    set_tf
9:  rep stosb
    nop
1:  show rcx, %rcx
    end_fact
    qemu_says "#DB +0 rcx=0", "QEMU stays at the instruction once more"
    fact tf_faulting, "#UD +0 tf=100"             # a fault comes instead of the trap, TF in its frame
    resume 1f
    set_tf
9:  ud2
1:  movl last_rflags, %eax
    andl $TF, %eax
    show tf, %rax
    end_fact
    fact tf_pushf, "#DB +1 pushed=102"
    resume 1f
    movq $FRAMES+0x100, %rsp
    set_tf
9:  pushfq
    nop
1:  movq FRAMES+0xf8, %rax
    show pushed, %rax
    end_fact
    fact tf_popf_clears, "#DB +1"                 # the instruction that clears TF is still stepped
    pushq $2
    set_tf
9:  popfq
    nop
    nop
    end_fact
    fact tf_user, "#DB +1 cs=2b"
    resume 1f
    user 9f, TF+2
9:  nop
    nop
1:  show cs, last_cs
    end_fact
    fact tf_cpuid, "#DB +2"
    set_tf
9:  cpuid
    nop
    end_fact
    fact tf_rdmsr, "#DB +2"
    movl $0xc0000080, %ecx
    set_tf
9:  rdmsr
    nop
    end_fact
    fact tf_mov_cr3, "#DB +3"
    movq %cr3, %rbx
    set_tf
9:  movq %rbx, %cr3
    nop
    end_fact
    fact tf_in, "#DB +2"
    set_tf
9:  inb $0x80, %al
    nop
    end_fact
    fact tf_invlpg, "#DB +8"
    set_tf
9:  invlpg TEST
    nop
    end_fact
    fact tf_sti, "#DB +1"
    set_tf
9:  sti
    nop
    cli
    end_fact
    qemu_says "#DB +2", "QEMU holds the trap back after STI too"
    fact tf_across_page, "#DB @60001000"
    map 0, FRAMES+P+W
    map 1, FRAMES+0x1000+P+W
    movb $0x90, FRAMES+0xfff
    movb $0x90, FRAMES+0x1000
    pushq $DATA0
    pushq $stack_top
    pushq $TF+2
    pushq $CODE64
    pushq $TEST+0xfff
    iretq
    finish_fact
    fact tf_dr6_sticky, "#DB +1 dr6=c000"         # the processor never clears DR6, but perhaps its bits 3:0
    movl $0xffff8ff0, %eax
    movq %rax, %dr6
    resume 1f
    set_tf
9:  nop
1:  show_dr6
    end_fact
    fact icebp_sets_no_dr6, "#DB +1 dr6=0"
    resume 1f
9:  .byte 0xf1
1:  show_dr6
    end_fact
    qemu_says "#UD +0 dr6=0", "QEMU has no INT1"
