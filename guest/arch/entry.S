// The ways into the kernel and out of it: interrupt and exception gates, SYSCALL, the switch between tasks.
//
// All of them leave a struct pt_regs (arch/ptrace.hpp) on the kernel stack. GS points to the per-CPU block in
// the kernel and to the program's own base in user mode: SWAPGS on the way in and out, never in between.

#include "guest/arch/segment.hpp"

#define GSBASE 0xc0000101

/* Offsets in struct PerCpu */
#define PERCPU_KERNEL_STACK 16
#define PERCPU_USER_RSP 24

/* Offsets in struct pt_regs */
#define RAX 80
#define CS 136


    .text

    /* The stub has pushed an error code (or 0) and RDI, and put the vector in EDI. */
.macro SAVE_REST
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %rax
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
.endm

.macro RESTORE_REGS
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rax
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
.endm

    /* A program may have set AC: without this, SMAP would be off while we run for it. */
.macro CLEAR_AC
    cmpb $0, cpu_has_smap(%rip)
    je 1f
    clac
1:
.endm

common_entry:
    SAVE_REST
    cld
    CLEAR_AC
    testb $3, CS(%rsp)
    jz 2f
    swapgs
2:  movl %edi, %esi
    movq %rsp, %rdi
    subq $8, %rsp              /* pt_regs is an odd number of words; calls want 16-byte alignment */
    call do_interrupt
    addq $8, %rsp
return_from_interrupt:
    testb $3, CS(%rsp)
    jz 3f
    swapgs
3:  RESTORE_REGS
    addq $8, %rsp
    iretq

    /* NMI, double fault and machine check may come between SWAPGS and its user: look at the base itself. */
paranoid_entry:
    SAVE_REST
    cld
    CLEAR_AC
    movl %edi, %esi
    xorl %ebx, %ebx
    movl $GSBASE, %ecx
    rdmsr
    testl %edx, %edx
    js 4f
    swapgs
    movl $1, %ebx
4:  movq %rsp, %rdi
    subq $8, %rsp
    call do_interrupt
    addq $8, %rsp
    testl %ebx, %ebx
    jz 5f
    swapgs
5:  RESTORE_REGS
    addq $8, %rsp
    iretq

    /* One stub a vector, 16 bytes apart. Vectors with an error code: Intel SDM vol. 3A, table 6-1. */
    .balign 16
    .globl interrupt_stubs
interrupt_stubs:
    .set vector, 0
    .rept 256
    .balign 16
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
    pushq $0
    .endif
    pushq %rdi
    movl $vector, %edi
    .if vector == 2 || vector == 8 || vector == 18
    jmp paranoid_entry
    .else
    jmp common_entry
    .endif
    .set vector, vector + 1
    .endr

    /* SYSCALL: RCX = RIP, R11 = RFLAGS; RSP is still the program's. Interrupts are off (SYSCALL mask). */
    .balign 16
    .globl entry_SYSCALL_64
entry_SYSCALL_64:
    swapgs
    movq %rsp, %gs:PERCPU_USER_RSP
    movq %gs:PERCPU_KERNEL_STACK, %rsp
    pushq $USER_DS
    pushq %gs:PERCPU_USER_RSP
    pushq %r11
    pushq $USER_CS
    pushq %rcx
    pushq %rax
    pushq %rdi
    SAVE_REST
    movq $-38, RAX(%rsp)       /* -ENOSYS */
    movq %rsp, %rdi
    subq $8, %rsp
    call do_syscall_64         /* true: the frame still is what SYSRET can return to */
    addq $8, %rsp
    testb %al, %al
    jz return_from_interrupt
    RESTORE_REGS
    /* SYSRET takes RIP from RCX and RFLAGS from R11, which hold them. */
    movq 32(%rsp), %rsp
    swapgs
    sysretq

    /* void __switch_to_asm(uint64_t* save_sp, uint64_t load_sp): what the compiler expects a call to keep. */
    .balign 16
    .globl __switch_to_asm
__switch_to_asm:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret

    /* A new task comes here from __switch_to_asm. RBX: function of a kernel thread, or 0; R12: its argument. */
    .balign 16
    .globl ret_from_fork
ret_from_fork:
    xorl %ebp, %ebp
    subq $8, %rsp
    call schedule_tail
    testq %rbx, %rbx
    jz 6f
    movq %r12, %rdi
    call *%rbx                 /* returns when the thread has become a program by execve */
6:  leaq 8(%rsp), %rdi
    call syscall_return_slowpath
    addq $8, %rsp
    jmp return_from_interrupt

    .section .note.GNU-stack, "", @progbits
