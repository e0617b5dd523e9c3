# Exceptions in 64-bit mode: each vector and its error code, and what is no instruction (Intel SDM vol. 3, 6.15 "Exception
# and Interrupt Reference"; vol. 2).
    .include "harness64.inc"

# ---- 6.15 "Exception and Interrupt Reference". A fault's RIP is that of the instruction, a trap's the next one's.
    fact de_divide_by_zero, "#DE +0"
    movl $1, %eax
9:  divl %ecx
    end_fact

    fact de_quotient_too_large, "#DE +0"
    movl $2, %edx
    movl $2, %ecx
9:  divl %ecx
    end_fact

    fact de_signed_overflow, "#DE +0"
    movabsq $1 << 63, %rax
    cqto
    movq $-1, %rcx
9:  idivq %rcx
    end_fact

    fact de_aam_is_gone, "#UD +0"                 # AAM, which could divide by zero, is no 64-bit instruction
    .byte 0xd4, 0
    end_fact

    fact de_keeps_registers, "#DE +0 rax=5 rdx=0" # 6.5: a fault leaves the state from before
    movl $5, %eax
    resume 1f
9:  divl %ecx
1:  show rax, %rax
    show rdx, %rdx
    end_fact

    fact bp_int3, "#BP +1"
9:  int3
    end_fact

    fact bp_two_bytes, "#BP +2"
9:  .byte 0xcd, 3
    end_fact

    fact db_icebp, "#DB +1"                       # vol. 2, "INT n/INTO/INT3/INT1": vector 1, a trap
9:  .byte 0xf1
    end_fact
    qemu_says "#UD +0", "QEMU has no INT1"

    fact of_into_64, "#UD +0"
9:  .byte 0xce
    end_fact

    fact of_by_number, "#OF +2"                   # INT 4 pushes no error code and looks at no flag
9:  int $4
    end_fact

    fact ud_ud2, "#UD +0"
9:  ud2
    end_fact

    fact ud_ud1, "#UD +0"
9:  .byte 0x0f, 0xb9, 0xc0
    end_fact

    fact ud_ud0, "#UD +0"
9:  .byte 0x0f, 0xff, 0xc0
    end_fact

# By number, an exception has no error code (6.4.4 "Software-Generated Exceptions").
    fact int_13_pushes_no_code, "rsp=ffffffffffffffd8"
    movq $1f, %rax
    gate 13, CODE64, 0x8e
    movq $stack_top-64, %rsp
    int $13
1:  movq %rsp, %rax
    subq $stack_top-64, %rax
    show rsp, %rax
    end_fact

# ---- What is no instruction in 64-bit mode (vol. 2, "Invalid in 64-Bit Mode" of each).
    .irp byte, 06, 07, 0e, 16, 17, 1e, 1f, 27, 2f, 37, 3f, 60, 61, 9a, d5, d6, ea
    fact ud_in_64_bit_\byte, "#UD +0"
9:  .byte 0x\byte, 0xc0, 0, 0, 0, 0, 0
    end_fact
    .endr
    .irp byte, 04, 0a, 0c, 24, 25, 26, 27, 36, 39, 3b, 3c, 7a, 7b, a6, a7
    fact ud_two_bytes_\byte, "#UD +0"
9:  .byte 0x0f, 0x\byte, 0xc0
    end_fact
    .endr
    fact ud_group_fe_2, "#UD +0"
9:  .byte 0xfe, 0xd0
    end_fact
    fact ud_group_ff_7, "#UD +0"
9:  .byte 0xff, 0xf8
    end_fact
    fact ud_group_8f_1, "#UD +0"
9:  .byte 0x8f, 0xc8
    end_fact
    known "ok", "the engine does not look at the opcode extension of 8F"
    qemu_says "ok", "QEMU does not look at the opcode extension of 8F"
    fact ud_group_c6_1, "#UD +0"
9:  .byte 0xc6, 0xc8, 0
    end_fact
    qemu_says "ok", "QEMU does not look at the opcode extension of C6"
    fact ud_far_jump_to_register, "#UD +0"
9:  .byte 0xff, 0xe8
    end_fact
    fact ud_lea_of_register, "#UD +0"
9:  .byte 0x8d, 0xc0
    end_fact
    fact ud_move_to_cs, "#UD +0"                  # vol. 2, "MOV"
9:  .byte 0x8e, 0xc8
    end_fact
    fact ud_move_from_segment_6, "#UD +0"
9:  .byte 0x8c, 0xf0
    end_fact
    fact ud_cr1, "#UD +0"                         # vol. 2, "MOV-Move to/from Control Registers"
9:  movq %cr1, %rax
    end_fact
    fact ud_cr5, "#UD +0"
9:  .byte 0x0f, 0x22, 0xe8
    end_fact
    fact ud_dr8, "#UD +0"
9:  .byte 0x44, 0x0f, 0x21, 0xc0
    end_fact

# ---- LOCK (vol. 2, "LOCK"): on what cannot be locked, or has no memory to be.
    fact lock_register, "#UD +0"
9:  .byte 0xf0, 0x01, 0xc0
    end_fact
    fact lock_load, "#UD +0"
9:  .byte 0xf0, 0x8b, 0x04, 0x24
    end_fact
    known "ok", "the engine does not look at LOCK here"
    qemu_says "ok", "QEMU does not look at LOCK here"
    fact lock_compare, "#UD +0"
9:  .byte 0xf0, 0x39, 0x04, 0x24
    end_fact
    fact lock_nop, "#UD +0"
9:  .byte 0xf0, 0x90
    end_fact
    fact lock_bit_test, "#UD +0"
9:  .byte 0xf0, 0x0f, 0xa3, 0x04, 0x24
    end_fact
    known "ok", "the engine does not look at LOCK here"
    qemu_says "ok", "QEMU does not look at LOCK here"
    fact lock_add_memory, "ok"
    pushq $1
9:  lock addl $1, (%rsp)
    end_fact

# ---- Length (vol. 2, 2.3.11; vol. 3, 6.15 "#GP": "longer than 15 bytes").
    fact length_15, "ok"
9:  .fill 14, 1, 0x66
    nop
    end_fact
    fact length_16, "#GP(0) +0"
9:  .fill 15, 1, 0x66
    nop
    end_fact
    fact endbr_is_a_nop, "ok"
9:  endbr64
    endbr32
    .byte 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0
    end_fact
    fact prefetch_of_register_is_a_nop, "ok"      # vol. 2, table A-6, group 16 with mod 3: reserved NOP
9:  .byte 0x0f, 0x18, 0xc8
    end_fact
    qemu_says "#UD +0", "QEMU wants memory"
