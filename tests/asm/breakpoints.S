# Breakpoints in DR0 to DR3, and the debug registers (Intel SDM vol. 3, 18.2 "Debug Registers", 18.3 "Debug Exceptions").
    .include "harness64.inc"

# DR7 for breakpoint 0: enabled locally; kind and length at bits 16 and 18.
    .set EXECUTE, 0x401
    .set WRITE_1, 0x10401
    .set WRITE_4, 0xd0401
    .set WRITE_8, 0x90401
    .set ACCESS_1, 0x30401
    .set ACCESS_4, 0xf0401

    .macro show_dr6
    movq %dr6, %rax
    andl $0xe00f, %eax
    show dr6, %rax
    .endm
    .macro arm where, dr7
    movq $\where, %rax
    movq %rax, %dr0
    movl $\dr7, %eax
    movq %rax, %dr7
    .endm

# ---- Breakpoints in DR0 to DR3.
    fact dr_execute, "#DB +0 dr6=1 rf=0"          # a fault, before the instruction; the one that sets no RF
    arm 9f, EXECUTE
    resume 1f
9:  nop
1:  show_dr6
    movl last_rflags, %eax
    andl $0x10000, %eax
    show rf, %rax
    end_fact
    fact dr_execute_resumed, "#DB +0 then=1"      # RF in the frame lets the instruction run
    arm 9f, EXECUTE
    resume 1f
9:  incl %ecx
    jmp 2f
1:  pushq $DATA0
    pushq $stack_top
    pushq $0x10002
    pushq $CODE64
    pushq $9b
    iretq
2:  show then, %rcx
    end_fact
    fact dr_execute_not_enabled, "ok"
    arm 9f, 0x400
9:  nop
    end_fact
    fact dr_execute_global, "#DB +0"
    arm 9f, 0x402
9:  nop
    end_fact
    fact dr_execute_middle, "ok"                  # only the first byte of an instruction counts
    arm 9f+1, EXECUTE
9:  movl $5, %eax
    end_fact
    fact dr_execute_user, "#DB +0"
    arm USER+9f, EXECUTE
    user 9f
9:  nop
    leave
    end_fact
    fact dr_execute_before_fault, "#DB +0"        # the breakpoint comes before what the instruction does
    arm 9f, EXECUTE
9:  ud2
    end_fact
    fact dr_execute_dr3, "#DB +0 dr6=8"
    movq $9f, %rax
    movq %rax, %dr3
    movl $0x440, %eax
    movq %rax, %dr7
    resume 1f
9:  nop
1:  show_dr6
    end_fact
    fact dr_write, "#DB +7 dr6=1"                 # a trap, after the instruction
    arm FRAMES, WRITE_1
    resume 1f
9:  movb %al, FRAMES
1:  show_dr6
    end_fact
    fact dr_write_stored, "#DB +8 value=77"
    arm FRAMES, WRITE_1
    resume 1f
9:  movb $0x77, FRAMES
    nop
1:  movzbl FRAMES, %eax
    show value, %rax
    end_fact
    fact dr_write_not_by_read, "ok"
    arm FRAMES, WRITE_4
9:  movl FRAMES, %eax
    end_fact
    fact dr_access_by_read, "#DB +7"
    arm FRAMES, ACCESS_1
9:  movb FRAMES, %al
    nop
    end_fact
    fact dr_access_by_write, "#DB +7"
    arm FRAMES, ACCESS_4
9:  movb %al, FRAMES+3
    nop
    end_fact
    fact dr_write_beside, "ok"
    arm FRAMES, WRITE_4
    movb %al, FRAMES+4
    movb %al, FRAMES-1
    end_fact
    fact dr_write_overlapping, "#DB +8"
    arm FRAMES+8, WRITE_4
9:  movq %rax, FRAMES+4
    nop
    end_fact
    fact dr_write_8, "#DB +7"
    arm FRAMES, WRITE_8
9:  movb %al, FRAMES+7
    nop
    end_fact
    fact dr_write_push, "#DB +1"
    movb $1, idt+16+4
    movq $FRAMES+0x100, %rsp
    arm FRAMES+0xf8, WRITE_8
9:  pushq %rax
    nop
    end_fact
    fact dr_write_rep, "#DB +0 rcx=5"             # between iterations
    arm FRAMES+2, WRITE_1
    movl $8, %ecx
    movq $FRAMES, %rdi
    resume 1f
9:  rep stosb
    nop
1:  show rcx, %rcx
    end_fact
    fact dr_write_user, "#DB +7"
    map 0, FRAMES+P+W+U
    arm TEST, WRITE_1
    user 9f
9:  movb %al, TEST
    nop
    end_fact
    fact dr_write_that_faults, "#PF(2) +0 cr2=60000000"
    arm TEST, WRITE_1
9:  movb %al, TEST
    end_fact
    fact dr_by_linear_address, "ok"               # another address of the same byte
    map 0, FRAMES+P+W
    movb %al, TEST
    arm FRAMES, WRITE_1
9:  movb %al, TEST
    end_fact

# ---- The registers themselves.
    fact dr7_fixed_bits, "dr7=400"                # bit 10 reads as 1
    xorl %eax, %eax
    movq %rax, %dr7
    movq %dr7, %rax
    show dr7, %rax
    end_fact
    fact dr6_fixed_bits, "dr6=ffff0ff0"
    xorl %eax, %eax
    movq %rax, %dr6
    movq %dr6, %rax
    show dr6, %rax
    end_fact
    fact dr6_upper_half, "#GP(0) +0"
    movabsq $1<<32, %rax
9:  movq %rax, %dr6
    end_fact
    fact dr7_upper_half, "#GP(0) +0"
    movabsq $1<<32, %rax
9:  movq %rax, %dr7
    end_fact
    fact dr4_is_dr6, "dr4=ffff0ff0"               # without CR4.DE
    movq %db4, %rax
    show dr4, %rax
    end_fact
    fact dr4_with_de, "#UD +0"
    movl $BASE_CR4+8, %eax
    movq %rax, %cr4
9:  movq %db4, %rax
    end_fact
    fact dr_gd, "#DB +0 dr6=2000"                 # general detect: a fault at any access
    movl $0x2400, %eax
    movq %rax, %dr7
    resume 1f
9:  movq %dr0, %rax
1:  show_dr6
    end_fact
    qemu_says "dr6=0", "QEMU has no general detect"
    fact dr_holds_address, "dr1=ffff800012345678"
    movabsq $0xffff800012345678, %rax
    movq %rax, %dr1
    movq %dr1, %rbx
    show dr1, %rbx
    end_fact
